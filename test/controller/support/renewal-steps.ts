/** The steps of a renewal of the secrets (ADR 16), and where two servers may stand at the same time. Data. */

export type Step = 0 | 1 | 2 | 3;

/** A step begins when all have done the one before. */
export const possible: readonly (readonly [Step, Step])[] = [
  [0, 0],
  [0, 1],
  [1, 0],
  [1, 1],
  [1, 2],
  [2, 1],
  [2, 2],
  [2, 3],
  [3, 2],
  [3, 3],
];
