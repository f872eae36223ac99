/** What a night does, and that it goes on where the last one stopped. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';

interface State {
  readonly pass: number;
  readonly job: number;
  readonly nextSeed: number;
}
interface Names {
  readonly files: readonly string[];
  readonly faults: readonly string[];
}
interface Job {
  readonly kind: string;
  readonly title: string;
  readonly from?: number;
  readonly count?: number;
  readonly seed?: number;
}
interface Plan {
  beginningAt(commit: string): State;
  jobAt(state: State, names: Names): Job;
  after(state: State, job: Job, names: Names): State;
  replayOf(job: Job, seed?: number): string;
}

// Node 20 runs the scripts without a step between, so they are JavaScript, and their types are told here.
const plan = (await import(
  pathToFileURL(join(import.meta.dirname, '../scripts/night-plan.mjs')).href
)) as Plan;

const beginning = plan.beginningAt(`00004e21${'a'.repeat(32)}`);
const names = { files: ['a.test.ts', 'b.test.ts'], faults: ['cable cut', 'disk full'] };

function jobs(from: State, count: number): { made: Job[]; end: State } {
  const made: Job[] = [];
  let state = from;
  for (let turn = 0; turn < count; turn += 1) {
    const job = plan.jobAt(state, names);
    made.push(job);
    state = plan.after(state, job, names);
  }
  return { made, end: state };
}

it('a pass has each file and each fault once, and two hundred times the seeds of npm test, none of them twice', () => {
  const { made, end } = jobs(beginning, 32);
  const simulated = made.filter(({ kind }) => kind === 'simulation');
  expect(simulated.map(({ from }) => from)).toEqual(
    Array.from({ length: 20 }, (_, index) => 20_001 + index * 10_000),
  );
  expect(simulated.reduce((sum, { count = 0 }) => sum + count, 0)).toBe(200 * 1000);
  const others = made
    .filter(({ kind }) => kind !== 'simulation' && kind !== 'hosts')
    .map(({ title }) => title);
  expect(others.sort()).toEqual([
    'a.test.ts, PGDUET_SEED=1',
    'b.test.ts, PGDUET_SEED=1',
    'everything that can happen, 2 servers, 10 minutes',
    'everything that can happen, 3 servers, 10 minutes',
    'fault: cable cut',
    'fault: disk full',
  ]);
  expect(end).toEqual({ pass: 2, job: 0, nextSeed: 20_001 + 200_000 });
});

it('rounds with hosts as people have them have seeds of their own in each job', () => {
  const hosts = jobs(beginning, 64).made.filter(({ kind }) => kind === 'hosts');
  expect(hosts).toHaveLength(12);
  const seeds = hosts.flatMap(({ from = 0, count = 0 }) =>
    Array.from({ length: count }, (_, at) => from + at),
  );
  expect(new Set(seeds).size).toBe(12 * 20);
});

it('the simulation is spread, so that a few jobs have some of each', () => {
  const kinds = new Set(jobs(beginning, 14).made.map(({ kind }) => kind));
  expect(kinds).toEqual(new Set(['simulation', 'interruptions', 'search', 'hosts']));
  expect(jobs(beginning, 5).made.map(({ kind }) => kind)).toContain('interruptions');
});

it('a night that stops and one that goes on do together what one long night does, and the next pass has other seeds', () => {
  const first = jobs(beginning, 7);
  const second = jobs(first.end, 57);
  expect([...first.made, ...second.made]).toEqual(jobs(beginning, 64).made);
  const seeds = [...first.made, ...second.made].map(({ seed }) => seed).filter((seed) => seed !== undefined);
  expect(seeds).toEqual([1, 1, 2, 2]);
});

it('a failure names the command that repeats it', () => {
  const { made } = jobs(beginning, 32);
  const of = (kind: string): Job | undefined => made.find((job) => job.kind === kind);
  const [simulation, file, fault] = [of('simulation'), of('interruptions'), of('fault')];
  expect(simulation && plan.replayOf(simulation, 20375)).toBe('npm run sim -- --seed 20375');
  const hosts = of('hosts');
  expect(hosts && plan.replayOf(hosts)).toBe(`npm run test:hosts -- --rounds 20 --seed ${hosts?.from}`);
  const search = of('search');
  expect(search && plan.replayOf(search)).toBe('npm run sim -- --exhaustive --servers 2 --minutes 10');
  expect(simulation && plan.replayOf(simulation)).toBe('npm run sim -- 10000 20001');
  expect(file && plan.replayOf(file)).toBe(
    'PGDUET_INTERRUPTIONS=10 PGDUET_SEED=1 npx vitest run --project lab a.test.ts',
  );
  expect(fault && plan.replayOf(fault)).toBe("npm run faults -- 'cable cut'");
});
