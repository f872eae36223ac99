/** Which seeds a commit leads to. */
import { expect, it } from 'vitest';
import { fixed, named, ofCommit } from './seeds.ts';

const commitOf = (start: number): string => start.toString(16).padStart(8, '0').padEnd(40, 'a');

it('those of a commit are behind the fixed ones, up to the last that there is', () => {
  const starts = 2 ** 32 - fixed.count - 750;
  expect(named(fixed)).toBe('seeds 1 to 250');
  expect(named(ofCommit(commitOf(0)))).toBe('seeds 251 to 1000');
  expect(named(ofCommit(commitOf(starts - 1)))).toBe('seeds 4294966546 to 4294967295');
  expect(named(ofCommit(commitOf(starts)))).toBe('seeds 251 to 1000');
});

it('the same commit leads to the same seeds, another one to others', () => {
  const commit = '1fbc8ed4a9b04e0f1fbc8ed4a9b04e0f1fbc8ed4';
  expect(ofCommit(commit)).toEqual(ofCommit(commit));
  expect(ofCommit(commit)).not.toEqual(ofCommit(`2${commit.slice(1)}`));
});
