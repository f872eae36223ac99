/**
 * `pgduet teardown` that is killed behind every one of its steps, with hosts that lose their power meanwhile.
 */
import { afterAll, beforeAll, expect } from 'vitest';
import { describeLab, labTest } from '../harness/describe.ts';
import type { Host } from '../harness/lab.ts';
import type { Trouble } from '../trouble/trouble.ts';
import {
  expectDone,
  expectOneServer,
  killedAtEveryStep,
  killedMs,
  openPair,
  pullPlug,
} from './killed-teardown.ts';

describeLab('teardown, killed', () => {
  let pair: Trouble;
  let a: Host;
  let b: Host;
  beforeAll(async () => {
    pair = await openPair();
    ({ a, b } = pair);
  });
  afterAll(() => pair?.lab.close());

  labTest(
    'killed behind every step, with power cuts of both hosts',
    async () => {
      const rounds = await killedAtEveryStep(pair, [], async (round) => {
        if (round % 3 === 1) await pullPlug(a);
        if (round % 3 === 2) await pullPlug(b);
        await expectOneServer(a, round % 3 === 1);
      });
      expect(rounds).toBeGreaterThan(8);
      await expectDone(pair, a, b);
    },
    killedMs,
  );
});
