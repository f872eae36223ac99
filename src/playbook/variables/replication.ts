/** The variables of replication: everything postgresql.conf and pg_hba.conf need beyond the inventory's settings. Pure. */
import type { Situation } from '../../intent/intent.ts';
import { type Cluster, isSynchronous, type Server } from '../../inventory/cluster.ts';
import { walKeptAnyway } from '../../inventory/reckoned.ts';
import type { View } from '../../observe/survey.ts';
import { serverConninfo } from '../../postgres/conninfo.ts';
import { isOn } from '../../postgres/setting-value.ts';
import { nameInList } from '../../postgres/standby-names.ts';
import { versionFacts } from '../../postgres/versions.ts';
import { meantAddresses } from './names.ts';
import type { ServerVariables } from './server.ts';
import type { TlsVariables } from './tls.ts';

export interface ReplicationVariables {
  readonly conninfo: string;
  readonly giveUpMs: number;
  readonly synchronousStandbyNames: string;
  readonly walKeepValue: string;
  readonly statusIntervalSeconds: number;
  readonly addresses: readonly string[];
  /** Standbys follow the logical slots of the primary: `on` or `off`; empty before PostgreSQL 17. */
  readonly failoverSlots: 'on' | 'off' | '';
}

/** `source`: the server that this one follows, or would follow. */
export function replicationVariables(
  { cluster, view }: Pick<Situation, 'cluster' | 'view'>,
  server: Server,
  servers: readonly ServerVariables[],
  source: ServerVariables | undefined,
  giveUpMs: number,
  { demands }: Pick<TlsVariables, 'demands'>,
): ReplicationVariables {
  // The controller leaves out who need not be waited for at the moment; commits never wait for an asynchronous one.
  const others = cluster.servers
    .filter((each) => each.name !== server.name && isSynchronous(each))
    .map(({ name }) => nameInList(name));
  const failoverSlots = failoverSlotsOf(server);
  return {
    failoverSlots,
    conninfo: source ? conninfoTo(source, cluster, server, demands) : '',
    giveUpMs,
    synchronousStandbyNames: others.length <= 1 ? others.join('') : `FIRST 1 (${others.join(', ')})`,
    walKeepValue: `${server.multiplexing.walKept?.megabytes ?? walKeptAnyway}MB`,
    statusIntervalSeconds: statusIntervalFor(giveUpMs),
    addresses: [
      ...new Set(servers.flatMap((each) => addressesFor(each.logTransferAddress, server.name, view))),
    ],
  };
}

/** A standby tells how far it is more than twice before it is given up; PostgreSQL counts whole seconds, and takes 10 by itself. */
const statusIntervalFor = (giveUpMs: number): number =>
  Math.min(10, Math.max(1, Math.floor(giveUpMs / 2 / 1000)));

/**
 * An address as pg_hba.conf knows it. A name comes behind what it means on the host of the file: PostgreSQL takes a name only where
 * it is the first one of the address that connects, and asks DNS at each login.
 */
export const addressesFor = (address: string, host: string, view: View): readonly string[] => [
  ...meantAddresses(address, host, view).map(cidr),
  cidr(address),
];

const conninfoTo = (
  source: ServerVariables,
  cluster: Cluster,
  server: Server,
  demands: TlsVariables['demands'],
): string =>
  serverConninfo(
    { host: source.logTransferAddress, port: source.port, user: cluster.replicationUser },
    server.name,
    {
      ...(server.postgres.passfile ? { passfile: server.postgres.passfile } : {}),
      // The worker that follows the slots logs in to a database; a WAL receiver has none.
      ...(failoverSlotsOf(server) === 'on' ? { dbname: 'postgres' } : {}),
      ...demands,
    },
  );

/** Do standbys follow the logical slots of the primary? */
export function failoverSlotsOf({
  postgres: { version, settings },
}: Server): ReplicationVariables['failoverSlots'] {
  if (!versionFacts(version).synchronizedStandbySlots) return '';
  const asked = Object.entries(settings).some(
    ([name, value]) => name.toLowerCase() === 'sync_replication_slots' && isOn(String(value)),
  );
  return asked ? 'on' : 'off';
}

/** An address as pg_hba.conf wants it: numbers with the mask of one host, names as they are. */
export const cidr = (address: string): string =>
  address.includes(':') ? `${address}/128` : /^[\d.]+$/.test(address) ? `${address}/32` : address;
