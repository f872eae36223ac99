/**
 * Scenarios that have failed once, each with its story in a sentence and its plan: seeds come to mean other plans when the world
 * grows, plans do not. `npm run sim -- --replay test/sim/stories.jsonl --seed SEED` tells one in full.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { planOf } from './plan.ts';
import { kindOf, type Plan } from './planned.ts';
import { runPlan, runScenario } from './scenario.ts';
import type { CommandMode, References } from './world.ts';

interface Story {
  readonly story: string;
  readonly plan: Plan;
}

const stories = readFileSync(join(import.meta.dirname, 'stories.jsonl'), 'utf8')
  .trim()
  .split('\n')
  .map((line): Story => JSON.parse(line));

describe('what has failed once does not fail again', () => {
  it.each(stories.map((it) => [it.plan.settings.seed, it.story, it.plan] as const))(
    'seed %i: %s',
    (_, __, plan) => {
      expect(runPlan(plan).violations).toEqual([]);
    },
  );
});

/** The types do not see what stands in the file. Whoever changes the words of a plan changes them there, too. */
it('every plan is in the words of today', () => {
  const words: { readonly [Setting in 'references' | 'arbitration' | 'fencing']: readonly unknown[] } = {
    references: ['none', 'well', 'never', 'stops'] satisfies References[],
    arbitration: ['well', 'no', 'late'] satisfies CommandMode[],
    fencing: [null, 'well', 'no', 'late'],
  };
  for (const { plan } of stories) {
    const { hasty = true, ...settings } = plan.settings;
    expect(hasty).toBe(true);
    expect(Object.keys(settings).sort()).toEqual(Object.keys(planOf(1).settings).sort());
    expect(words.references).toContain(plan.settings.references);
    expect(words.arbitration).toContain(plan.settings.arbitration);
    expect(words.fencing).toContain(plan.settings.fencing);
    for (const { kind } of plan.faults) expect(kindOf(kind)).toBeDefined();
  }
});

it('a plan that was written down tells what its seed tells', () => {
  for (const seed of [3, 17, 4711])
    expect(runPlan(JSON.parse(JSON.stringify(planOf(seed))), true)).toEqual(runScenario(seed, true));
});
