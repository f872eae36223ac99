/**
 * Which seeds a run of the tests simulates: a few that are always the same, and more that follow the commit, from all that there
 * are, so that nobody tries the same ones for ever. In: a commit. Out: two ranges. Pure.
 */

export interface Seeds {
  readonly from: number;
  readonly count: number;
}

export const fixed: Seeds = { from: 1, count: 250 };
const perCommit = 750;

/** A scenario sees 32 bits of its seed. */
const allSeeds = 2 ** 32;

/** In: the hexadecimal name of a commit. */
export function ofCommit(commit: string): Seeds {
  const first = fixed.from + fixed.count;
  const starts = allSeeds - perCommit - first + 1;
  return { from: first + (Number.parseInt(commit.slice(0, 8), 16) % starts), count: perCommit };
}

export const named = ({ from, count }: Seeds): string => `seeds ${from} to ${from + count - 1}`;
