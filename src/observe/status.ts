/**
 * What `pgduet status` asks of each host, and the rows that follow from the answers. A host that cannot be reached is
 * a row too: status is the verb that still works when others stop. Pure.
 */
import type { Command } from '../base/command.ts';
import type { Diagnostic } from '../base/diagnostic.ts';
import { etcdName } from '../base/endpoint.ts';
import { type StoppedRecord, stoppedBy } from '../base/stopped-words.ts';
import { type Cluster, type Role, type Server, shownAddress } from '../inventory/cluster.ts';
import type { Probe, ProbeReply } from '../resources/contract/kind.ts';
import {
  type ControllerReport,
  controllerProbe,
  readControllerStatus,
} from '../resources/controller/controller-status.ts';
import { type TellingDuty, tellingDuty } from '../resources/controller/duty.ts';
import { onlyMaintained } from '../resources/controller/maintained.ts';
import { outage } from '../resources/controller/outage.ts';
import {
  type DataDirectory,
  isFinished,
  lacksDirectory,
  readDataDirectory,
} from '../resources/data/data-directory.ts';
import { type ClientStrings, clientStrings, readServed, servedProbe } from './clients.ts';
import { factsProbe, readFacts } from './facts.ts';
import {
  endCommand,
  inMaintenance,
  isOverdue,
  type MaintenanceSeen,
  parseRemembered,
  type Remembered,
} from './maintenance.ts';
import { readStoppedServer, rememberedProbe, roleProbe, stoppedServerProbe } from './survey.ts';
import { withoutVainStart } from './unmade.ts';
import { readStreams, type Streams, streamsProbe, vouchedIn } from './vouched.ts';

export interface StatusRow {
  readonly server: string;
  readonly address: string;
  /** What it is now; "none" when nothing runs or nothing is there. */
  readonly role: Role | 'none' | 'unknown';
  readonly preferred: Role;
  /** The mirroring status as this server's controller sees it, or why there is none. */
  readonly controller: string;
  /** Why the cluster is not whole as this server sees it, since when, and what to do about it. */
  readonly why: string | null;
  readonly since: string | null;
  readonly toDo: string | null;
  /** The commands that `toDo` names. */
  readonly commands: readonly Command[];
  readonly timeline: number | null;
  readonly lsn: string | null;
  /** It does not run, and may hold more than that: its control file is behind its WAL. */
  readonly atLeast: boolean;
  readonly lagBytes: number | null;
  readonly lagSeconds: number | null;
  readonly syncState: string | null;
  /** What it may do, as its own controller has it in force; null where that does not say so. */
  readonly duty: TellingDuty | null;
  /** Who works on it, as any host that was reached remembers it; null: nobody. */
  readonly maintenance: MaintenanceStatus | null;
  /** In a few words: "running", "stopped (shut down)", "host not reached" … */
  readonly state: string;
  /** Who has stopped it with `pgduet stop`, and when; null where nobody has. */
  readonly stopped: StoppedRecord | null;
}

export interface MaintenanceStatus extends MaintenanceSeen {
  /** It was expected to be over by now. */
  readonly overdue: boolean;
}

/** What the servers hear of the arbiter, or of the etcd in its place, as far as their controllers say it. */
export interface ArbiterStatus {
  readonly arbiter: string;
  readonly address: string;
  /** Servers that hear it. */
  readonly heardBy: readonly string[];
  /** Servers that do not, with why. */
  readonly unheardBy: readonly { readonly server: string; readonly why: string }[];
}

export interface ClusterStatus extends ClientStrings {
  readonly cluster: string;
  readonly primary: string | null;
  readonly preferredPrimary: string;
  readonly rows: readonly StatusRow[];
  /** Null where the inventory has none. */
  readonly arbiter: ArbiterStatus | null;
  /** Who answers who may act on a silence, as the promise of the primary has it; null: nobody, or it is not known. */
  readonly register: readonly string[] | null;
  /** Two primaries, or none: what is wrong with the cluster as a whole. */
  readonly problem: string | null;
}

interface Sender {
  readonly name: string;
  readonly state: string;
  readonly sync: string;
  readonly lag_bytes: number | null;
  readonly lag_seconds: number | null;
}

interface Live {
  readonly recovery: boolean;
  readonly timeline: number | null;
  readonly lsn: string | null;
  readonly senders: readonly Sender[];
}

/** One query for both roles; on a standby the functions of the primary must not even be called ("Recovery Control Functions"). */
const liveQuery = `select case when pg_is_in_recovery() then json_build_object('recovery', true,
 'timeline', (select received_tli from pg_stat_wal_receiver), 'lsn', coalesce(pg_last_wal_replay_lsn(), pg_last_wal_receive_lsn())::text, 'senders', '[]'::json)
 else json_build_object('recovery', false, 'timeline', (select timeline_id from pg_control_checkpoint()), 'lsn', pg_current_wal_lsn()::text,
 'senders', (select coalesce(json_agg(json_build_object('name', application_name, 'state', state, 'sync', sync_state,
  'lag_bytes', pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn), 'lag_seconds', round(extract(epoch from coalesce(replay_lag, '0'))::numeric, 3))), '[]') from pg_stat_replication)) end`;

/** What is asked of a host, by what the answer is about. */
export const statusProbes = (server: Server, mcCtl: string) =>
  ({
    facts: factsProbe,
    data: roleProbe(server),
    controller: {
      shell: controllerProbe({
        id: server.name,
        managementDir: server.multiplexing.managementDir,
        owner: server.postgres.owner,
        mcCtl,
      }),
    },
    live: { sql: liveQuery },
    streams: streamsProbe,
    remembered: rememberedProbe(server),
    stopped: stoppedServerProbe(server),
    ...servedProbe(server),
  }) satisfies Readonly<Partial<Record<string, Probe>>>;

export type StatusReplies = Readonly<
  Partial<Record<keyof ReturnType<typeof statusProbes>, ProbeReply | undefined>>
>;

/** What one host answered, or why it did not. */
export type HostStatus =
  | {
      readonly kind: 'seen';
      readonly data?: DataDirectory;
      readonly live?: Live;
      readonly streams?: Streams;
      readonly stopped?: StoppedRecord;
      /** Clients know it by those who sign, as `pgduet ca` gives them. */
      readonly verified?: boolean;
      readonly controller: ReturnType<typeof readControllerStatus>;
      readonly remembered?: Remembered;
    }
  | { readonly kind: 'unreached'; readonly diagnostics: readonly Diagnostic[] };

export function readStatus(server: Server, replies: StatusReplies): HostStatus {
  const { facts, data, controller, live, remembered, stopped } = replies;
  const streams = readStreams(replies.streams);
  const seen = data && readDataDirectory(data);
  const record = stopped && readStoppedServer(stopped);
  return {
    kind: 'seen',
    ...(seen && facts && readFacts(facts) ? { data: seen } : {}),
    ...(live?.sql !== undefined && live.sql !== null ? { live: live.sql as Live } : {}),
    ...(streams ? { streams } : {}),
    ...(record ? { stopped: record } : {}),
    ...readServed(server, replies.tls),
    controller: controller ? readControllerStatus(controller, server.name) : { state: 'missing' },
    ...(remembered ? { remembered: parseRemembered(remembered.stdout) } : {}),
  };
}

/** Servers in maintenance; whoever leads is in none. */
export function maintainedIn(
  statuses: ReadonlyMap<string, HostStatus>,
): ReadonlyMap<string, MaintenanceSeen> {
  const all = [...statuses.values()].map((one) => (one.kind === 'seen' ? one.remembered : undefined));
  return new Map([...inMaintenance(all)].filter(([name]) => roleOf(statuses.get(name)) !== 'primary'));
}

/** `nowMs`: our own clock, milliseconds since 1970. */
export function clusterStatus(
  cluster: Cluster,
  statuses: ReadonlyMap<string, HostStatus>,
  nowMs: number,
): ClusterStatus {
  const maintained = maintainedIn(statuses);
  const primaries = cluster.servers.filter(({ name }) => roleOf(statuses.get(name)) === 'primary');
  const senders = primaries.flatMap(({ name }) => liveOf(statuses.get(name))?.senders ?? []);
  return {
    cluster: cluster.name,
    primary: primaries.length === 1 ? (primaries[0]?.name ?? null) : null,
    preferredPrimary: cluster.servers.find((server) => server.preferredRole === 'primary')?.name ?? '',
    rows: cluster.servers.map((server) => {
      const seen = maintained.get(server.name);
      const out = seen ? { ...seen, overdue: isOverdue(seen, nowMs) } : null;
      return possible(row(server, statuses.get(server.name), senders, out), statuses, maintained);
    }),
    arbiter: arbiterStatus(cluster, statuses),
    register: reportOf(statuses.get(primaries[0]?.name ?? ''))?.register?.members ?? null,
    ...clientStrings(cluster, primaries[0]?.name, (name) => verifiedOf(statuses.get(name))),
    problem:
      primaries.length > 1
        ? `${primaries.map(({ name }) => name).join(' and ')} are ${primaries.length > 2 ? 'all' : 'both'} primary: stop the clients, keep copies of each, and see docs/runbooks/two-primaries.md`
        : primaries.length === 0
          ? [
              `no primary runs${wholeStop(cluster, statuses)}`,
              lostDirectories(cluster, statuses) ?? allDown(cluster, statuses) ?? [],
            ]
              .flat()
              .join('; ')
          : lostDirectories(cluster, statuses),
  };
}

/** What runs there goes on, and nobody can switch to it, or take over from it by its word. */
function lostDirectories(cluster: Cluster, statuses: ReadonlyMap<string, HostStatus>): string | null {
  const seen = new Map([...statuses].flatMap(([name, one]) => (one.kind === 'seen' ? [[name, one]] : [])));
  const lost = cluster.servers.filter(({ name }) => lacksDirectory(seen.get(name)?.data));
  if (lost.length === 0) return null;
  const where = lost.map(({ name, multiplexing }) => `${multiplexing.managementDir} of ${name}`).join(', ');
  const aways = lost.flatMap(({ name }) => seen.get(name)?.data?.directoryAway ?? []);
  const vouched = vouchedIn(cluster, seen);
  const [first] = lost;
  const by = lost.length === 1 && first ? vouched.get(first.name)?.by : undefined;
  const way =
    aways.length > 0
      ? `${aways.join('; ')}: mount it`
      : by
        ? `${by} vouches for its data, and pgduet provision brings it back`
        : 'pgduet check says the way on';
  return `the management directory is lost (${where}): ${way}; end no controller, and make nobody else primary`;
}

/** None runs, and no person has stopped one of them: what controllers start by themselves runs within a minute. */
function allDown({ servers }: Cluster, statuses: ReadonlyMap<string, HostStatus>): string | null {
  const all = servers.map(({ name }) => statuses.get(name));
  const isDown = (one: HostStatus | undefined): boolean =>
    one?.kind === 'seen' && one.data?.running === false && one.stopped === undefined;
  return all.every(isDown)
    ? 'all servers are down: where it stays so for a minute, see docs/runbooks/all-servers-down.md'
    : null;
}

/** A cluster that a person has stopped as a whole. */
function wholeStop({ servers }: Cluster, statuses: ReadonlyMap<string, HostStatus>): string {
  const records = servers.map(({ name }) => recordOf(statuses.get(name)));
  const [first] = records;
  return first && records.every((one) => one !== undefined) ? `: all are ${stoppedBy(first)}` : '';
}

const verifiedOf = (status: HostStatus | undefined): boolean | undefined =>
  status?.kind === 'seen' ? status.verified : undefined;
const recordOf = (status: HostStatus | undefined): StoppedRecord | undefined =>
  status?.kind === 'seen' ? status.stopped : undefined;

const reportOf = (status: HostStatus | undefined): ControllerReport | undefined =>
  status?.kind === 'seen' && status.controller.state === 'running' ? status.controller.report : undefined;

function arbiterStatus(
  { arbiter, etcd, servers }: Cluster,
  statuses: ReadonlyMap<string, HostStatus>,
): ArbiterStatus | null {
  const name = arbiter?.name ?? (etcd && etcdName);
  if (name === undefined) return null;
  const told = servers.flatMap(({ name: server }) => {
    const row = reportOf(statuses.get(server))?.arbiters?.find(({ id }) => id === name);
    return row ? [{ server, online: row.status === 'online', why: row.why ?? 'it does not answer' }] : [];
  });
  return {
    arbiter: name,
    address: arbiter ? shownAddress(arbiter.host) : (etcd?.endpoints.join(',') ?? ''),
    heardBy: told.filter(({ online }) => online).map(({ server }) => server),
    unheardBy: told.filter(({ online }) => !online).map(({ server, why }) => ({ server, why })),
  };
}

const liveOf = (status: HostStatus | undefined): Live | undefined =>
  status?.kind === 'seen' ? status.live : undefined;

function roleOf(status: HostStatus | undefined): StatusRow['role'] {
  const live = liveOf(status);
  if (live) return live.recovery ? 'standby' : 'primary';
  if (status?.kind !== 'seen' || !status.data) return 'unknown';
  return status.data.running ? 'unknown' : 'none';
}

function row(
  server: Server,
  status: HostStatus | undefined,
  senders: readonly Sender[],
  maintenance: MaintenanceStatus | null,
): StatusRow {
  const live = liveOf(status);
  const sender = senders.find((candidate) => candidate.name === server.name);
  const mirroring = reportOf(status);
  const isStandby = live?.recovery === true;
  return {
    server: server.name,
    address: shownAddress(server.host),
    role: roleOf(status),
    preferred: server.preferredRole,
    controller: mirroring?.mirroring_status ?? controllerWords(status),
    ...trouble(mirroring),
    ...(live ? { timeline: live.timeline, lsn: live.lsn, atLeast: false } : reached(status)),
    lagBytes: isStandby ? (sender?.lag_bytes ?? null) : null,
    lagSeconds: isStandby ? (sender?.lag_seconds ?? null) : null,
    syncState: isStandby
      ? sender
        ? `${sender.sync}${sender.state === 'streaming' ? '' : ` (${sender.state})`}`
        : 'not connected'
      : null,
    duty: dutyOf(server, mirroring),
    maintenance,
    state: stateWords(status),
    stopped: recordOf(status) ?? null,
  };
}

/** How far a server reaches that does not run. */
function reached(status: HostStatus | undefined): Pick<StatusRow, 'timeline' | 'lsn' | 'atLeast'> {
  const data = status?.kind === 'seen' ? status.data : undefined;
  if (!data?.control || data.running || !isFinished(data))
    return { timeline: null, lsn: null, atLeast: false };
  const { state, reached: end } = data.control;
  return { timeline: end.timeline, lsn: end.position, atLeast: state !== 'shut down' };
}

/** What is up to a person there can be done as things stand. */
function possible(
  one: StatusRow,
  statuses: ReadonlyMap<string, HostStatus>,
  maintained: ReadonlyMap<string, MaintenanceSeen>,
): StatusRow {
  if (one.toDo === null) return one;
  const dataOf = (server: string) => {
    const status = statuses.get(server);
    return status?.kind === 'seen' ? status.data : undefined;
  };
  const isMaintained = (server: string) => maintained.has(server);
  const isStopped = (server: string) => recordOf(statuses.get(server)) !== undefined;
  const leads = [...statuses.values()].some((status) => roleOf(status) === 'primary');
  const lost = [...statuses.keys()].some((name) => lacksDirectory(dataOf(name)));
  const advice = leads
    ? withoutForce(one.toDo, 'make nobody else primary: one runs')
    : lost
      ? withoutForce(one.toDo, 'make nobody else primary')
      : one.toDo;
  const toDo = withoutVainStart(advice, dataOf, isMaintained, isStopped);
  return toDo === one.toDo ? one : { ...one, toDo, commands: [] };
}

/** A controller that hears no primary may advise to make one. Here it is seen that one runs, or that nobody knows whose data a server has. */
const withoutForce = (advice: string, instead: string): string =>
  advice
    .split('; ')
    .filter((clause) => !/\bswitch --force\b/.test(clause))
    .join('; ') || instead;

function dutyOf({ name }: Server, report: ControllerReport | undefined): TellingDuty | null {
  const own = report?.servers.find(({ server_id }) => server_id === name);
  return own ? tellingDuty(own) : null;
}

/** What this tool can do about it is said before what the controller advises. */
function trouble(
  report: ControllerReport | undefined,
): Pick<StatusRow, 'why' | 'since' | 'toDo' | 'commands'> {
  const out = report && outage(report);
  if (!report || (!out && !report.reason)) return { why: null, since: null, toDo: null, commands: [] };
  const { since, reason, advice } = report;
  const ends = onlyMaintained(report)?.map((server) => endCommand(server)) ?? [];
  return { why: out?.why ?? reason, since, toDo: out?.fix ?? advice, commands: out?.commands ?? ends };
}

function controllerWords(status: HostStatus | undefined): string {
  if (status?.kind !== 'seen') return 'not reached';
  if (lacksDirectory(status.data)) return 'directory lost';
  const words = {
    missing: 'not installed',
    stopped: 'not running',
    unseen: 'no answer',
    running: 'running',
  } as const;
  return words[status.controller.state];
}

function stateWords(status: HostStatus | undefined): string {
  if (status?.kind !== 'seen') return 'host not reached';
  if (status.live) return 'running';
  const { data, stopped } = status;
  if (!data) return 'could not be looked at';
  if (stopped && !data.running) return stoppedBy(stopped);
  if (data.making) return `unfinished (${data.making})`;
  if (data.content !== 'cluster') return `no instance (directory ${data.content})`;
  return data.running ? 'running, does not answer' : `stopped (${data.control?.state ?? 'state unknown'})`;
}
