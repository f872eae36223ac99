/**
 * Many scenarios of the simulation, and rules taken out of the core that it must notice. A failure names its seeds;
 * `npm run sim -- --seed N` tells the story of one.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundle } from './bundle.ts';
import { mutations } from './mutations.ts';
import { notice, noticedSeeds, seedsForMutation } from './notice.ts';
import { describePlan } from './plan.ts';
import { runSeeds } from './pool.ts';
import { type Report, runScenario } from './scenario.ts';
import { fixed, named, ofCommit, type Seeds } from './seeds.ts';

const root = join(import.meta.dirname, '../..');
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'pgduet-sim-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const brief = ({ plan, violations }: Report) => ({
  replay: `npm run sim -- --seed ${plan.settings.seed}`,
  scenario: describePlan(plan),
  violations,
});

describe('the controllers in a simulated world', () => {
  const commit = execFileSync('git', ['rev-parse', 'HEAD'], { cwd: root, encoding: 'utf8' }).trim();
  const ofThisCommit = ofCommit(commit);

  it.each([
    [`always the same: ${named(fixed)}`, fixed],
    [`of commit ${commit.slice(0, 8)}: ${named(ofThisCommit)}`, ofThisCommit],
  ])('%s', async (title, seeds: Seeds) => {
    const found = await runSeeds(await bundle(root, folder), { ...seeds, enough: 5 });
    process.stdout.write(`simulation, ${title}: ${found.scenarios} scenarios\n`);
    expect(found.failed.map(brief)).toEqual([]);
    expect(found.scenarios).toBe(seeds.count);
  });

  it('the same seed tells the same story', () => {
    for (const seed of [3, 17, 4711]) expect(runScenario(seed, true)).toEqual(runScenario(seed, true));
  });
});

describe('a rule that is taken out of the core is noticed', () => {
  const seeds = noticedSeeds(root);

  it.each(mutations)('$rule', async (mutation) => {
    const range = { from: 1, count: seedsForMutation };
    const found = await notice(await bundle(root, folder, mutation), mutation, seeds, range);
    const [first] = found.failed;
    const isKnown = first?.plan.settings.seed === seeds[mutation.rule];
    const behind = isKnown ? '' : ' (noticed.json is behind: npm run sim -- --mutations)';
    process.stdout.write(
      `noticed after ${found.scenarios} scenarios: ${first?.violations[0] ?? 'never'}${behind}\n`,
    );
    expect(found.failed.length).toBeGreaterThan(0);
  });

  it('a replacement whose text is not in the source is an error', async () => {
    const [first] = mutations;
    expect(first).toBeDefined();
    if (first)
      await expect(bundle(root, folder, { ...first, find: 'no such text' })).rejects.toThrow('exactly once');
  });
});
