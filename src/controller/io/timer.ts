/** Timers of Node hold at most 2^31-1 ms and fire at once beyond it; the configuration allows longer times. Pure. */

const longestMs = 2_147_483_647;

/** A time that a timer can hold. 24 days instead of longer is the same to whoever waits. */
export const timerMs = (ms: number): number => Math.min(ms, longestMs);
