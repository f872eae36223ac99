/** Which seeds a commit leads to. */
import { expect, it } from 'vitest';
import { fixed, lastKnownGood, named, ofCommit } from './seeds.ts';

it('those of a commit are behind the fixed ones and within what is known to be good', () => {
  const first = fixed.from + fixed.count;
  const starts = lastKnownGood - first - 1998;
  const commitOf = (start: number): string => start.toString(16).padStart(8, '0').padEnd(40, 'a');
  expect(named(ofCommit(commitOf(0)))).toBe('seeds 2001 to 4000');
  expect(named(ofCommit(commitOf(starts - 1)))).toBe('seeds 18001 to 20000');
  expect(named(ofCommit(commitOf(starts)))).toBe('seeds 2001 to 4000');
});

it('the same commit leads to the same seeds, another one to others', () => {
  const commit = '1fbc8ed4a9b04e0f1fbc8ed4a9b04e0f1fbc8ed4';
  expect(ofCommit(commit)).toEqual(ofCommit(commit));
  expect(ofCommit(commit)).not.toEqual(ofCommit(`2${commit.slice(1)}`));
});
