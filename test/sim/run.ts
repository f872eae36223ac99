/**
 * The command behind `npm run sim`: scenarios from a seed on, one seed with its story, or the check that lost rules are
 * noticed. In: arguments. Out: text, and an exit status that says whether all was well.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { bundle } from './bundle.ts';
import { exhaustively } from './exhaustive/command.ts';
import { runMany, type Wanted } from './many.ts';
import { mutations } from './mutations.ts';
import { noticedFile, type Search, search, seedsForMutation } from './notice.ts';
import { describePlan, planOf } from './plan.ts';
import type { Plan } from './planned.ts';
import { runPlan } from './scenario.ts';
import type { Report, Worlds } from './worker.ts';

const help = `npm run sim -- [N [FROM]] [--kind FAULT]     N scenarios (20000) from seed FROM (1) on, on all cores
                       [--unlike]            only worlds in which the servers are not alike
                       [--failures FILE]     appends each that failed to FILE, as a line of JSON with its plan
npm run sim -- --seed SEED                   one scenario, with all that happens in it
npm run sim -- --replay FILE [--seed SEED]   the plans in FILE, such as test/sim/stories.jsonl; those of SEED are told in full
npm run sim -- --mutations [N [FROM]]        takes rules out of the core, one at a time; each must be noticed within N (60000),
                       and the seeds that notice them are kept in test/sim/noticed.json
npm run sim -- --exhaustive [--servers 2|3]  everything that can happen in a small world, as far as the time reaches
                       [--minutes M]         (10)

Every failing seed is kept (in .cache/sim/failures.jsonl unless FILE is given) and the first one is told in full. An interrupted
run goes on where it was with the same command. The same seed gives the same story on every machine, until the world changes: a
new kind of fault changes which plan a seed stands for, and only the plan is the same for ever.
test/sim/README.md says what is simulated and what is checked.
`;

const write = (text: string): void => void process.stdout.write(`${text}\n`);
const seconds = (since: number): string => `${((performance.now() - since) / 1000).toFixed(1)} s`;

const tolds = 20;

function tell({ plan, violations }: Report): void {
  const { seed } = plan.settings;
  write(`seed ${seed}: ${describePlan(plan)}`);
  for (const violation of violations) write(`  ${violation}`);
  write(`  replay: npm run sim -- --seed ${seed}`);
}

function story(plan: Plan): boolean {
  const report = runPlan(plan, true);
  for (const line of report.lines) write(line);
  if (report.violations.length > 0) tell(report);
  else write('nothing was violated');
  return report.violations.length === 0;
}

function replay(file: string, seed: number | null): boolean {
  const plans = readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .flatMap((line): Plan[] => JSON.parse(line).plan ?? []);
  if (seed !== null) return plans.filter((it) => it.settings.seed === seed).every(story);
  const failed = plans.map((plan) => runPlan(plan)).filter((it) => it.violations.length > 0);
  for (const report of failed) tell(report);
  write(`${plans.length} plans, ${failed.length} failed`);
  return failed.length === 0;
}

/** A run that is told to end says how far it has come. */
function whenSignalled(): () => boolean {
  let isTold = false;
  for (const signal of ['SIGINT', 'SIGTERM'])
    process.on(signal, () => {
      isTold = true;
    });
  return () => isTold;
}

async function many(wanted: Wanted): Promise<number> {
  const { from, count } = wanted.range;
  const done = await runMany(wanted);
  const [first] = done.reports;
  if (first) story(first.plan);
  for (const report of done.reports.slice(0, tolds)) tell(report);
  if (done.failed > 0) write(`all ${done.failed} that failed are in ${wanted.failures}`);
  const { scenarios, failed, promotions, acknowledged, ms } = done;
  write(
    `seeds ${from} to ${done.next - 1}: ${scenarios} scenarios, ${failed} failed, ${promotions} promotions, ${acknowledged} commits acknowledged, ${(ms / 1000).toFixed(1)} s`,
  );
  if (done.interrupted) write(`interrupted before seed ${from + count - 1}; the same command goes on`);
  return done.interrupted ? 130 : failed > 0 ? 1 : 0;
}

async function withoutRules(root: string, folder: string, range: Search): Promise<boolean> {
  const seeds: Record<string, number> = {};
  for (const mutation of mutations) {
    const begin = performance.now();
    const { failed, scenarios } = await search(await bundle(root, folder, mutation), mutation, range);
    const [first] = failed;
    if (first) seeds[mutation.rule] = first.plan.settings.seed;
    write(
      `${first ? 'noticed' : 'NOT NOTICED'}: ${mutation.rule} (${scenarios} scenarios, ${seconds(begin)})`,
    );
    for (const { plan, violations } of failed) write(`    seed ${plan.settings.seed}: ${violations[0]}`);
  }
  writeFileSync(noticedFile(root), `${JSON.stringify(seeds, undefined, 2)}\n`);
  const missed = mutations.length - Object.keys(seeds).length;
  write(`${mutations.length} rules taken out one at a time, ${missed} not noticed`);
  return missed === 0;
}

function exhaustive(servers: number, minutes: number): number {
  if ((servers === 2 || servers === 3) && minutes > 0)
    return exhaustively({ servers, minutes }, write) ? 0 : 1;
  process.stderr.write('--servers takes 2 or 3, --minutes a number above 0\n');
  return 3;
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      help: { type: 'boolean', default: false },
      seed: { type: 'string' },
      replay: { type: 'string' },
      kind: { type: 'string', multiple: true, default: [] },
      unlike: { type: 'boolean', default: false },
      mutations: { type: 'boolean', default: false },
      failures: { type: 'string' },
      exhaustive: { type: 'boolean', default: false },
      servers: { type: 'string', default: '2' },
      minutes: { type: 'string', default: '10' },
    },
  });
  if (values.help) {
    process.stdout.write(help);
    return 0;
  }
  if (values.exhaustive) return exhaustive(Number(values.servers), Number(values.minutes));
  const seed = values.seed === undefined ? null : Number(values.seed);
  if (values.replay !== undefined) return replay(values.replay, seed) ? 0 : 1;
  if (seed !== null) return story(planOf(seed)) ? 0 : 1;
  const [count, from] = positionals.map(Number);
  const folder = mkdtempSync(join(tmpdir(), 'pgduet-sim-'));
  const root = process.cwd();
  try {
    if (values.mutations)
      return (await withoutRules(root, folder, { from: from ?? 1, count: count ?? seedsForMutation }))
        ? 0
        : 1;
    const worlds: Worlds = values.unlike ? 'not alike' : 'all';
    const range = { from: from ?? 1, count: count ?? 20_000, kinds: values.kind, worlds };
    const kept = join(root, '.cache/sim');
    const failures = values.failures ?? join(kept, 'failures.jsonl');
    const stopped = whenSignalled();
    return await many({ bundle: await bundle(root, folder), range, failures, folder: kept, stopped });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

process.exitCode = await main();
