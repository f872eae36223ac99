/**
 * Replication as it runs: who follows whom, from where, how far behind, and what holds a standby up. Whether a standby is
 * connected and synchronous is a resource of kind `replication`, which tells of it. Pure.
 */

import { canonicalAddress, isHostName } from '../../inventory/addresses.ts';
import type { Server } from '../../inventory/cluster.ts';
import { parseNames, sameName } from '../../postgres/standby-names.ts';
import { type Observed, type ProbeReply, unknown } from '../../resources/contract/kind.ts';
import type { Audit, AuditContext } from '../audit.ts';
import type { Reported } from '../finding.ts';
import { answer } from './answer.ts';
import { durationWords, sizeWords } from './words.ts';

interface Sender {
  readonly name: string;
  readonly user: string | null;
  readonly address: string | null;
  readonly state: string | null;
  readonly behindBytes: number | null;
  readonly behindSeconds: number | null;
  readonly since: number | null;
}

interface Replication {
  /** Who asked may see more than that there are connections. */
  readonly whole: boolean;
  readonly recovery: boolean;
  /** synchronous_standby_names in force. */
  readonly names: string;
  readonly senders: readonly Sender[];
  readonly upstream: { readonly host: string; readonly port: number } | null;
  readonly paused: boolean | null;
  /** Where replay is to end: names and values. */
  readonly targets: readonly { readonly name: string; readonly value: string }[];
  /** Commit time of what was replayed last; seconds since 1970. */
  readonly replayedAt: number | null;
  readonly delayMs: number;
  /** Cancelled queries by their reason, such as snapshot. */
  readonly conflicts: Readonly<Record<string, number>>;
  readonly countedSince: number | null;
}

/** A cascading standby sends too: what it has sent is compared with what it has received. */
const query = `select json_build_object('whole', pg_has_role(current_user, 'pg_read_all_stats', 'usage'), 'recovery', pg_is_in_recovery(), 'names', current_setting('synchronous_standby_names'),
 'senders', (select coalesce(json_agg(json_build_object('name', application_name, 'user', usename, 'address', host(client_addr), 'state', state,
   'behindBytes', pg_wal_lsn_diff(case when pg_is_in_recovery() then pg_last_wal_receive_lsn() else pg_current_wal_lsn() end, replay_lsn),
   'behindSeconds', round(extract(epoch from replay_lag)::numeric, 3), 'since', round(extract(epoch from backend_start))) order by application_name), '[]') from pg_stat_replication),
 'upstream', (select json_build_object('host', sender_host, 'port', sender_port) from pg_stat_wal_receiver where sender_host is not null),
 'paused', case when pg_is_in_recovery() then pg_is_wal_replay_paused() end, 'replayedAt', round(extract(epoch from pg_last_xact_replay_timestamp())),
 'targets', (select coalesce(json_agg(json_build_object('name', name, 'value', setting) order by name), '[]') from pg_settings where name ~ '^recovery_target(_(lsn|name|time|xid))?$' and setting <> ''),
 'delayMs', round(extract(epoch from current_setting('recovery_min_apply_delay')::interval) * 1000),
 'conflicts', (select coalesce(json_object_agg(reason, number), '{}') from (select substr(key, 7) reason, sum(value::bigint) number
   from pg_stat_database_conflicts c, jsonb_each_text(to_jsonb(c)) where key like 'confl\\_%' group by key having sum(value::bigint) > 0 order by 2 desc) r),
 'countedSince', (select round(extract(epoch from min(stats_reset))) from pg_stat_database))`;

export const replication: Audit<Replication> = {
  name: 'replication',
  probe: () => ({ sql: query }),
  read: readReplication,
  judge: (context, seen) =>
    [...seen].flatMap(([host, facts]) => [
      ...facts.senders.flatMap((sender) => judgeSender(context, host, sender, seen)),
      ...(facts.recovery ? judgeStandby(context, host, facts) : strangers(context, host, facts)),
    ]),
};

function readReplication(reply: ProbeReply): Observed<Replication> {
  const seen = answer<Replication>(reply);
  if (seen.state !== 'present' || seen.value.whole) return seen;
  return unknown('this login may not see who replicates (it is no member of pg_read_all_stats)');
}

const behindLimitBytes = 64 * 1024 ** 2;
const behindLimitSeconds = 10;

/** pgduet's own base backups come and go. */
const isOurs = ({ name }: Sender): boolean => name.startsWith('pgduet');

function judgeSender(
  context: AuditContext,
  host: string,
  sender: Sender,
  seen: ReadonlyMap<string, Replication>,
): readonly Reported[] {
  const server = context.cluster.servers.find(({ name }) => name === sender.name);
  if (!server) return isOurs(sender) ? [] : [stranger(host, sender)];
  // What holds the standby up is reported by that server itself.
  const standby = seen.get(server.name);
  const isHeld = standby !== undefined && (standby.paused === true || standby.delayMs > 0);
  return [...fromElsewhere(host, server, sender), ...(isHeld ? [] : behind(host, sender))];
}

const stranger = (host: string, { name, user, address, state, since }: Sender): Reported => ({
  code: 'REP004',
  host,
  object: name === '' ? `a receiver at ${address ?? 'the socket'}` : name,
  declared: 'no server of the cluster has this name',
  found: `role ${user ?? 'unknown'} from ${address ?? 'the socket of the host'}, ${state ?? 'state unknown'}`,
  ...(since === null ? {} : { since }),
});

/** The server takes every receiver whose name it knows for the standby of that name, and does not look at the case. */
function strangers(
  { cluster }: AuditContext,
  host: string,
  { names, senders }: Replication,
): readonly Reported[] {
  const standbys = cluster.servers.map(({ name }) => name).filter((name) => name !== host);
  const told = (object: string, declared: string, found: string): Reported => ({
    code: 'REP014',
    host,
    object,
    declared,
    found,
  });
  const foreign = parseNames(names).ids.filter((it) => !standbys.some((name) => sameName(name, it)));
  const several = standbys.flatMap((name) => {
    const rows = senders.filter((row) => sameName(row.name, name) && confirms(row));
    return rows.length > 1
      ? [{ name, from: rows.map(({ address }) => address ?? 'the socket').join(', ') }]
      : [];
  });
  return [
    ...foreign.map((it) => told(it, `only ${standbys.join(', ')} in synchronous_standby_names`, names)),
    ...several.map(({ name, from }) => told(name, 'one receiver of this name', `several, from ${from}`)),
  ];
}

const confirms = ({ state }: Sender): boolean =>
  state !== null && ['streaming', 'catchup', 'stopping'].includes(state);

/** Names of hosts cannot be compared with addresses. Servers on one machine may use the socket. */
function fromElsewhere(host: string, server: Server, { address }: Sender): readonly Reported[] {
  const declared = canonicalAddress(server.logTransferAddress);
  if (address === null || isHostName(declared) || canonicalAddress(address) === declared) return [];
  return [{ code: 'REP005', host, object: server.name, declared, found: address }];
}

function behind(host: string, { name, state, behindBytes, behindSeconds }: Sender): readonly Reported[] {
  const [bytes, seconds] = [behindBytes ?? 0, behindSeconds ?? 0];
  if (state !== 'streaming' || (bytes <= behindLimitBytes && seconds <= behindLimitSeconds)) return [];
  return [
    {
      code: 'REP006',
      host,
      object: name,
      declared: `less than ${sizeWords(behindLimitBytes)} and ${behindLimitSeconds} s behind`,
      found: `${sizeWords(Math.max(0, bytes))} and ${durationWords(Math.round(seconds * 1000))} behind`,
    },
  ];
}

const judgeStandby = (context: AuditContext, host: string, facts: Replication): readonly Reported[] => [
  ...otherUpstream(context, host, facts),
  ...paused(host, facts),
  ...delayed(context, host, facts),
  ...conflicts(host, facts),
];

/** Through which address of the primary it comes is a question of its settings, which kind `settings` compares. */
function otherUpstream(
  { cluster, primary }: AuditContext,
  host: string,
  { upstream }: Replication,
): readonly Reported[] {
  const leader = cluster.servers.find(({ name }) => name === primary);
  if (!upstream || !leader || leader.name === host) return [];
  const addresses = [leader.logTransferAddress, leader.host.address, leader.adminAddress].map(
    canonicalAddress,
  );
  if (addresses.includes(canonicalAddress(upstream.host)) && upstream.port === leader.postgres.port)
    return [];
  const at = (name: string, port: number): string => `${name.includes(':') ? `[${name}]` : name}:${port}`;
  return [
    {
      code: 'REP011',
      host,
      object: 'primary_conninfo',
      declared: `${at(leader.logTransferAddress, leader.postgres.port)}, the primary ${leader.name}`,
      found: at(upstream.host, upstream.port),
    },
  ];
}

function paused(host: string, facts: Replication): readonly Reported[] {
  if (facts.paused !== true) return [];
  const since = facts.replayedAt === null ? {} : { since: facts.replayedAt };
  if (facts.targets.length > 0) {
    const where = facts.targets.map(({ name, value }) => `${name} = ${value}`).join(', ');
    return [
      { code: 'REP015', host, object: 'replay', declared: 'goes on', found: `paused at ${where}`, ...since },
    ];
  }
  return [{ code: 'REP009', host, object: 'replay', declared: 'goes on', found: 'paused', ...since }];
}

function delayed(context: AuditContext, host: string, { delayMs }: Replication): readonly Reported[] {
  const name = 'recovery_min_apply_delay';
  if (delayMs <= 0 || context.declaredSettings(host).has(name)) return [];
  return [{ code: 'REP013', host, object: name, declared: 'no delay', found: durationWords(delayMs) }];
}

/** Counted since the statistics were reset, or since the server has statistics at all. */
function conflicts(host: string, { conflicts: counted, countedSince }: Replication): readonly Reported[] {
  const reasons = Object.entries(counted);
  if (reasons.length === 0) return [];
  const count = reasons.reduce((sum, [, number]) => sum + number, 0);
  const words = reasons.map(([reason, number]) => `${number} ${reason}`).join(', ');
  return [
    {
      code: 'REP008',
      host,
      object: 'queries',
      declared: 'none is cancelled',
      found: `${count} cancelled so far (${words})`,
      ...(countedSince === null ? {} : { since: countedSince }),
    },
  ];
}
