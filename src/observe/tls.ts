/** Where the survey looks at what a server shows by TLS, and what it takes from the answer. Pure. */
import type { Cluster, Server, TlsFiles } from '../inventory/cluster.ts';
import type { Conninfo } from '../postgres/conninfo.ts';
import { type RuleRow, ruleRowsQuery } from '../postgres/hba-rows.ts';
import { type PlainSessions, plainSessionsQuery } from '../postgres/plain-sessions.ts';
import type { Probe, ProbeReply } from '../resources/contract/kind.ts';
import { readTlsLook, type TlsLook, type TlsPlace, tlsProbe } from '../resources/contract/tls-look.ts';

/** What is seen of a host where the inventory says something of TLS. */
export interface TlsSeen {
  /** What it shows to who connects. */
  readonly tls?: TlsLook;
  /** Of a standby that runs: it verifies its primary. */
  readonly verifies?: boolean;
  readonly clients?: ClientsSeen;
}

/** Who may come without TLS, and who has. */
export interface ClientsSeen {
  readonly rules: readonly RuleRow[];
  readonly sessions: readonly PlainSessions[];
}

/** The files that the inventory names for a server; undefined where it names none, or TLS is off. */
export const tlsFilesOf = ({ postgres: { tls } }: Server): TlsFiles | undefined =>
  tls === 'off' ? undefined : tls;

export function tlsPlaceOf(server: Server): TlsPlace {
  const { port, owner, version } = server.postgres;
  const files = tlsFilesOf(server);
  return { host: server.logTransferAddress, port, owner, version, ...(files ? { files } : {}) };
}

/** By the connection that it has, else by the one that it tries to have; null on a primary. */
const verifiesQuery = `(select case when pg_is_in_recovery() then to_json(coalesce((select conninfo from pg_stat_wal_receiver), current_setting('primary_conninfo')) like '%sslmode=verify-full%') end)`;

/** Roles by which servers log in to each other, by rules in front of those of the clients. */
export const ownRoles = ({ replicationUser }: Cluster): readonly string[] => [
  replicationUser,
  'pgduet_rewind',
];

/** Where TLS is off nobody could come with it. */
export const clientsProbe = (cluster: Cluster, server: Server): Probe =>
  tlsFilesOf(server)
    ? {
        sql: `(select json_build_object('rules', ${ruleRowsQuery}, 'sessions', ${plainSessionsQuery(ownRoles(cluster))}))`,
      }
    : {};

/** Other clusters are not asked. */
export const tlsProbes = (
  cluster: Cluster,
  server: Server,
): { readonly tls?: Probe; readonly verifies?: Probe; readonly clients?: Probe } =>
  server.postgres.tls
    ? {
        tls: tlsProbe(tlsPlaceOf(server)),
        verifies: { sql: verifiesQuery },
        ...(tlsFilesOf(server) ? { clients: clientsProbe(cluster, server) } : {}),
      }
    : {};

export function readTlsSeen(replies: {
  readonly tls?: ProbeReply | undefined;
  readonly verifies?: ProbeReply | undefined;
  readonly clients?: ProbeReply | undefined;
}): TlsSeen {
  const tls = replies.tls && readTlsLook(replies.tls);
  const verifies = replies.verifies?.sql;
  const clients = replies.clients?.sql;
  return {
    ...(tls ? { tls } : {}),
    ...(typeof verifies === 'boolean' ? { verifies } : {}),
    ...(isSeen(clients) ? { clients } : {}),
  };
}

const isSeen = (value: unknown): value is ClientsSeen =>
  typeof value === 'object' && value !== null && 'rules' in value && 'sessions' in value;

/** Words of connection strings for clients. */
export const clientDemands = ({ servers }: Cluster): Conninfo =>
  servers[0]?.postgres.tlsClients === 'required' ? { sslmode: 'require' } : {};
