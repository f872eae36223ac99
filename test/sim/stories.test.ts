/**
 * Scenarios that have failed once, each with its story in a sentence and its plan: seeds come to mean other plans when the world
 * grows, plans do not. `npm run sim -- --replay test/sim/stories.jsonl --seed SEED` tells one in full.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Plan, planOf } from './plan.ts';
import { runPlan, runScenario } from './scenario.ts';

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

it('a plan that was written down tells what its seed tells', () => {
  for (const seed of [3, 17, 4711])
    expect(runPlan(JSON.parse(JSON.stringify(planOf(seed))), true)).toEqual(runScenario(seed, true));
});
