/** The rows of `mc_ctl status`: each server as far as it can be believed at this moment. In: a state. Out: plain data. Pure. */
import type { ReplicationDuty, TakeoverDuty } from '../config.ts';
import { isApart } from './advice.ts';
import { isMaintained } from './maintenance.ts';
import type { Observation } from './obstacle.ts';
import { ownView } from './own-view.ts';
import { longestSilences, watchedSeconds } from './rhythm.ts';
import { rowOf } from './rows.ts';
import type { State } from './state.ts';

/** One server of the status, in the form of `--json`. The names never change their meaning. */
export interface StatusRow {
  readonly server_id: string;
  readonly host_role: string;
  readonly host: string;
  readonly port: number;
  readonly host_status: string;
  readonly db_proc_status: string;
  readonly disk_status: string;
  readonly instance: string;
  readonly since: string;
  readonly timeline: number | null;
  readonly lsn: string | null;
  readonly sync_state: string | null;
  /** Its word is in the promise of the primary: commits wait for it, also while it is not heard. Missing from a controller that does not know it yet. */
  readonly waited_for?: boolean;
  readonly lag_bytes: number | null;
  readonly last_heard: string | null;
  readonly instance_version: string | null;
  readonly controller_version: string | null;
  /** It runs, but a person has taken it out with mc_ctl detach, as its primary tells. */
  readonly detached: boolean;
  /** It holds WAL that its primary does not have and cannot follow it, as that tells. Missing from a controller that does not know it yet. */
  readonly parted?: boolean;
  /** Reference addresses that do not answer it. */
  readonly quiet_references: readonly string[];
  /** Of a server that becomes primary: WAL that it has to replay before. */
  readonly replay_left_bytes: number | null;
  /** 0 while it is not known, or nothing moves. */
  readonly replay_bytes_per_second: number | null;
  /** What it may do, as it was last told; null while that is not known. */
  readonly takeover: TakeoverDuty | null;
  readonly takeover_priority: number | null;
  readonly replication: ReplicationDuty | null;
  /** Of another server: the three longest silences between two words of it, in this hour of the controller and the one before. */
  readonly longest_silences_ms?: readonly number[];
  /** For how long they were watched; 0 of the own server. Both are missing from a controller that does not know them yet. */
  readonly silences_watched_s?: number;
}

export function observations(state: State): Observation[] {
  return state.servers.map(({ id, host, port }) => {
    if (id === state.self.id) {
      const view = ownView(state);
      return { id, host, port, fresh: true, reach: 'self', view, sinceWall: state.own.phaseSinceWall };
    }
    const peer = state.peers[id];
    const { reach = 'unknown', view = null, sinceWall = state.wall } = peer ?? {};
    return { id, host, port, fresh: reach === 'up', reach, view, sinceWall };
  });
}

export const serves = (server: Observation): boolean =>
  server.fresh && (server.view?.phase === 'running' || server.view?.phase === 'silent');

export const time = (wall: number): string => new Date(wall).toISOString();

export function statusRow(state: State, servers: readonly Observation[], server: Observation): StatusRow {
  const { view } = server;
  const primary = servers.find((it) => serves(it) && it.view?.role === 'primary');
  const sender = primary?.view?.report ? rowOf(primary.view.report, server.id) : undefined;
  const peer = state.peers[server.id];
  const heardWall = server.reach === 'self' ? state.wall : (peer?.heardWall ?? null);
  const replay = server.fresh ? view?.replay : null;
  return {
    server_id: server.id,
    host_role: hostRole(server),
    host: server.host,
    port: server.port,
    // A host that refuses the connection is up; only its controller is not.
    host_status: server.reach === 'lost' || server.reach === 'unknown' ? 'abnormal' : 'normal',
    db_proc_status: procStatus(state, servers, server),
    disk_status: diskStatus(server),
    instance: server.fresh ? (view?.phase ?? 'unknown') : 'unknown',
    since: time(server.sinceWall),
    timeline: view?.report?.timeline ?? null,
    lsn: view?.report?.lsn ?? null,
    sync_state: sender?.syncState ?? null,
    waited_for: primary?.view?.sync?.voters.includes(server.id) ?? false,
    lag_bytes: sender?.lagBytes ?? null,
    last_heard: heardWall === null ? null : time(heardWall),
    instance_version: view?.report?.version ?? null,
    controller_version: view?.controllerVersion ?? null,
    detached: isDetached(primary, server),
    parted: primary !== undefined && isApart(primary, server.id),
    quiet_references: server.fresh ? (view?.quietReferences ?? []) : [],
    replay_left_bytes: replay?.leftBytes ?? null,
    replay_bytes_per_second: replay?.bytesPerSecond ?? null,
    takeover: view?.duty?.takeover ?? null,
    takeover_priority: view?.duty?.priority ?? null,
    replication: view?.duty?.replication ?? null,
    longest_silences_ms: peer ? longestSilences(peer.rhythm).map(Math.round) : [],
    silences_watched_s: peer ? watchedSeconds(peer.rhythm, state.now) : 0,
  };
}

/** Once it has stopped nothing keeps it out any more: its start takes it in again. */
const isDetached = (primary: Observation | undefined, { id, fresh, view }: Observation): boolean =>
  fresh && view?.phase === 'running' && primary?.view?.detached?.includes(id) === true;

function hostRole(server: Observation): string {
  if (!server.view?.role) return 'unknown';
  return serves(server) ? server.view.role : `none(inactivated ${server.view.role})`;
}

/** What is out for maintenance is no fault, of itself or of its primary. */
function procStatus(state: State, servers: readonly Observation[], server: Observation): string {
  if (!server.fresh || !server.view || server.view.phase === 'unknown') return 'unknown';
  const isOut = isMaintained(state, server.id);
  if (server.view.phase !== 'running') return isOut ? 'maintenance' : 'abnormal(postmaster)';
  const { report, role } = server.view;
  if (!report) return 'normal';
  if (role === 'standby' && report.receiver !== 'streaming')
    return isOut ? 'maintenance' : 'abnormal(wal_receiver)';
  if (role === 'standby') return 'normal';
  const expected = servers.map((it) => it.id).filter((id) => id !== server.id && !isMaintained(state, id));
  return expected.every((id) => rowOf(report, id)?.state === 'streaming') ? 'normal' : 'abnormal(wal_sender)';
}

function diskStatus(server: Observation): string {
  if (!server.fresh || !server.view) return 'unknown';
  const { failedDisks, fullDisks = [] } = server.view;
  if (failedDisks.length > 0) return `abnormal(${failedDisks.join(',')})`;
  return fullDisks.length > 0 ? `full(${fullDisks.join(',')})` : 'normal';
}
