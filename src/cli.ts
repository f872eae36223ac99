/**
 * argv → verb → exit status. Builds the real world and hands it on; decides nothing else.
 * Data goes to stdout, progress and errors to stderr. A defect of pgduet ends with status 70 and says so.
 * A verb is imported by its action, so that a command loads what it needs and nothing else.
 */
import { Command, CommanderError, Option } from 'commander';
import { codes } from './base/codes.ts';
import { type Diagnostic, DiagnosticError } from './base/diagnostic.ts';
import { exitCode } from './base/exit-codes.ts';
import { diagnosticJson } from './report/diagnostic.ts';
import { shippedPlaybook, shippedVersion } from './shipped.ts';
import { checkFormats, checkWish, type RawWish } from './verbs/check-wish.ts';
import { type CommonOptions, type RestartWord, realWorld, restartWords, type World } from './verbs/world.ts';

const exits = `
Exit status:
  0 done, or nothing to do      4 a host cannot be reached
  1 a host failed               5 refused, to protect data
  2 changes are pending         6 another run holds the lock
  3 the input is wrong         70 a defect of pgduet      130 interrupted`;

interface RawOptions {
  readonly inventory?: string;
  readonly check?: boolean;
  readonly diff?: boolean;
  readonly yes?: boolean;
  readonly json?: boolean;
  readonly verbose?: boolean;
  readonly color?: boolean;
  readonly limit?: string;
  readonly acceptNewHostKeys?: boolean;
  readonly restart?: RestartWord;
  readonly watch?: boolean;
}

type RawCheck = Omit<RawOptions, keyof RawWish> & RawWish;

interface RawTeardown {
  readonly keep?: string;
  readonly keepData?: boolean;
  readonly force?: boolean;
  readonly allData?: boolean;
  readonly confirm?: string;
}

/** NO_COLOR as its convention says: set and not empty means without; --no-color does so too. */
const wantsColour = (raw: RawOptions): boolean =>
  raw.color !== false && !process.env.NO_COLOR && process.stdout.isTTY === true;

function commonOptions(raw: RawOptions): CommonOptions {
  return {
    inventory: raw.inventory ?? 'inventory.yml',
    check: raw.check === true,
    diff: raw.diff === true,
    yes: raw.yes === true,
    json: raw.json === true,
    verbose: raw.verbose === true,
    colour: wantsColour(raw),
    acceptNewHostKeys: raw.acceptNewHostKeys === true,
    restart: raw.restart ?? 'ask',
    ...(raw.limit ? { limit: raw.limit } : {}),
  };
}

/** The first inventory names the run where only one can. */
function optionsOfCheck({ inventory, watch: _, login: __, format, ...raw }: RawCheck): RawOptions {
  const [first] = inventory ?? [];
  return { ...raw, json: raw.json === true || format === 'json', ...(first ? { inventory: first } : {}) };
}

/** Ends the process with the verb's status; every way out goes through here. */
async function finish(
  name: string,
  raw: RawOptions,
  verb: (world: World) => Promise<number> | number,
): Promise<void> {
  const abort = new AbortController();
  let signals = 0;
  const onSignal = (): void => {
    signals += 1;
    // The second Ctrl-C does not wait for the hosts any more.
    if (signals > 1) process.exit(exitCode.interrupted);
    abort.abort();
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  const world = realWorld(commonOptions(raw), abort.signal);
  try {
    process.exitCode = await verb(world);
  } catch (error) {
    process.exitCode = report(name, world, error, abort.signal.aborted);
  } finally {
    process.off('SIGINT', onSignal);
    process.off('SIGTERM', onSignal);
  }
  // A connection that was still being made when the user asked to stop must not hold up the end.
  if (abort.signal.aborted) process.exit();
}

function report(name: string, world: World, error: unknown, interrupted: boolean): number {
  const failed = failureOf(error, interrupted);
  // With --json there is one document on stdout however a run ends; a verb that got far enough has printed its own.
  if (world.options.json && !world.printed())
    world.print(
      JSON.stringify(
        { schema: 1, verb: name, exit: failed.exitCode, diagnostics: failed.diagnostics.map(diagnosticJson) },
        null,
        2,
      ),
    );
  world.tell(failed.diagnostics);
  return failed.exitCode;
}

function failureOf(error: unknown, interrupted: boolean): DiagnosticError {
  if (error instanceof DiagnosticError) return error;
  if (interrupted) {
    const diagnostic: Diagnostic = {
      code: 'RUN002',
      what: 'the run was interrupted',
      why: 'you asked to stop',
      fix: 'Run the same command again: it continues.',
    };
    return new DiagnosticError([diagnostic], exitCode.interrupted);
  }
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  const diagnostic: Diagnostic = {
    code: 'BUG001',
    what: 'pgduet met a case that it was not made for',
    why: 'this is a defect of pgduet, not of your input',
    fix: 'Report it with the lines below; running the same command again is safe.',
    evidence: text.split('\n').slice(0, 12),
  };
  return new DiagnosticError([diagnostic], codes.BUG001.exit);
}

const inventoryOption = (): Option =>
  new Option('-i, --inventory <file>', 'the inventory').default('inventory.yml');

/** Several clusters at once. */
const inventoriesOption = (): Option =>
  new Option(
    '-i, --inventory <file>',
    'the inventory; given again, another one is looked at too (default: "inventory.yml")',
  ).argParser((file: string, files: readonly string[] | undefined) => [...(files ?? []), file]);

const withCommon = (command: Command): Command => withHosts(command.addOption(inventoryOption()));

/** The options that every verb which contacts hosts shares. */
function withHosts(command: Command): Command {
  return command
    .option('--json', 'one JSON document on stdout')
    .option('--verbose', 'say everything that is done')
    .option('--no-color', 'no colours (NO_COLOR does the same)')
    .option('--accept-new-host-keys', 'add unknown host keys to known_hosts instead of stopping');
}

/** The options of a verb that shows a plan and asks. */
const withPlan = (command: Command): Command =>
  withCommon(command)
    .option('--check', 'show what would be changed, change nothing')
    .option('--diff', 'show the text of files before and after')
    .option('--yes', 'do not ask');

const withChange = (command: Command): Command =>
  withPlan(command)
    .option('--limit <host>', 'change this host only')
    .addOption(
      new Option(
        '--restart <when>',
        'PostgreSQL, where a setting needs it: ask before the primary is restarted (default; --yes answers), when-needed, never',
      ).choices(restartWords),
    );

function program(): Command {
  const pgduet = new Command('pgduet')
    .description(
      'One inventory in; a PostgreSQL primary with synchronous standbys out, watched by a Mirroring Controller.',
    )
    .version(shippedVersion())
    .showHelpAfterError('(pgduet --help shows the verbs and options)')
    .configureHelp({ showGlobalOptions: true })
    .exitOverride()
    .addHelpText('after', exits);
  pgduet
    .command('init')
    .description('write an inventory to begin with')
    .addOption(inventoryOption())
    .action(async (raw: RawOptions) => {
      const { init } = await import('./verbs/init.ts');
      await finish('init', raw, init);
    });
  pgduet
    .command('validate')
    .description('check the inventory; contacts nobody')
    .addOption(inventoryOption())
    .option('--json', 'one JSON document on stdout')
    .option('--no-color', 'no colours')
    .action(async (raw: RawOptions) => {
      const { validate } = await import('./verbs/validate.ts');
      await finish('validate', raw, validate);
    });
  withChange(
    pgduet
      .command('provision')
      .description('make the hosts a primary with synchronous standbys, and prove it'),
  ).action(async (raw: RawOptions) => {
    const { applyVerb } = await import('./verbs/apply.ts');
    await finish('provision', raw, (world) =>
      applyVerb(world, 'provision', shippedPlaybook('provision'), raw.check === true),
    );
  });
  withHosts(
    pgduet
      .command('check')
      .description('say what differs from the inventory, and what of it matters; touches nothing')
      .addOption(inventoriesOption()),
  )
    .addOption(
      new Option('--format <format>', 'how to say it (default: text)')
        .choices(checkFormats)
        .conflicts('json'),
    )
    .option('--diff', 'show the text of files: what stands there and what is declared')
    .option('--watch [interval]', 'look again and again (default: 60s) and tell what changes, until Ctrl-C')
    .option('--limit <host>', 'tell of this host only')
    .option(
      '--login <user>',
      "log in as this user in place of the inventory's, without sudo: one that may only read",
    )
    .action(async (raw: RawCheck) => {
      const { check } = await import('./verbs/check.ts');
      await finish('check', optionsOfCheck(raw), (world) => check(world, checkWish(raw)));
    });
  withCommon(
    pgduet
      .command('status')
      .description('show every server: role, controller, WAL position, lag, connection string'),
  )
    .option('--watch', 'look again every second until Ctrl-C')
    .action(async (raw: RawOptions) => {
      const { status } = await import('./verbs/status.ts');
      await finish('status', raw, (world) => status(world, raw.watch === true));
    });
  withPlan(
    pgduet
      .command('migrate')
      .description('make a running single server the primary of a cluster; its applications go on working'),
  ).action(async (raw: RawOptions) => {
    const { migrateVerb } = await import('./verbs/migrate.ts');
    await finish('migrate', raw, (world) => migrateVerb(world, raw.check === true));
  });
  withPlan(
    pgduet
      .command('switch')
      .description('make a standby primary, with the proof that nothing is lost')
      .option('--to <host>', 'this standby; without it the first one'),
  ).action(async (raw: RawOptions & { readonly to?: string }) => {
    const { switchVerb } = await import('./verbs/switch.ts');
    await finish('switch', raw, (world) => switchVerb(world, raw.to, raw.check === true));
  });
  withPlan(
    pgduet
      .command('rebuild <host>')
      .description('make a server that is out a standby of the primary again')
      .option('--copy', 'a base backup in any case; without it pg_rewind where that is possible')
      .option('--keep-copy <directory>', 'where its data is put aside if it may hold commits of its own'),
  ).action(
    async (host: string, raw: RawOptions & { readonly copy?: boolean; readonly keepCopy?: string }) => {
      const wish = { copy: raw.copy === true, ...(raw.keepCopy ? { keepCopy: raw.keepCopy } : {}) };
      const { rebuildVerb } = await import('./verbs/rebuild.ts');
      await finish('rebuild', raw, (world) => rebuildVerb(world, host, wish, raw.check === true));
    },
  );
  withPlan(
    pgduet
      .command('teardown')
      .description('back to a single server: the others go, with their data')
      .option('--keep <host>', 'the server that stays; without it the primary')
      .option('--keep-data', 'leave the data of the servers that go where it is')
      .option('--force', 'leave out servers that cannot be reached')
      .option('--all-data', 'no server stays: the whole cluster goes, with all data')
      .option('--confirm <cluster>', "the cluster's name, for --all-data without a terminal"),
  ).action(async (raw: RawOptions & RawTeardown) => {
    const wish = {
      keepData: raw.keepData === true,
      force: raw.force === true,
      allData: raw.allData === true,
      ...(raw.keep ? { keep: raw.keep } : {}),
      ...(raw.confirm === undefined ? {} : { confirm: raw.confirm }),
    };
    const { teardownVerb } = await import('./verbs/teardown.ts');
    await finish('teardown', raw, (world) => teardownVerb(world, wish, raw.check === true));
  });
  withChange(pgduet.command('run <playbook>').description('run a playbook of your own')).action(
    async (file: string, raw: RawOptions) => {
      const { applyVerb } = await import('./verbs/apply.ts');
      await finish('run', raw, (world) => applyVerb(world, 'run', file, raw.check === true));
    },
  );
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
