/**
 * Pauses of this process: a host that was suspended or frozen, a controller that was stopped, and as good as that, a cut. Meanwhile others may have gone on
 * without it, so that what it was told before does not count until it is told again. In: a state. Out: the state. Pure.
 */
import type { Clocks } from './event.ts';
import { leastWaitMs } from './granted.ts';
import type { Peer, State } from './state.ts';
import type { ServerId, ServerView } from './view.ts';

export const clocksOf = ({ now, wall, sinceBoot }: State): Clocks => ({ at: now, wall, sinceBoot });

/**
 * Ticks are late by more than an interval only when this process or its host has stood still; of a suspended host the
 * monotonic clock tells nothing, but the one since its boot does, or the wall clock once it was set right. Then the silence of
 * the others counts from now on. A clock that was set forth looks the same, and one that was set back may hide a pause that nothing else
 * shows. As long as the others are heard that costs one heartbeat; whoever is silent meanwhile has to be heard again first.
 */
export function awake(state: State): State {
  const { tick, now, wall, sinceBoot } = state;
  const [byTick, byWall] = [now - tick.at, wall - tick.wall];
  const late = Math.max(byTick, byWall, byTick - byWall, sinceBoot - tick.sinceBoot);
  if (late <= Math.min(2 * state.conf.heartbeatIntervalMs, leastWaitMs(state))) return state;
  const paused: State = { ...state, tick: clocksOf(state), graceFrom: now };
  return without(paused, Object.keys(state.peers), late);
}

/** As after a long pause: these may have gone on without this server, which was cut off. */
export const doubt = (state: State, ids: readonly ServerId[]): State =>
  without(state, ids, leastWaitMs(state) + 1);

/** For so long this server has heard nothing of these, and they nothing of it. */
function without(before: State, ids: readonly ServerId[], forMs: number): State {
  const deaf = ([id, peer]: [ServerId, Peer]): [ServerId, Peer] =>
    ids.includes(id) ? [id, { ...peer, asleepMs: peer.asleepMs + forMs, asleepSeq: before.seq }] : [id, peer];
  const peers = Object.fromEntries(Object.entries(before.peers).map(deaf));
  const state: State = { ...before, peers };
  const outdated = ids.some((id) => isDoubtful(state, id));
  const confirmed = state.confirmed && !(state.sync !== null && isDoubtful(state, state.sync.primary));
  const { takeover } = state;
  // What began before a long pause may be out of date: the primary is looked for again first.
  if (!outdated || !takeover || takeover.stage === 'promote') return { ...state, confirmed };
  return { ...state, confirmed, takeover: { ...takeover, stage: 'ask', lsn: null } };
}

/** During the pauses since its last word the peer may have gone on without this server. Short ones add up. */
export function isDoubtful(state: State, id: ServerId): boolean {
  const peer = state.peers[id];
  return peer !== undefined && peer.asleepMs > leastWaitMs(state);
}

/** The peer told this after it had heard something that was sent behind the last pause. An earlier version does not say. */
export function isYounger(state: State, { asleepMs, asleepSeq }: Peer, { echoes }: ServerView): boolean {
  if (asleepMs === 0 || echoes === undefined) return true;
  const echo = echoes[state.self.id];
  return echo !== undefined && echo.incarnation === state.incarnation && echo.seq >= asleepSeq;
}
