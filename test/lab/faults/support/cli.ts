/**
 * `npm run faults`: runs faults on fresh pairs, prints each result as it comes, and writes it into docs/faults.md; or a trial of some
 * minutes under load. In: names of faults (parts of them are enough), options. Out: the status; a lost row or a wrong action is 1.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { prepareMachine } from '../../harness/machine.ts';
import { catalogue } from './catalogue.ts';
import { type Fault, type Result, runFault } from './fault.ts';
import type { FaultPair } from './pair.ts';
import { documentOf, label, type Measured, nothingMeasured } from './report.ts';
import { atRest } from './rest.ts';
import { isWrongTrial, type TrialWish, trial, trialLines } from './trial.ts';
import { openPair, type Variant } from './variants.ts';

const usage = `npm run faults [-- NAME…] [--runs N] [--rest] [--verbose] [--document FILE]
npm run faults -- --load MINUTES [--heartbeat fast] [--loss PERCENT] [--seed N] [--document FILE]
npm run faults -- --list

Breaks a pair of lab hosts while clients write, and writes what was seen into docs/faults.md. Without a name: all faults, which
takes an hour. A part of a name is enough; a whole name means no other one, and --list shows them. --rest also measures a pair
at rest; --verbose prints every message; --document names another file than docs/faults.md. --load runs no fault, but a pair for
so long while all processors are busy and hosts stand still for a second, at random: no switch and no lost row is right. With --loss
that share of the packets to each host is lost, too.
`;

const options = {
  runs: { type: 'string', default: '1' },
  verbose: { type: 'boolean', default: false },
  rest: { type: 'boolean', default: false },
  load: { type: 'string' },
  seed: { type: 'string', default: '1' },
  heartbeat: { type: 'string', default: 'normal' },
  loss: { type: 'string', default: '0' },
  document: { type: 'string', default: 'docs/faults.md' },
  list: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const;

const parse = (argv: readonly string[]) => parseArgs({ args: [...argv], allowPositionals: true, options });

function readArguments(argv: readonly string[]): ReturnType<typeof parse> | string {
  try {
    const parsed = parse(argv);
    const { values, positionals } = parsed;
    if (values.help) return '';
    const stranger = positionals.find((word) => !catalogue.some((it) => label(it).includes(word)));
    if (stranger !== undefined) return `no fault is called '${stranger}'`;
    if (!['normal', 'fast'].includes(values.heartbeat)) return `no heartbeat is called '${values.heartbeat}'`;
    if (!(Number(values.loss) >= 0 && Number(values.loss) < 100))
      return `--loss ${values.loss}: it takes a percentage`;
    const numbers = { runs: values.runs, load: values.load ?? '1', seed: values.seed };
    const wrong = Object.entries(numbers).find(([, given]) => !(Number(given) >= 1));
    return wrong === undefined ? parsed : `--${wrong[0]} ${wrong[1]}: it takes a number from 1 on`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

export async function runFaults(argv: readonly string[]): Promise<number> {
  const read = readArguments(argv);
  if (typeof read === 'string') {
    const names = [...new Set(catalogue.map(label))].map((it) => `  ${it}\n`).join('');
    process.stderr.write(read === '' ? `${usage}\n${names}` : `${read}\n\n${usage}\n${names}`);
    return read === '' ? 0 : 3;
  }
  const { values, positionals } = read;
  if (values.list) {
    process.stdout.write([...new Set(catalogue.map(label))].map((it) => `${it}\n`).join(''));
    return 0;
  }
  await prepareMachine((line) => process.stderr.write(`${line}\n`));
  if (values.load !== undefined)
    return runTrial(values.document, {
      minutes: Number(values.load),
      seed: Number(values.seed),
      heartbeat: values.heartbeat === 'fast' ? 'fast' : 'normal',
      lossPercent: Number(values.loss),
    });
  const wanted = positionals.length === 0 ? catalogue : catalogue.filter((it) => isCalled(it, positionals));
  const results: Result[] = [];
  let broken = 0;
  let pair: FaultPair | null = null;
  let variant: Variant = 'plain';
  const end = async (): Promise<void> => {
    await pair?.close();
    pair = null;
  };
  for (const fault of wanted) {
    for (let run = 0; run < Number(values.runs); run += 1) {
      if (variant !== (fault.variant ?? 'plain')) await end();
      variant = fault.variant ?? 'plain';
      pair ??= await openPair(variant);
      try {
        const result = await runFault(pair, fault);
        results.push(result);
        tell(result, values.verbose);
        write(values.document, results);
      } catch (error) {
        broken += 1;
        process.stdout.write(`${label(fault)}: ${error instanceof Error ? error.stack : String(error)}\n`);
        for (const { server, at, number, text } of await pair.said(Date.now() - 90_000).catch(() => []))
          process.stdout.write(`    ${server} ${(at / 1000).toFixed(3)} ${number} ${text}\n`);
        await end();
      }
      if (fault.spoils) await end();
    }
  }
  await end();
  const rest = values.rest || positionals.length === 0 ? await atRest() : null;
  write(values.document, results, { ...nothingMeasured, atRest: rest });
  return results.some(isWrong) || broken > 0 ? 1 : 0;
}

/** A word that is the whole name of a fault means no other one; any other word means all whose names contain it. */
const isCalled = (fault: Fault, words: readonly string[]): boolean =>
  words.some((word) =>
    catalogue.some((it) => label(it) === word) ? label(fault) === word : label(fault).includes(word),
  );

/** After every result, so that a run that is ended early leaves what it has found. */
function write(file: string, results: readonly Result[], measured: Measured = nothingMeasured): void {
  const before = existsSync(file) ? readFileSync(file, 'utf8') : '';
  writeFileSync(file, documentOf(before, results, catalogue, measured));
}

async function runTrial(document: string, wish: TrialWish): Promise<number> {
  const result = await trial(wish);
  const lines = trialLines(result);
  process.stdout.write(lines.map((line) => `${line}\n`).join(''));
  const part = wish.heartbeat === 'fast' ? 'fastUnderLoad' : 'underLoad';
  write(document, [], { ...nothingMeasured, [part]: lines });
  return isWrongTrial(result) ? 1 : 0;
}

const isWrong = ({ fault, action, lost, second, untrue }: Result): boolean =>
  !fault.action.includes(action) || untrue.length > 0 || (!fault.splits && lost + second > 0);

function tell(result: Result, verbose: boolean): void {
  const { fault, action, gapMs, takenOverMs, lost, second, untrue, advice, said } = result;
  const right = fault.action.includes(action) ? '' : ' UNEXPECTED';
  process.stdout.write(
    `${label(fault)}: ${action}${right}, gap ${Math.round(gapMs)} ms, taken over after ${takenOverMs ?? '-'} ms, lost ${lost}, second ${second}, old primary writes: ${result.oldPrimaryWrites}\n`,
  );
  for (const line of untrue) process.stdout.write(`  UNTRUE ${line}\n`);
  for (const [server, text] of Object.entries(advice)) process.stdout.write(`  ${server}: ${text}\n`);
  if (!verbose) return;
  const from = said[0]?.at ?? 0;
  for (const { server, at, number, text } of said)
    process.stdout.write(`    +${Math.round(at - from)} ${server} ${number} ${text}\n`);
}
