/**
 * Pauses of this process: a host that was suspended or frozen, a controller that was stopped. Meanwhile others may have gone on
 * without it, so that what it was told before does not count until it is told again. In: a state. Out: the state. Pure.
 */
import { giveUpTimeMs } from '../config.ts';
import type { Clocks } from './event.ts';
import type { Peer, State } from './state.ts';
import type { ServerId, ServerView } from './view.ts';

export const clocksOf = ({ now, wall, sinceBoot }: State): Clocks => ({ at: now, wall, sinceBoot });

/** A primary waits longer than this before it goes on alone, from the last heartbeat that was sent to it. */
const longestMs = ({ conf }: State): number =>
  Math.max(giveUpTimeMs(conf) - conf.heartbeatTimeoutMs, 1.5 * conf.heartbeatIntervalMs);

/**
 * Ticks are late by more than an interval only when this process or its host has stood still; of a suspended host the
 * monotonic clock tells nothing, but the one since its boot does, or the wall clock once it was set right. Then the silence of
 * the others counts from now on. A clock that was set forth looks the same: that costs one heartbeat.
 */
export function awake(state: State): State {
  const { tick, now, wall, sinceBoot, takeover } = state;
  const late = Math.max(now - tick.at, wall - tick.wall, sinceBoot - tick.sinceBoot);
  if (late <= Math.min(2 * state.conf.heartbeatIntervalMs, longestMs(state))) return state;
  const slept = ({ asleepMs, ...peer }: Peer): Peer => ({
    ...peer,
    asleepMs: asleepMs + late,
    asleepSeq: state.seq,
  });
  const peers = Object.fromEntries(Object.entries(state.peers).map(([id, peer]) => [id, slept(peer)]));
  const paused: State = { ...state, tick: clocksOf(state), graceFrom: now, peers };
  const outdated = Object.keys(peers).some((id) => isDoubtful(paused, id));
  const confirmed = state.confirmed && !(state.sync !== null && isDoubtful(paused, state.sync.primary));
  // What began before a long pause may be out of date: the primary is looked for again first.
  if (!outdated || !takeover || takeover.stage === 'promote') return { ...paused, confirmed };
  return { ...paused, confirmed, takeover: { ...takeover, stage: 'ask', lsn: null } };
}

/** During the pauses since its last word the peer may have gone on without this server. Short ones add up. */
export function isDoubtful(state: State, id: ServerId): boolean {
  const peer = state.peers[id];
  return peer !== undefined && peer.asleepMs > longestMs(state);
}

/** The peer told this after it had heard something that was sent behind the last pause. An earlier version does not say. */
export function isYounger(state: State, { asleepMs, asleepSeq }: Peer, { echoes }: ServerView): boolean {
  if (asleepMs === 0 || echoes === undefined) return true;
  const echo = echoes[state.self.id];
  return echo !== undefined && echo.incarnation === state.incarnation && echo.seq >= asleepSeq;
}
