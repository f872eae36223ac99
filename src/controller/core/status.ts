/**
 * What `mc_ctl status` shows: the judgement of the pair, with its reason, and the rows of the table.
 * In: a state. Out: plain data and text. A server that is not heard is never called normal. Pure.
 */
import { type Mirroring, ownView, type Peer, type State } from './state.ts';
import type { ServerId, ServerView } from './view.ts';

/** A server as far as it can be believed at this moment. */
interface Seen {
  readonly id: ServerId;
  readonly host: string;
  readonly port: number;
  readonly fresh: boolean;
  readonly reach: Peer['reach'] | 'self';
  readonly view: ServerView | null;
  readonly sinceWall: number;
}

interface Obstacle {
  readonly reason: string;
  readonly advice: string;
}

function seenServers(state: State): Seen[] {
  return state.servers.map(({ id, host, port }) => {
    const at = { id, host, port };
    if (id === state.self.id) {
      const view = ownView(state);
      return { ...at, fresh: true, reach: 'self', view, sinceWall: state.own.phaseSinceWall };
    }
    const peer = state.peers[id];
    const { reach = 'unknown', view = null, sinceWall = state.wall } = peer ?? {};
    return { ...at, fresh: reach === 'up', reach, view, sinceWall };
  });
}

const serves = (seen: Seen): boolean =>
  seen.fresh && (seen.view?.phase === 'running' || seen.view?.phase === 'silent');

const isPrimary = ({ role, phase }: Pick<ServerView, 'phase' | 'role'>): boolean =>
  role === 'primary' && (phase === 'running' || phase === 'silent');

/**
 * A former primary that still counts a newer one as a voter acknowledges nothing without it, and stops as soon as it
 * hears of it: one that was frozen or cut off, at the moment when it is back.
 */
const isSuperseded = (view: ServerView, others: readonly ServerView[]): boolean =>
  others.some(
    (other) =>
      isPrimary(other) && other.lastTimeline > view.lastTimeline && view.sync?.voters.includes(other.id),
  );

/** Servers that accept writes now, as far as they can be heard. */
export function livePrimaries(state: State): ServerId[] {
  const views = seenServers(state).flatMap(({ fresh, view }) => (fresh && view ? [view] : []));
  const gives = (view: ServerView): boolean =>
    view.id === state.self.id ? state.giving !== null : view.handover !== null;
  const live = views.filter((view) => isPrimary(view) && !gives(view));
  return live.filter((view) => !isSuperseded(view, live)).map(({ id }) => id);
}

const verdict = (status: Mirroring['status'], reason: string, advice: string): Mirroring => ({
  status,
  reason,
  advice,
});

/** The mirroring status, why it is so, and what to do about it. */
export function assess(state: State): Mirroring {
  const servers = seenServers(state);
  const switching = underWay(servers);
  if (switching) return verdict('switching', switching, 'wait until it is done');
  const live = servers.flatMap(({ fresh, view }) => (fresh && view ? [view] : []));
  const [primary, second] = servers.filter(
    ({ fresh, view }) => fresh && view !== null && isPrimary(view) && !isSuperseded(view, live),
  );
  if (!primary) return withoutPrimary(servers);
  if (second) {
    const reason = `${primary.id} and ${second.id} are both primary`;
    const advice = 'stop the clients, then the wrong one with mc_ctl stop, and rebuild it';
    return verdict('not-switchable', reason, advice);
  }
  if (primary.view?.phase === 'silent') {
    const reason = `the instance of ${primary.id}, the primary, does not answer`;
    return verdict('not-switchable', reason, `look at the load and the disks of ${primary.id}`);
  }
  const standbys = servers.filter((seen) => seen.id !== primary.id);
  if (standbys.length === 0)
    return verdict('not-switchable', 'there is no other server', 'add one to network.conf');
  const obstacles = standbys.map((seen) => detached(state, seen) ?? obstacle(primary, seen));
  if (obstacles.some((it) => it === null)) {
    return state.failover.enabled
      ? verdict('switchable', '', '')
      : verdict('failover-disabled', 'automatic switch is off', 'mc_ctl enable-failover');
  }
  const found = obstacles.filter((it) => it !== null);
  const status = state.degraded === 'switched' ? 'switched' : 'not-switchable';
  const advice = [...new Set(found.map((it) => it.advice))].join('; ');
  return verdict(status, found.map((it) => it.reason).join('; '), advice);
}

/** A switch that any of the servers is in the middle of. */
function underWay(servers: readonly Seen[]): string | null {
  const taker = servers.find((seen) => seen.fresh && seen.view?.takeover);
  if (taker) return `${taker.id} is taking over`;
  const giver = servers.find((seen) => seen.fresh && seen.view?.handover);
  return giver ? `${giver.id} hands over to ${giver.view?.handover?.to}` : null;
}

function withoutPrimary(servers: readonly Seen[]): Mirroring {
  const [last] = servers
    .filter((seen) => seen.fresh && seen.view?.role === 'primary')
    .sort((a, b) => (b.view?.lastTimeline ?? 0) - (a.view?.lastTimeline ?? 0));
  const phase = last?.view?.phase;
  if (last && phase === 'waiting') {
    const reason = `${last.id}, the last primary, asks the others before it starts`;
    const advice = `wait a moment; if it lasts, start the others, and read the messages of ${last.id}`;
    return verdict('unknown', reason, advice);
  }
  if (last && (phase === 'starting' || phase === 'unknown')) {
    const word = phase === 'unknown' ? 'being looked at' : 'starting';
    return verdict('unknown', `the instance of ${last.id}, the primary, is ${word}`, 'wait a moment');
  }
  if (last) {
    const reason = `no primary is running; the last one was ${last.id}`;
    return verdict('not-switchable', reason, `read the server log of ${last.id}, then mc_ctl start there`);
  }
  const unheard = servers.filter((seen) => !seen.fresh);
  if (unheard.length > 0) {
    const names = unheard.map((seen) => seen.id).join(', ');
    return verdict('unknown', `no primary is seen, and ${names} cannot be asked`, `check ${names}`);
  }
  return verdict('not-switchable', 'no server is primary', 'find the last primary by message MCA00062');
}

/** A person took it out; only the primary knows, and takes it in again once its instance has been started anew. */
const isDetached = (state: State, { id, fresh, view }: Seen): boolean =>
  fresh && view?.report?.startedAtWall !== undefined && state.parked[id] === view.report.startedAtWall;

function detached(state: State, seen: Seen): Obstacle | null {
  const { id } = seen;
  if (!isDetached(state, seen)) return null;
  const advice = `restart the instance of ${id} (mc_ctl stop and mc_ctl start there) to take it in again`;
  return { reason: `${id} was taken out by mc_ctl detach`, advice };
}

/** What keeps a server from taking over now; null when nothing does. */
function obstacle(primary: Seen, seen: Seen): Obstacle | null {
  const { id, view } = seen;
  const because = (reason: string, advice: string): Obstacle => ({ reason, advice });
  if (seen.reach === 'refused') return because(`no controller runs on ${id}`, `mc_ctl start on ${id}`);
  if (seen.reach === 'lost')
    return because(`${id} is not heard`, `check the host and admin network of ${id}`);
  if (!view || seen.reach === 'unknown')
    return because(`${id} has not been heard yet`, `mc_ctl start on ${id}`);
  const ours = primary.view?.report?.systemId;
  if (view.report && ours && view.report.systemId !== ours) {
    return because(`${id} belongs to another cluster`, `rebuild ${id} from ${primary.id}`);
  }
  if (view.role !== 'standby')
    return because(`${id} is no standby of ${primary.id}`, `rebuild ${id} as standby`);
  if (view.phase !== 'running') {
    const advice =
      view.phase === 'starting' ? 'wait a moment' : `read the server log of ${id}, then mc_ctl start`;
    return because(`the instance of ${id} is ${phaseWord[view.phase]}`, advice);
  }
  if (view.failedDisks.length > 0) {
    return because(`a disk of ${id} has failed (${view.failedDisks.join(', ')})`, `repair the disk of ${id}`);
  }
  return streamObstacle(primary, seen);
}

function streamObstacle(primary: Seen, { id, view }: Seen): Obstacle | null {
  if (!view?.report || !primary.view?.report) {
    const unseen = view?.report ? primary.id : id;
    return { reason: `${unseen} is being looked at`, advice: 'wait a moment' };
  }
  const row = primary.view.report.senders.find((sender) => sender.name === id);
  if (view.report.receiver !== 'streaming' || !row) {
    const advice = `read the server log of ${id} (primary_conninfo, pg_hba.conf, missing WAL)`;
    return { reason: `${id} does not receive WAL from ${primary.id}`, advice };
  }
  if (row.state !== 'streaming')
    return { reason: `${id} is catching up (${row.state})`, advice: 'wait until it has' };
  if (row.syncState === 'sync' || row.syncState === 'quorum') {
    const { sync } = primary.view;
    return sync?.primary !== primary.id || sync.eligible.includes(id)
      ? null
      : { reason: `${id} is being attached`, advice: 'wait a moment' };
  }
  const { sync } = primary.view;
  if (sync?.primary === primary.id && !sync.voters.includes(id)) {
    const advice = `wait a moment; after mc_ctl detach, restart the instance of ${id}`;
    return { reason: `${id} streams, but commits do not wait for it`, advice };
  }
  const names = primary.view.report.synchronousStandbyNames;
  const advice = `set synchronous_standby_names of ${primary.id} (now '${names}') to name ${id}`;
  return { reason: `${id} streams, but not synchronously (${row.syncState})`, advice };
}

const phaseWord: Readonly<Record<ServerView['phase'], string>> = {
  unknown: 'being looked at',
  held: 'held back',
  waiting: 'waiting for its primary',
  starting: 'starting',
  running: 'running',
  silent: 'not answering',
  stopping: 'stopping',
  stopped: 'stopped',
  down: 'down',
};

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
  readonly lag_bytes: number | null;
  readonly last_heard: string | null;
  readonly instance_version: string | null;
  readonly controller_version: string | null;
  /** A person has taken it out with mc_ctl detach; only the primary's controller knows. */
  readonly detached: boolean;
}

/** The whole answer of `mc_ctl status --json`. */
export interface StatusReport {
  readonly schema: 1;
  readonly mirroring_status: Mirroring['status'];
  readonly since: string;
  readonly reason: string | null;
  readonly advice: string | null;
  readonly failover: 'enabled' | 'disabled';
  readonly local_server: string;
  readonly controller_pid: number;
  readonly versions: { readonly controller: string; readonly node: string };
  readonly servers: readonly StatusRow[];
}

const time = (wall: number): string => new Date(wall).toISOString();

export function statusReport(
  state: State,
  facts: { readonly pid: number; readonly node: string },
): StatusReport {
  const { mirroring } = state;
  const servers = seenServers(state);
  return {
    schema: 1,
    mirroring_status: mirroring.status,
    since: time(state.mirroringSinceWall),
    reason: mirroring.reason || null,
    advice: mirroring.advice || null,
    failover: state.failover.enabled ? 'enabled' : 'disabled',
    local_server: state.self.id,
    controller_pid: facts.pid,
    versions: { controller: state.controllerVersion, node: facts.node },
    servers: servers.map((seen) => statusRow(state, servers, seen)),
  };
}

function statusRow(state: State, servers: readonly Seen[], seen: Seen): StatusRow {
  const { view } = seen;
  const primary = servers.find((it) => serves(it) && it.view?.role === 'primary');
  const sender = primary?.view?.report?.senders.find((row) => row.name === seen.id);
  const peer = state.peers[seen.id];
  const heardWall = seen.reach === 'self' ? state.wall : (peer?.heardWall ?? null);
  return {
    server_id: seen.id,
    host_role: hostRole(seen),
    host: seen.host,
    port: seen.port,
    // A host that refuses the connection is up; only its controller is not.
    host_status: seen.reach === 'lost' || seen.reach === 'unknown' ? 'abnormal' : 'normal',
    db_proc_status: procStatus(servers, seen),
    disk_status: diskStatus(seen),
    instance: seen.fresh ? (view?.phase ?? 'unknown') : 'unknown',
    since: time(seen.sinceWall),
    timeline: view?.report?.timeline ?? null,
    lsn: view?.report?.lsn ?? null,
    sync_state: sender?.syncState ?? null,
    lag_bytes: sender?.lagBytes ?? null,
    last_heard: heardWall === null ? null : time(heardWall),
    instance_version: view?.report?.version ?? null,
    controller_version: view?.controllerVersion ?? null,
    detached: isDetached(state, seen),
  };
}

function hostRole(seen: Seen): string {
  if (!seen.view?.role) return 'unknown';
  return serves(seen) ? seen.view.role : `none(inactivated ${seen.view.role})`;
}

function procStatus(servers: readonly Seen[], seen: Seen): string {
  if (!seen.fresh || !seen.view || seen.view.phase === 'unknown') return 'unknown';
  if (seen.view.phase !== 'running') return 'abnormal(postmaster)';
  const { report, role } = seen.view;
  if (!report) return 'normal';
  if (role === 'standby') return report.receiver === 'streaming' ? 'normal' : 'abnormal(wal_receiver)';
  const expected = servers.filter((it) => it.id !== seen.id).map((it) => it.id);
  const streams = (id: string) => report.senders.some((row) => row.name === id && row.state === 'streaming');
  return expected.every(streams) ? 'normal' : 'abnormal(wal_sender)';
}

function diskStatus(seen: Seen): string {
  if (!seen.fresh || !seen.view) return 'unknown';
  const { failedDisks } = seen.view;
  return failedDisks.length === 0 ? 'normal' : `abnormal(${failedDisks.join(',')})`;
}

const columns = ['server_id', 'host_role', 'host', 'host_status', 'db_proc_status', 'disk_status'] as const;

/** The text of `mc_ctl status`: the layout that operators and scripts know, then one line that says why. */
export function renderStatus(report: StatusReport): string {
  const cells = [
    columns as readonly string[],
    ...report.servers.map((row) => columns.map((name) => row[name])),
  ];
  const widths = columns.map((_, index) => Math.max(...cells.map((row) => (row[index] ?? '').length)));
  const line = (row: readonly string[]) =>
    row
      .map((cell, index) => cell.padEnd(widths[index] ?? 0))
      .join('  ')
      .trimEnd();
  const [head = '', ...rows] = cells.map(line);
  const width = widths.reduce((sum, each) => sum + each, 0) + 2 * (widths.length - 1);
  const since = report.since.replace('T', ' ').replace(/\.\d+Z$/, ' UTC');
  const why = report.reason ? [`why: ${report.reason}; since ${since}; to do: ${report.advice ?? ''}`] : [];
  const top = ['mirroring status', '----------------', report.mirroring_status];
  return `${[...top, head, '-'.repeat(width), ...rows, ...why].join('\n')}\n`;
}
