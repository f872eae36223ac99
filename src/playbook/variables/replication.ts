/** The variables of replication: everything postgresql.conf and pg_hba.conf need beyond the inventory's settings. Pure. */
import { type Cluster, isSynchronous, type Server } from '../../inventory/cluster.ts';
import { serverConninfo } from '../../postgres/conninfo.ts';
import type { ServerVariables } from './server.ts';

export interface ReplicationVariables {
  readonly conninfo: string;
  readonly giveUpMs: number;
  readonly synchronousStandbyNames: string;
  readonly walKeepValue: string;
  readonly addresses: readonly string[];
}

/** So much WAL waits for a standby that is away. */
const walKept = '1024MB';

/** `source`: the server that this one follows, or would follow. */
export function replicationVariables(
  cluster: Cluster,
  server: Server,
  servers: readonly ServerVariables[],
  source: ServerVariables | undefined,
  giveUpMs: number,
): ReplicationVariables {
  // The controller leaves out who need not be waited for at the moment; commits never wait for an asynchronous one.
  const others = cluster.servers
    .filter((each) => each.name !== server.name && isSynchronous(each))
    .map(({ name }) => standbyName(name));
  return {
    conninfo: source ? conninfoTo(source, cluster, server) : '',
    giveUpMs,
    synchronousStandbyNames: others.length <= 1 ? others.join('') : `FIRST 1 (${others.join(', ')})`,
    walKeepValue: walKept,
    addresses: [...new Set(servers.map((each) => cidr(each.logTransferAddress)))],
  };
}

const conninfoTo = (source: ServerVariables, cluster: Cluster, server: Server): string =>
  serverConninfo(
    { host: source.logTransferAddress, port: source.port, user: cluster.replicationUser },
    server.name,
    server.postgres.passfile ? { passfile: server.postgres.passfile } : {},
  );

/** A name in synchronous_standby_names: quoted unless it is a plain word ("synchronous_standby_names"). */
const standbyName = (name: string): string =>
  /^[a-z_][a-z0-9_]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`;

/** An address as pg_hba.conf wants it: numbers with the mask of one host, names as they are. */
export const cidr = (address: string): string =>
  address.includes(':') ? `${address}/128` : /^[\d.]+$/.test(address) ? `${address}/32` : address;
