/** What stands in the way of a switch, in words: what is seen of a server, a reason, an advice with its command. Pure. */
import { isUndecidable } from './references.ts';
import { isHeard } from './servers.ts';
import type { Peer, State } from './state.ts';
import type { ServerId, ServerView } from './view.ts';

/** A server as far as it can be believed at this moment. */
export interface Observation {
  readonly id: ServerId;
  readonly host: string;
  readonly port: number;
  readonly fresh: boolean;
  readonly reach: Peer['reach'] | 'self';
  readonly view: ServerView | null;
  readonly sinceWall: number;
}

export interface Obstacle {
  readonly reason: string;
  readonly advice: string;
}

export const because = (reason: string, advice: string): Obstacle => ({ reason, advice });

/** "on server2: mc_ctl start -M /mcdir/inst1", with --local-server where two servers share a host. */
export function ctl(state: State, id: ServerId, mode: string): string {
  const line = state.servers.find((it) => it.id === id);
  const shared = state.servers.some((it) => it.id !== id && it.host === line?.host);
  return `on ${id}: mc_ctl ${mode} -M ${state.dir}${shared ? ` --local-server ${id}` : ''}`;
}

/** Why the controller leaves a silent server alone. */
export const policy = (state: State): string =>
  state.failover.enabled
    ? state.conf.heartbeatErrorAction === 'message'
      ? ' (heartbeat_error_action = message leaves it to a person)'
      : isUndecidable(state)
        ? ' (no reference address has answered, so nobody acts on it)'
        : ''
    : ' (automatic switch and disconnection are off)';

/** What comes over a replication connection comes from an instance that runs: whoever were made primary now would be so beside it. */
export function fedBySilent(
  state: State,
  { id, view }: Observation,
  names: string,
): { status: 'unknown' } & Obstacle {
  const promised = view?.sync?.primary ?? '';
  const known = promised in state.peers && !isHeard(state.peers[promised]);
  const feeder = known ? promised : names;
  const reason = `the controller of ${feeder} is not heard, but ${id} receives WAL from there: its instance runs${policy(state)}`;
  const how = feeder.includes(',')
    ? ''
    : `; where its controller does not run: ${ctl(state, feeder, 'start')}`;
  const advice = `make nobody else primary; check the host and admin network of ${feeder}${how}`;
  return { status: 'unknown', reason, advice };
}

/** It counts for nothing that has to be remembered. Whoever ended its controller would lose what that alone knows. */
export const forgetful = (state: State, id: ServerId, why: string): Obstacle =>
  because(
    `${id} can write down nothing that it decides (${why})`,
    `look at ${state.dir} on ${id}: make room, or have its disk repaired; do not end the controller of ${id}`,
  );
