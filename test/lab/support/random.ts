/**
 * How much of what is random a run of the tests tries, and at which seeds. In: the environment. Out: counts and numbers.
 * PGDUET_INTERRUPTIONS says how often each verb is broken off, PGDUET_SEED moves all seeds; the night sets both.
 */

/** Rounds of each test that breaks a verb off. */
export const interruptions = Number(process.env.PGDUET_INTERRUPTIONS ?? 2);

/** How many of so many runs have to be really broken off: the last moment of a run may come too late. */
export const nearlyAll = (runs: number): number => Math.floor(runs * 0.85);

/** The seed of this run for one that a test names. */
export const seedOf = (named: number): number => named + Number(process.env.PGDUET_SEED ?? 0);

/** Numbers between 0 and 1 that are the same for the same seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}
