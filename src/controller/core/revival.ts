/**
 * How often the instance of a primary is started again by itself, and when. In: a state. Out: the state with one more
 * attempt counted. Pure.
 */
import type { State } from './state.ts';

export const revivalAttempts = 4;
/** Before the first attempt nobody waits; a crash that comes back at once needs more time, or a person. */
const pausesMs = [0, 3000, 15_000, 60_000];
/** An instance that ran so long has recovered; the next crash begins a new series. */
export const calmAfterMs = 600_000;

/** One more attempt begins now. */
export function revived(state: State): State {
  const attempts = (state.revival?.attempts ?? 0) + 1;
  const nextAt = state.now + (pausesMs[attempts] ?? 0);
  return { ...state, revival: { attempts, nextAt, over: false } };
}
