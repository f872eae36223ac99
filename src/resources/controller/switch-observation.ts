/**
 * What is looked at on the present primary before its role is given away, and what it means: what forbids a switch, and
 * what a person should know before saying yes. In: the answer of the probe. Out: plain data and words. Pure.
 */
import type { Diagnostic } from '../../base/diagnostic.ts';
import { formatBytes, formatDuration } from '../../base/units.ts';
import { sameName } from '../../postgres/standby-names.ts';
import type { ControllerReport } from './controller-status.ts';
import { isMaintained } from './maintained.ts';

interface Transaction {
  readonly pid: number;
  readonly user: string;
  readonly application: string;
  readonly seconds: number;
}

/** Somebody who receives WAL: a standby, or not. */
interface Receiver {
  readonly name: string;
  readonly user: string;
  readonly address: string | null;
  readonly bytes: number | null;
  /** How much of it is left to replay. */
  readonly replay?: number | null;
}

/** What the instance says of itself. */
export interface Live {
  readonly timeline: number;
  readonly clients: number;
  readonly transactions: readonly Transaction[];
  readonly receivers: readonly Receiver[];
  readonly prepared: readonly { readonly gid: string; readonly seconds: number }[];
  /** Null when nothing is archived. */
  readonly archiver: {
    readonly failing: boolean;
    readonly lastFailed: string | null;
    readonly failedCount: number;
  } | null;
}

export interface SwitchObservation {
  readonly report: ControllerReport;
  readonly live: Live;
  /** WAL files that wait for the archiver. */
  readonly ready: number;
}

/** A transaction that is open for longer is named, since it will be cut off. */
const longSeconds = 5;

/** The worker by which a standby follows logical slots logs in like its receiver, and comes again by itself. */
const isWorker = `exists (select from pg_stat_replication r where (r.application_name, r.usename) = (a.application_name, a.usename) and r.client_addr is not distinct from a.client_addr)`;

export const liveQuery = `select json_build_object('timeline', (select timeline_id from pg_control_checkpoint()),
 'clients', (select count(*) from pg_stat_activity a where backend_type = 'client backend' and pid <> pg_backend_pid() and application_name not in ('pgduet', 'mc_agent') and not ${isWorker}),
 'transactions', (select coalesce(json_agg(json_build_object('pid', pid, 'user', usename, 'application', application_name, 'seconds', round(extract(epoch from now() - xact_start))) order by xact_start), '[]')
   from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid() and xact_start < now() - interval '${longSeconds} s'),
 'receivers', (select coalesce(json_agg(json_build_object('name', application_name, 'user', usename, 'address', host(client_addr),
   'bytes', case when pg_is_in_recovery() then null else pg_wal_lsn_diff(pg_current_wal_lsn(), coalesce(flush_lsn, sent_lsn)) end,
   'replay', case when pg_is_in_recovery() then null else pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn) end) order by pid), '[]') from pg_stat_replication),
 'prepared', (select coalesce(json_agg(json_build_object('gid', gid, 'seconds', round(extract(epoch from now() - prepared))) order by prepared), '[]') from pg_prepared_xacts),
 'archiver', (select case when current_setting('archive_mode') = 'off' then null else json_build_object(
   'failing', coalesce(last_failed_time > coalesce(last_archived_time, '-infinity'), false), 'lastFailed', last_failed_wal, 'failedCount', failed_count) end from pg_stat_archiver))`;

const problem = (to: string, what: string, why: string, fix: string, evidence: readonly string[] = []) =>
  ({
    code: 'SAF010',
    what: `a switch to '${to}' is not possible now: ${what}`,
    why,
    fix,
    evidence,
  }) satisfies Diagnostic;

const serverLine = (server: ControllerReport['servers'][number]): string =>
  `${server.server_id}: ${server.host_role}, instance ${server.instance}, ${server.sync_state ?? 'no sync state'}, timeline ${server.timeline ?? '?'}, ${server.lsn ?? 'position unknown'}`;

/** The first thing that forbids the switch, if there is one. */
export function obstacle(to: string, { report, live, ready }: SwitchObservation): Diagnostic | undefined {
  const evidence = report.servers.map(serverLine);
  if (!['switchable', 'failover-disabled'].includes(report.mirroring_status))
    return problem(
      to,
      `the controllers say '${report.mirroring_status}'`,
      report.reason ?? 'no standby is known to hold everything that was acknowledged',
      `${report.advice ? `To do: ${report.advice}. ` : ''}'pgduet status' shows when it is 'switchable' again.`,
      evidence,
    );
  const target = report.servers.find((server) => server.server_id === to);
  if (target?.takeover === 'never' || target?.replication === 'asynchronous')
    return problem(
      to,
      target.replication === 'asynchronous'
        ? 'it is an asynchronous copy'
        : 'it never takes over (failover: never)',
      'the inventory keeps it from that, and nobody does it in passing',
      `Name another standby; or, if it is meant: mc_ctl switch --to ${to} --force on the primary, which goes on only when ${to} has received everything.`,
      evidence,
    );
  const state = target?.sync_state ?? null;
  if (target?.instance !== 'running' || !['sync', 'quorum', 'potential'].includes(state ?? ''))
    return problem(
      to,
      state === null ? 'it does not stream' : `it streams, but not synchronously (${state})`,
      'it may lack commits that clients were told of',
      'Name a standby that is in sync, or wait until this one is.',
      evidence,
    );
  if (live.archiver?.failing && ready > 0)
    return problem(
      to,
      `the archiver fails, and ${ready} WAL files wait for it`,
      'a former primary does not archive what it wrote; these files would be missing from the archive for ever',
      "Repair archive_command (the server's log says what it answered) and wait until the files are archived.",
      [`last failed: ${live.archiver.lastFailed ?? '?'}, ${live.archiver.failedCount} failures`],
    );
  return undefined;
}

/** What a person should know before saying yes. */
export function notes(
  from: string,
  to: string,
  { report, live, ready }: SwitchObservation,
  maxWait?: string,
): readonly string[] {
  const sessions =
    live.clients > 0
      ? `${live.clients} client sessions are ended; they find ${to} by the connection string of 'pgduet status'`
      : 'no client is connected now';
  return [
    `a checkpoint first, while writes go on; then ${from} is shut down and takes no writes until ${to} has been promoted`,
    ...replayNotes(to, live, maxWait),
    sessions,
    ...live.transactions.map(
      ({ pid, user, application, seconds }) =>
        `open for ${formatDuration(seconds * 1000)}, and rolled back: process ${pid} of ${user}${application ? ` (${application})` : ''}`,
    ),
    ...live.prepared.map(
      ({ gid, seconds }) =>
        `prepared ${formatDuration(seconds * 1000)} ago: '${gid}' stays prepared, and is there on ${to} too`,
    ),
    ...live.receivers
      .filter(({ name }) => !report.servers.some(({ server_id }) => sameName(server_id, name)))
      .map(receiverNote),
    ...(ready > 0 && live.archiver
      ? [`${ready} WAL files wait for the archiver; the shutdown waits until they are archived`]
      : []),
    ...otherVersions(report),
    ...(report.failover === 'disabled'
      ? ['automatic switching is off, before and after it (mc_ctl enable-failover)']
      : []),
  ];
}

/** The primary serves on until nearly all of it is replayed. */
function replayNotes(to: string, { receivers }: Live, maxWait: string | undefined): readonly string[] {
  const row = receivers.find(({ name }) => sameName(name, to));
  if (row?.replay === undefined || row.replay === null) return [];
  const limit = maxWait === undefined ? '30 s, or --max-wait' : `${maxWait} s`;
  return [
    `${to} has ${formatBytes(row.replay)} of WAL left to replay; writes go on until nearly all of it is done, and the switch is given up after ${limit}`,
  ];
}

/** A shutdown waits for every receiver; the controller waits for one that is no standby only so long. */
const receiverNote = ({ name, user, address, bytes }: Receiver): string =>
  `${name || 'a receiver'} of role ${user} from ${address ?? 'the socket'} receives WAL too, ${bytes === null ? 'how far is not known' : `${formatBytes(bytes)} behind`}; it is disconnected when it holds the shutdown up for 10 s`;

function otherVersions(report: ControllerReport): readonly string[] {
  const servers = report.servers.filter(({ server_id }) => !isMaintained(report, server_id));
  const versions = [...new Set(servers.map((server) => server.controller_version))];
  return versions.length <= 1
    ? []
    : [
        `the controllers are of different versions (${servers.map((server) => `${server.server_id} ${server.controller_version ?? 'unknown'}`).join(', ')}); pgduet provision makes them one`,
      ];
}

/** "server2 is sync, 0 B behind" */
export function reasonFor(to: string, { report }: SwitchObservation): string {
  const target = report.servers.find((server) => server.server_id === to);
  return `${report.mirroring_status}; ${to} is ${target?.sync_state ?? '?'}, ${formatBytes(target?.lag_bytes ?? 0)} behind`;
}
