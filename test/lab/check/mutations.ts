/**
 * What persons and accidents do to a pair: each is reported by `pgduet check` with the right code and severity, and mended by
 * `pgduet provision`, or by doing what the message says. With none of them check says nothing. In: a part of the table in
 * mutations/. Out: tests on a pair of their own; each part has a file, so that the parts run side by side.
 */
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { describeLab, labTest } from '../harness/describe.ts';
import { type LabCluster, provisionedPair } from '../support/cluster.ts';
import { findingsOf, type Reported } from '../support/pgduet.ts';
import type { Round } from './mutations/mutation.ts';
import { type Part, parts } from './mutations/rounds.ts';
import { richPair } from './pair.ts';
import { act, expectNothing, expectReported, mend, restore, unexpected } from './round.ts';

export const describeMutations = (part: Part): void =>
  describeLab(`a pair that somebody changes by hand: ${part}`, () => {
    let pair: LabCluster;
    beforeAll(async () => {
      pair = await provisionedPair(richPair);
    });
    afterAll(() => pair?.close());

    labTest('nothing is told of a pair that nobody has changed', () => expectNothing(pair));

    for (const round of parts[part]) describe(round.title, () => testsOf(round, () => pair));
  });

function testsOf(round: Round, pair: () => LabCluster): void {
  let told: readonly Reported[];
  let whole = false;
  beforeAll(async () => {
    await act(pair(), round, (mutation) => mutation.break);
    told = findingsOf(await pair().check());
  });

  for (const mutation of round.mutations)
    labTest(`somebody ${mutation.title}`, async () => expectReported(pair(), mutation, told));

  labTest('nothing else is told', async () => expect(unexpected(pair(), round, told)).toEqual([]));

  labTest('it is mended, and nothing is told any more', async () => {
    await mend(pair(), round);
    await expectNothing(pair());
    await act(pair(), round, ({ sweep }) => sweep);
    whole = true;
  });

  // So that one that failed does not spoil those after it.
  afterAll(async () => {
    if (!whole) await restore(pair(), round);
  });
}
