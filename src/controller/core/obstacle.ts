/** What stands in the way of a switch, in words: what is seen of a server, a reason, an advice with its command. Pure. */
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
