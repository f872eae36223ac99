/** Where the survey looks at what a server shows by TLS, and what it takes from the answer. Pure. */
import type { Server, TlsFiles } from '../inventory/cluster.ts';
import type { Probe, ProbeReply } from '../resources/contract/kind.ts';
import { readTlsLook, type TlsLook, type TlsPlace, tlsProbe } from '../resources/contract/tls-look.ts';

/** What is seen of a host where the inventory says something of TLS. */
export interface TlsSeen {
  /** What it shows to who connects. */
  readonly tls?: TlsLook;
  /** Of a standby that runs: it verifies its primary. */
  readonly verifies?: boolean;
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

/** Other clusters are not asked. */
export const tlsProbes = (server: Server): { readonly tls?: Probe; readonly verifies?: Probe } =>
  server.postgres.tls ? { tls: tlsProbe(tlsPlaceOf(server)), verifies: { sql: verifiesQuery } } : {};

export function readTlsSeen(replies: {
  readonly tls?: ProbeReply | undefined;
  readonly verifies?: ProbeReply | undefined;
}): TlsSeen {
  const tls = replies.tls && readTlsLook(replies.tls);
  const verifies = replies.verifies?.sql;
  return { ...(tls ? { tls } : {}), ...(typeof verifies === 'boolean' ? { verifies } : {}) };
}
