/** Many scenarios of the simulation; a failure names its seed, and `npm run sim -- --seed N --runs 1 --trace` replays it. */
import { describe, expect, it } from 'vitest';
import { runScenario } from './scenario.ts';

const batches = 20;
const batchSize = 1000;

describe('the controllers in a simulated world', () => {
  for (let batch = 0; batch < batches; batch += 1) {
    it(`seeds ${batch * batchSize + 1} to ${(batch + 1) * batchSize}`, { timeout: 120_000 }, () => {
      for (let seed = batch * batchSize + 1; seed <= (batch + 1) * batchSize; seed += 1) {
        const { violations, policy, servers, faults } = runScenario(seed);
        expect({ seed, policy, servers, faults, violations }).toMatchObject({ violations: [] });
      }
    });
  }

  it('the same seed tells the same story', () => {
    for (const seed of [3, 17, 4711]) expect(runScenario(seed, true)).toEqual(runScenario(seed, true));
  });
});
