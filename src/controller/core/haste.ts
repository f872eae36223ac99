/**
 * When a silence is long enough to act upon, and shortly behind that, a tick and a look at the instance are wanted at once: the
 * receiver of a cut stream ends at about that time, and the register has just been asked. In: a state. Out: a moment. Pure.
 */
import { giveUpTimeMs } from '../config.ts';
import type { State } from './state.ts';

const againMs = 100;
/** Whoever has not answered by then is waited for with the usual ticks. */
const forMs = 2000;

/** The next moment at which a tick is wanted, whatever the usual ones are; null when they are enough. */
export function tickWantedAt(state: State): number | null {
  const { now, tick } = state;
  const wanted = pressing(state).flatMap((from) => {
    if (now < from) return [from];
    return now < from + forMs ? [tick.at + againMs] : [];
  });
  return wanted.length > 0 ? Math.min(...wanted) : null;
}

/** From when on news are wanted. */
function pressing(state: State): number[] {
  const limit = giveUpTimeMs(state.conf);
  const { vote, voteAfter } = state;
  const asked = vote?.stage === 'asking' ? [voteAfter - limit] : [];
  return [...asked, ...lastSigns(state).map((at) => at + limit + 1)];
}

/** When each peer was heard, and when each voter streamed, as far as this process was awake. */
function lastSigns({ peers, rowAt, sync, own, graceFrom }: State): number[] {
  const heard = Object.values(peers).flatMap(({ view, heardAt }) => (view === null ? [] : [heardAt]));
  const voters = own.role === 'primary' ? (sync?.voters ?? []) : [];
  const streamed = voters.flatMap((id) => rowAt[id] ?? []);
  return [...heard, ...streamed].map((at) => Math.max(at, graceFrom));
}
