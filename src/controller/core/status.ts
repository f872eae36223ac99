/**
 * What `mc_ctl status` shows: the judgement of the pair, with its reason, and the rows of the table.
 * In: a state. Out: plain data and text. A server that is not heard is never called normal. Pure.
 */

import { apart, byHand, obstacle, unanswered, undecided, underWay, withoutPrimary } from './advice.ts';
import { type ArbiterRow, arbiterRows, type RegisterRow, registerRow } from './arbiter-rows.ts';
import { busyServers } from './busy.ts';
import { dutyOf, dutyWords, sameDuty } from './duty.ts';
import { entryOf, isMaintained } from './maintenance.ts';
import { ctl, forgetful, type Observation, type Obstacle } from './obstacle.ts';
import { split } from './split.ts';
import type { Judgement, MirroringStatus, State } from './state.ts';
import { observations, type StatusRow, serves, statusRow, time } from './status-row.ts';
import { tableLines } from './table.ts';
import type { ServerId, ServerView, Task } from './view.ts';

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
  const views = observations(state).flatMap(({ fresh, view }) => (fresh && view ? [view] : []));
  const gives = (view: ServerView): boolean =>
    view.id === state.self.id ? state.giving !== null : view.handover !== null;
  const live = views.filter((view) => isPrimary(view) && !gives(view));
  return live.filter((view) => !isSuperseded(view, live)).map(({ id }) => id);
}

const verdict = (status: MirroringStatus, { reason, advice }: Obstacle): Judgement => ({
  status,
  reason,
  advice,
});

/** The mirroring status, why it is so, and what to do about it. */
export function assess(state: State): Judgement {
  if (state.unsaved) return verdict('not-switchable', unsaved(state, state.unsaved.why));
  const servers = observations(state);
  const live = servers.flatMap(({ fresh, view }) => (fresh && view ? [view] : []));
  const [primary, second] = servers.filter(
    ({ fresh, view }) => fresh && view !== null && isPrimary(view) && !isSuperseded(view, live),
  );
  if (primary && second) {
    const told = split(state, primary, second, undecided(servers));
    return { ...verdict('not-switchable', told), moving: true };
  }
  const going = underWay(state, servers);
  if (going) return { ...verdict(going.status, going), moving: going.moving };
  if (!primary) {
    const missing = withoutPrimary(state, servers);
    return { ...verdict(missing.status, missing), moving: missing.moving };
  }
  if (isMaintained(state, primary.id)) return verdict('not-switchable', byHand(state, primary, servers));
  const { unsaved: lost } = primary.view ?? {};
  if (lost !== undefined) return verdict('not-switchable', forgetful(state, primary.id, lost));
  if (primary.view?.phase === 'silent') {
    return verdict('not-switchable', unanswered(primary, `${primary.id}, the primary,`));
  }
  return withPrimary(state, primary, servers);
}

/** A controller that stands still decides nothing, whatever the others do. */
const unsaved = (state: State, why: string): Obstacle => ({
  reason: `the controller of ${state.self.id} stands still, because its state file cannot be written (${why})`,
  advice: `make room in ${state.dir} on ${state.self.id}; it goes on by itself`,
});

function withPrimary(state: State, primary: Observation, servers: readonly Observation[]): Judgement {
  const others = servers.filter((server) => server.id !== primary.id);
  if (others.length === 0)
    return verdict('not-switchable', {
      reason: 'there is no other server',
      advice: 'add one to network.conf',
    });
  const found = others.map((server) => obstacle(state, primary, server));
  if (found.some((it) => it === null)) {
    const off = { reason: 'automatic switch is off', advice: ctl(state, state.self.id, 'enable-failover') };
    return state.failover.enabled
      ? verdict('switchable', remarks(primary, servers))
      : verdict('failover-disabled', off);
  }
  const obstacles = found.filter((it) => it !== null);
  const advice = [...new Set(obstacles.map((it) => it.advice))].join('; ');
  const status = state.degraded === 'switched' || others.some(wasPrimary) ? 'switched' : 'not-switchable';
  return verdict(status, { reason: obstacles.map((it) => it.reason).join('; '), advice });
}

/** What a person should know although a switch is possible. */
function remarks(primary: Observation, servers: readonly Observation[]): Obstacle {
  const quiet = servers.flatMap((server) => (server.fresh ? quietAddresses(server) : []));
  const told = [
    ...servers.flatMap(fullDisk),
    ...servers.flatMap(unlet),
    ...(primary.view?.parted ?? []).map((id) => apart(primary, id)),
    ...late(primary.view?.lagging ?? []),
    ...weak(primary),
    ...quiet,
  ];
  return { reason: told.map((it) => it.reason).join('; '), advice: told.map((it) => it.advice).join('; ') };
}

/** It runs, and its controller does not see how it is. */
function unlet({ id, fresh, view }: Observation): Obstacle[] {
  if (!fresh || view?.phase !== 'running' || view.refusal === undefined) return [];
  const reason = `the instance of ${id} lets its controller in no more (${view.refusal})`;
  return [{ reason, advice: `let the instance administrator in on ${id} (pg_hba.conf), and reload` }];
}

function fullDisk({ id, fresh, view }: Observation): Obstacle[] {
  const parts = fresh ? (view?.fullDisks?.join(', ') ?? '') : '';
  if (parts === '') return [];
  return [
    {
      reason: `a disk of ${id} is full (${parts})`,
      advice: `make room on ${id}; writes go on by themselves`,
    },
  ];
}

/** What a switch would take longer for. */
function late(ids: readonly ServerId[]): Obstacle[] {
  if (ids.length === 0) return [];
  const names = ids.join(', ');
  const reason = `${names} would replay much WAL before taking writes in a takeover`;
  return [{ reason, advice: `look for long queries and slow disks on ${names}` }];
}

/** What is promised does not hold for commits under such a setting. */
function weak({ id, view }: Observation): Obstacle[] {
  const settings = view?.report?.weakened ?? [];
  if (settings.length === 0) return [];
  const reason = `commits may be acknowledged before a standby has them (${settings.join('; ')})`;
  return [{ reason, advice: `if that is not meant, take it back on ${id} (docs/promises.md)` }];
}

/** Without an address that answers nobody acts on the silence of another server. */
function quietAddresses({ id, view }: Observation): Obstacle[] {
  const addresses = view?.quietReferences?.join(', ') ?? '';
  if (addresses === '') return [];
  const reason = `no answer to ${id} from its reference address ${addresses}`;
  return [{ reason, advice: `ping ${addresses} from ${id}; correct reference_addresses if it is gone` }];
}

/** Another server that was primary is the trace of a switch, for those who were not part of it. */
const wasPrimary = (server: Observation): boolean =>
  server.fresh && server.view?.role === 'primary' && !serves(server);

/** Who is at work where; without a process the controller does it by itself. */
export interface StatusTask {
  readonly server: string;
  readonly work: Task['work'];
  readonly pid: number | null;
  readonly user: string | null;
  readonly asked_on: string | null;
  readonly since: string;
}

/** The whole answer of `mc_ctl status --json`. */
export interface StatusReport {
  readonly schema: 1;
  readonly mirroring_status: MirroringStatus;
  readonly since: string;
  readonly reason: string | null;
  /** Since when the reason is what it is; the status itself may be older. */
  readonly reason_since: string | null;
  readonly advice: string | null;
  /** The command, or the automatic action, that is under way; others are refused meanwhile. */
  readonly busy: StatusTask | null;
  readonly failover: 'enabled' | 'disabled';
  readonly local_server: string;
  readonly controller_pid: number;
  readonly versions: { readonly controller: string; readonly node: string };
  /** Servers that may still become primary, or have: until that is known nobody else is stopped, rebuilt or forced. */
  readonly undecided: readonly ServerId[];
  readonly servers: readonly StatusRow[];
  /** Servers in maintenance; missing from a controller that does not know it yet. */
  readonly maintenance?: readonly MaintenanceRow[];
  /** Missing from a controller that does not know them yet. */
  readonly arbiters?: readonly ArbiterRow[];
  readonly register?: RegisterRow | null;
  /** Marks of the cluster keys that this controller speaks and hears. Missing from one that cannot hear two. */
  readonly cluster_key?: KeyRow;
  /**
   * By what each peer and each arbiter is heard: its own key (`proven`; `former`: one that goes), or the cluster key alone, where it has a key (`open`) or is told
   * none (`none`). Missing from a controller that has none itself.
   */
  readonly identities?: Readonly<Record<ServerId, 'proven' | 'former' | 'open' | 'none'>>;
}

/** A server that is in maintenance, or about to be (asked). */
export interface MaintenanceRow {
  readonly server: string;
  readonly stage: 'asked' | 'open';
  readonly by: string;
  readonly since: string;
  /** Until when it is expected; null where nobody has said. */
  readonly until: string | null;
  readonly overdue: boolean;
  /** Until then, by the clock of this server; negative when it is over. */
  readonly seconds_left: number | null;
  readonly reason: string;
  /** Each entry of a server is on a later timeline than the one before, or has a higher number. */
  readonly timeline: number;
  readonly number: number;
}

/** From a mark no key can be found. While the secrets are renewed two keys are heard. */
export interface KeyRow {
  readonly speaks: string;
  readonly hears: readonly string[];
  /** renewal.json was there when the files were read last. */
  readonly renewal: boolean;
}

export function statusReport(
  state: State,
  facts: {
    readonly pid: number;
    readonly node: string;
    readonly keys?: KeyRow;
    readonly identities?: StatusReport['identities'];
  },
): StatusReport {
  const { mirroring } = state;
  const servers = observations(state);
  return {
    schema: 1,
    mirroring_status: mirroring.status,
    since: time(mirroring.sinceWall),
    reason: mirroring.reason || null,
    reason_since: mirroring.reason ? time(mirroring.reasonSinceWall) : null,
    advice: mirroring.advice || null,
    busy: statusTask(state),
    failover: state.failover.enabled ? 'enabled' : 'disabled',
    local_server: state.self.id,
    controller_pid: facts.pid,
    versions: { controller: state.controllerVersion, node: facts.node },
    undecided: undecided(servers),
    servers: servers.map((server) => statusRow(state, servers, server)),
    maintenance: maintenanceRows(state),
    arbiters: arbiterRows(state),
    register: registerRow(state),
    ...(facts.keys ? { cluster_key: facts.keys } : {}),
    ...(facts.identities ? { identities: facts.identities } : {}),
  };
}

function maintenanceRows(state: State): MaintenanceRow[] {
  return state.servers.flatMap(({ id }) => {
    const entry = entryOf(state, id);
    if (!entry || entry.stage === 'ended') return [];
    const { stage, by, sinceWall, untilWall, reason, number, timeline } = entry;
    const until = untilWall === null ? null : time(untilWall);
    const overdue = untilWall !== null && state.wall > untilWall;
    const left = untilWall === null ? null : Math.round((untilWall - state.wall) / 1000);
    return [
      {
        server: id,
        stage,
        by,
        since: time(sinceWall),
        until,
        overdue,
        seconds_left: left,
        reason,
        timeline,
        number,
      },
    ];
  });
}

function statusTask(state: State): StatusTask | null {
  const [first] = busyServers(state);
  if (!first) return null;
  const { server, task } = first;
  const { pid = null, user = null, server: askedOn = null } = task.by ?? {};
  return { server, work: task.work, pid, user, asked_on: askedOn, since: time(task.sinceWall) };
}

const columns = ['server_id', 'host_role', 'host', 'host_status', 'db_proc_status', 'disk_status'] as const;

/** The text of `mc_ctl status`: the layout that operators and scripts know, then one line that says why. */
export function renderStatus(report: StatusReport): string {
  const table = tableLines(
    columns,
    report.servers.map((row) => columns.map((name) => row[name])),
  );
  const since = (report.reason_since ?? report.since).replace('T', ' ').replace(/\.\d+Z$/, ' UTC');
  const why = report.reason ? [`why: ${report.reason}; since ${since}; to do: ${report.advice ?? ''}`] : [];
  const heard = report.servers.flatMap(silenceLine);
  const top = ['mirroring status', '----------------', report.mirroring_status];
  const out = (report.maintenance ?? []).map(maintenanceLine);
  const lines = [...top, ...table, ...why, ...out, ...report.servers.flatMap(dutyLine), ...heard];
  return `${lines.join('\n')}\n`;
}

const moment = (text: string): string => text.replace('T', ' ').replace(/:\d+\.\d+Z$/, ' UTC');

function maintenanceLine({ server, stage, by, since, until, overdue, reason }: MaintenanceRow): string {
  const expected = until === null ? '' : `, expected until ${moment(until)}${overdue ? ' (overdue)' : ''}`;
  const begins = stage === 'asked' ? ', about to begin' : '';
  return `maintenance: ${server}, by ${by} since ${moment(since)}${expected}${begins}${reason === '' ? '' : `: ${reason}`}`;
}

/** Only where it is not the usual one. */
function dutyLine({ server_id, takeover, takeover_priority: priority, replication }: StatusRow): string[] {
  const duty = dutyOf({
    duty: takeover && replication && priority !== null ? { takeover, priority, replication } : undefined,
  });
  const words =
    dutyWords(server_id, duty) ||
    (sameDuty(duty, undefined) ? '' : `${server_id} takes over with priority ${duty.priority}`);
  return words === '' ? [] : [`duty: ${words}`];
}

/** Said once there is something to say: the first minute of a controller shows little. */
function silenceLine(row: StatusRow): string[] {
  const [longest] = row.longest_silences_ms ?? [];
  const minutes = Math.floor((row.silences_watched_s ?? 0) / 60);
  if (longest === undefined || minutes < 1 || row.host_status !== 'normal') return [];
  return [
    `longest silence of ${row.server_id}: ${(longest / 1000).toFixed(1)} s, watched for ${minutes} min`,
  ];
}
