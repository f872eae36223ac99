/**
 * The command behind `npm run sim`: scenarios from a seed on, one seed with its story, or the check that lost rules are
 * noticed. In: arguments. Out: text, and an exit status that says whether all was well.
 */
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { bundle } from './bundle.ts';
import { type Mutation, mutations } from './mutations.ts';
import { runSeeds } from './pool.ts';
import type { Report } from './worker.ts';

const help = `npm run sim -- [N [FROM]] [--kind FAULT]     N scenarios (20000) from seed FROM (1) on, on all cores
                       [--failures FILE]     appends each seed that failed to FILE, as a line of JSON
npm run sim -- --seed SEED                   one scenario, with all that happens in it
npm run sim -- --mutations [N [FROM]]        takes rules out of the core, one at a time; each must be noticed within N (4000)

Every failing seed is named; the first one is told in full. The same seed gives the same story on every machine.
test/sim/README.md says what is simulated and what is checked.
`;

const write = (text: string): void => void process.stdout.write(`${text}\n`);
const seconds = (since: number): string => `${((performance.now() - since) / 1000).toFixed(1)} s`;

function tell({ seed, plan, violations }: Report): void {
  write(`seed ${seed}: ${plan}`);
  for (const violation of violations) write(`  ${violation}`);
  write(`  replay: npm run sim -- --seed ${seed}`);
}

async function story(file: string, seed: number): Promise<boolean> {
  const { told } = await runSeeds(file, { from: seed, count: 1, trace: true });
  for (const report of told) {
    for (const line of report.lines) write(line);
    if (report.violations.length > 0) tell(report);
    else write('nothing was violated');
  }
  return told.every((it) => it.violations.length === 0);
}

/** One line of JSON for each, for programs. */
function append(file: string, failed: readonly Report[]): void {
  for (const { seed, plan, violations } of failed)
    appendFileSync(file, `${JSON.stringify({ seed, plan, violations })}\n`);
}

interface Wanted {
  readonly from: number;
  readonly count: number;
  readonly kinds: readonly string[];
}

async function many(file: string, range: Wanted, failures?: string): Promise<boolean> {
  const begin = performance.now();
  const found = await runSeeds(file, { ...range, enough: 20 });
  const [first] = found.failed;
  if (first) await story(file, first.seed);
  for (const report of found.failed) tell(report);
  if (failures !== undefined) append(failures, found.failed);
  const { scenarios, promotions, acknowledged, failed } = found;
  const last = range.from + range.count - 1;
  write(
    `seeds ${range.from} to ${last}: ${scenarios} scenarios, ${failed.length} failed, ${promotions} promotions, ${acknowledged} commits acknowledged, ${seconds(begin)}`,
  );
  return failed.length === 0;
}

async function withoutRules(root: string, folder: string, from: number, count: number): Promise<boolean> {
  let missed = 0;
  for (const mutation of mutations) {
    const begin = performance.now();
    const noticed = await notice(root, folder, mutation, from, count);
    if (noticed.length === 0) missed += 1;
    write(`${noticed.length > 0 ? 'noticed' : 'NOT NOTICED'}: ${mutation.rule} (${seconds(begin)})`);
    for (const { seed, violations } of noticed.slice(0, 3)) write(`    seed ${seed}: ${violations[0]}`);
  }
  write(`${mutations.length} rules taken out one at a time, ${missed} not noticed`);
  return missed === 0;
}

async function notice(
  root: string,
  folder: string,
  mutation: Mutation,
  from: number,
  count: number,
): Promise<readonly Report[]> {
  const file = await bundle(root, folder, mutation);
  return (await runSeeds(file, { from, count, enough: 3 })).failed;
}

async function main(): Promise<boolean> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      help: { type: 'boolean', default: false },
      seed: { type: 'string' },
      kind: { type: 'string', multiple: true, default: [] },
      mutations: { type: 'boolean', default: false },
      failures: { type: 'string' },
    },
  });
  if (values.help) {
    process.stdout.write(help);
    return true;
  }
  const [count, from] = positionals.map(Number);
  const folder = mkdtempSync(join(tmpdir(), 'pgduet-sim-'));
  const root = process.cwd();
  try {
    if (values.mutations) return await withoutRules(root, folder, from ?? 1, count ?? 4000);
    const file = await bundle(root, folder);
    if (values.seed !== undefined) return await story(file, Number(values.seed));
    const range = { from: from ?? 1, count: count ?? 20_000, kinds: values.kind };
    return await many(file, range, values.failures);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

process.exitCode = (await main()) ? 0 : 1;
