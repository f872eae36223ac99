/** Where the survey looks at what a server shows by TLS, and what it takes from the answer. Pure. */
import type { Cluster, Server, TlsFiles } from '../inventory/cluster.ts';
import type { Conninfo } from '../postgres/conninfo.ts';
import { type RuleRow, ruleRowsQuery } from '../postgres/hba-rows.ts';
import { type PlainSessions, plainSessionsQuery } from '../postgres/plain-sessions.ts';
import type { Probe, ProbeReply } from '../resources/contract/kind.ts';
import {
  ownTls,
  readTlsLook,
  type TlsLook,
  type TlsPlace,
  tlsProbe,
} from '../resources/contract/tls-look.ts';

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

/** What a server has to serve TLS with, as the inventory names it or as its host shows it; undefined where there is nothing yet, or TLS is off. */
export function tlsFilesOf(server: Server, look: TlsLook | undefined): TlsFiles | undefined {
  const { tls } = server.postgres;
  if (tls !== 'generated') return tls === 'off' ? undefined : tls;
  return look?.pair === undefined ? undefined : ownFiles(server, look.pair, look);
}

/** Those of a pair that pgduet makes. */
export function ownFiles(server: Server, pair: string, look: TlsLook | undefined): TlsFiles {
  const directory = tlsDirectory(server);
  return {
    ca: listPathOf(server, look),
    certificate: `${directory}/${pair}/server.pem`,
    key: `${directory}/${pair}/server.key`,
  };
}

/** What connection strings name: of pgduet's own the copy, which outlives the management directory. */
export function listPathOf(server: Server, look: TlsLook | undefined): string {
  const { tls } = server.postgres;
  return typeof tls === 'object' ? tls.ca : (copyPathOf(server, look) ?? `${tlsDirectory(server)}/ca.pem`);
}

/** Where the copy of the list lies; undefined as long as nobody knows the home of the administrator. */
export function copyPathOf(server: Server, look: TlsLook | undefined): string | undefined {
  const { passfile } = server.postgres;
  const directory = passfile === undefined ? look?.home : passfile.replace(/\/[^/]*$/, '');
  const copy = tlsPlaceOf(server).own?.copy;
  return directory === undefined || copy === undefined ? undefined : `${directory}/${copy}`;
}

export const tlsDirectory = ({ multiplexing }: Server): string => `${multiplexing.managementDir}/tls`;

/** The password file, as kinds take it; empty where pgduet makes no pairs. */
export const besideOf = ({ postgres: { tls, passfile } }: Server): string =>
  tls === 'generated' ? (passfile ?? '~') : '';

export function tlsPlaceOf(server: Server): TlsPlace {
  const { port, owner, version, tls, dataDir } = server.postgres;
  const { managementDir } = server.multiplexing;
  const place = { host: server.logTransferAddress, port, owner, version };
  if (tls === undefined || tls === 'off') return place;
  return tls === 'generated'
    ? { ...place, own: ownTls({ managementDir, dataDir }, besideOf(server)) }
    : { ...place, files: tls };
}

/** By the connection that it has, else by the one that it tries to have; null on a primary. */
const verifiesQuery = `(select case when pg_is_in_recovery() then to_json(coalesce((select conninfo from pg_stat_wal_receiver), current_setting('primary_conninfo')) like '%sslmode=verify-full%') end)`;

/** Roles by which servers log in to each other, by rules in front of those of the clients. */
export const ownRoles = ({ replicationUser }: Cluster): readonly string[] => [
  replicationUser,
  'pgduet_rewind',
];

/** Does the inventory have this server offer TLS? */
export const isOffered = ({ postgres: { tls } }: Server): boolean => tls !== undefined && tls !== 'off';

/** Where TLS is off nobody could come with it. */
export const clientsProbe = (cluster: Cluster, server: Server): Probe =>
  isOffered(server)
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
        ...(isOffered(server) ? { clients: clientsProbe(cluster, server) } : {}),
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
