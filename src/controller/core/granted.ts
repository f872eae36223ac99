/**
 * How long the others may count on this server to wait for them. Whoever stands still for less than any of them waits need not fear
 * that somebody has gone on without it (`pause.ts`). So each tells how long it waits, and a time that has become shorter counts
 * towards a peer only once that has heard of it. In: a state. Out: times, the state. Pure.
 */
import { giveUpTimeMs, type ServerConf } from '../config.ts';
import type { Peer, State } from './state.ts';

/** A server with these times waits longer than this before it goes on without another one, from the last heartbeat that was sent to it. */
export const waitMs = (conf: ServerConf): number =>
  Math.max(giveUpTimeMs(conf) - conf.heartbeatTimeoutMs, 1.5 * conf.heartbeatIntervalMs);

/** The least of what the servers wait; one of an earlier version does not tell it. */
export const leastWaitMs = ({ conf, peers }: State): number =>
  Object.values(peers).reduce((least, { view }) => Math.min(least, view?.waitsMs ?? least), waitMs(conf));

/** After so long a silence this server gives the peer up. */
export const givesUpAfterMs = (state: State, peer: Peer): number =>
  knowsTimes(state, peer)
    ? giveUpTimeMs(state.conf)
    : Math.max(giveUpTimeMs(state.conf), state.grantedMs ?? 0);

/** It heeds what others wait, and has heard how long this server does now. */
function knowsTimes(state: State, { view }: Peer): boolean {
  const echo = view?.echoes?.[state.self.id];
  return (
    view?.waitsMs !== undefined &&
    echo !== undefined &&
    echo.incarnation === state.incarnation &&
    echo.seq >= state.timesSeq
  );
}

/** Other times after a start or a reload; `before` is what was granted until now. */
export const grant = (state: State, before = 0): State => ({
  ...state,
  grantedMs: Math.max(before, giveUpTimeMs(state.conf)),
  timesSeq: state.seq,
});

/** Once every peer has heard of it nobody counts on the longer time any more. */
export function endGrant(state: State): State {
  const giveUpMs = giveUpTimeMs(state.conf);
  if (state.grantedMs === giveUpMs || !Object.values(state.peers).every((peer) => knowsTimes(state, peer)))
    return state;
  return { ...state, grantedMs: giveUpMs };
}
