/** Where the survey looks at what a server shows by TLS. Pure. */
import type { Server, TlsFiles } from '../inventory/cluster.ts';
import type { TlsPlace } from '../resources/contract/tls-look.ts';

/** The files that the inventory names for a server; undefined where it names none, or TLS is off. */
export const tlsFilesOf = ({ postgres: { tls } }: Server): TlsFiles | undefined =>
  tls === 'off' ? undefined : tls;

export function tlsPlaceOf(server: Server): TlsPlace {
  const { port, owner, version } = server.postgres;
  const files = tlsFilesOf(server);
  return { host: server.logTransferAddress, port, owner, version, ...(files ? { files } : {}) };
}

/** By the connection that it has, else by the one that it tries to have; null on a primary. */
export const verifiesQuery = `(select case when pg_is_in_recovery() then to_json(coalesce((select conninfo from pg_stat_wal_receiver), current_setting('primary_conninfo')) like '%sslmode=verify-full%') end)`;
