/**
 * argv → verb → exit status. In: the registry of verbs. Out: the verb that is meant, with what was given to it. The one home of
 * commander; it knows no verb by name. Data goes to stdout, progress and errors to stderr.
 */
import { Argument, Command, CommanderError, Option } from 'commander';
import { exitCode, meaningOfExit } from './base/exit-codes.ts';
import { shippedVersion } from './shipped.ts';
import { execute } from './verbs/execute.ts';
import { programSummary, verbs } from './verbs/registry.ts';
import { argumentText, flagsOf, type Given, meaningOf, type OptionSpec, type Verb } from './verbs/verb.ts';

const exits = (): string =>
  Object.values(exitCode)
    .map((status) => `  ${String(status).padEnd(5)}${meaningOfExit(status)}`)
    .join('\n');

function optionOf(spec: OptionSpec): Option {
  const made = new Option(flagsOf(spec), meaningOf(spec));
  if (spec.takes.kind === 'word') made.choices(spec.takes.words);
  if (spec.excludes) made.conflicts([...spec.excludes]);
  if (spec.repeated)
    made.argParser((value: string, before: readonly string[] | undefined) => [...(before ?? []), value]);
  return made;
}

function givenTo(verb: Verb, command: Command, specs: ReadonlyMap<OptionSpec, Option>): Given {
  return {
    arguments: new Map(
      verb.arguments.map(({ name, repeated }, place) => [
        name,
        repeated ? command.args.slice(place) : (command.args[place] ?? ''),
      ]),
    ),
    options: new Map(
      [...specs].flatMap(([{ name }, made]) => {
        const value: unknown = command.getOptionValue(made.attributeName());
        const isGiven = made.negate ? value === false : value !== undefined;
        return isGiven ? [[name, made.negate ? true : (value as true | string | readonly string[])]] : [];
      }),
    ),
  };
}

function add(program: Command, verb: Verb): void {
  const specs = new Map(verb.options.map((spec) => [spec, optionOf(spec)]));
  const command = program.command(verb.name).description(verb.summary);
  for (const spec of verb.arguments) {
    const made = new Argument(argumentText(spec));
    command.addArgument(spec.takes.kind === 'word' ? made.choices(spec.takes.words) : made);
  }
  for (const made of specs.values()) command.addOption(made);
  command.action(() => execute(verb, givenTo(verb, command, specs)));
}

function program(): Command {
  const pgduet = new Command('pgduet')
    .description(programSummary)
    .version(shippedVersion())
    .showHelpAfterError('(pgduet --help shows the verbs and options)')
    // The registry says what counts without an option, and what it may be.
    .configureHelp({ showGlobalOptions: true, optionDescription: ({ description }) => description })
    .exitOverride()
    .addHelpText('after', `\nExit status:\n${exits()}`);
  for (const verb of verbs) add(pgduet, verb);
  return pgduet;
}

async function main(): Promise<void> {
  try {
    await program().parseAsync();
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    process.exitCode = error.exitCode === 0 ? exitCode.done : exitCode.inputWrong;
  }
}

await main();
