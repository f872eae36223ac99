/** Timers of Node hold at most 2^31-1 ms and fire at once beyond it; the configuration allows longer times. Pure. */

const longestMs = 2_147_483_647;

/** A time that a timer can hold. 24 days instead of longer is the same to whoever waits. */
export const timerMs = (ms: number): number => Math.min(ms, longestMs);

export class TimedOut extends Error {}

/** The outcome of the work, or TimedOut when it takes longer; the work itself goes on then, and nobody waits for it. */
export async function withTimeout<T>(work: Promise<T>, ms: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new TimedOut(`no answer within ${ms / 1000} s`)), timerMs(ms));
  });
  // When the time is up first, the loser's failure has no other listener.
  work.catch((error: unknown) => error);
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
