/**
 * Whose word counts for a server whose management directory is lost (ADR 25): a whole server of the cluster that streams with it now. In: what the
 * hosts show. Out: who vouches, and the views in which such data counts as recorded. PostgreSQL lets nobody stream whose system
 * identifier differs; both ends are needed, since of a clone only one points here. Pure.
 */
import { canonicalAddress } from '../inventory/addresses.ts';
import type { Cluster, Server } from '../inventory/cluster.ts';
import type { Probe, ProbeReply } from '../resources/contract/kind.ts';
import { type DataDirectory, isFinished } from '../resources/data/data-directory.ts';

export interface Vouched {
  /** The server that says so. */
  readonly by: string;
  readonly systemIdentifier: string;
}

/** Both ends of the streams of a server, as it sees them. */
export interface Streams {
  readonly receiver: {
    readonly host: string;
    readonly port: number;
    readonly status: string;
  } | null;
  readonly senders: readonly {
    readonly name: string;
    readonly state: string | null;
    readonly address: string | null;
  }[];
}

/** What a host shows that says whose data it has. */
interface Shown {
  readonly data?: DataDirectory;
  readonly streams?: Streams;
}
type Hosts = ReadonlyMap<string, Shown>;

export const streamsProbe: Probe = {
  sql: `select json_build_object('receiver', (select json_build_object('host', sender_host, 'port', sender_port, 'status', status) from pg_stat_wal_receiver where sender_host is not null),
 'senders', (select coalesce(json_agg(json_build_object('name', application_name, 'state', state, 'address', host(client_addr)) order by application_name), '[]') from pg_stat_replication where application_name not like 'pgduet%'))`,
};

export const readStreams = (reply: ProbeReply | undefined): Streams | undefined =>
  typeof reply?.sql === 'object' && reply.sql !== null ? (reply.sql as Streams) : undefined;

/** Who vouches for each server that is lost, by its name. */
export function vouchedIn({ servers }: Cluster, hosts: Hosts): ReadonlyMap<string, Vouched> {
  return new Map(
    servers.flatMap((server) => {
      const systemIdentifier = lostIdentifier(hosts.get(server.name));
      if (systemIdentifier === undefined) return [];
      const by = servers.find(
        (other) =>
          other.name !== server.name &&
          isWhole(hosts.get(other.name), systemIdentifier) &&
          (streams(hosts, server, other) || streams(hosts, other, server)),
      );
      return by ? [[server.name, { by: by.name, systemIdentifier }] as const] : [];
    }),
  );
}

/** The same hosts; what is vouched for counts as recorded. */
export function withVouched<T extends Shown>(
  hosts: ReadonlyMap<string, T>,
  vouched: ReadonlyMap<string, Vouched>,
): ReadonlyMap<string, T> {
  return new Map(
    [...hosts].map(([name, view]) => {
      const word = vouched.get(name);
      return [
        name,
        word && view.data ? { ...view, data: { ...view.data, recorded: word.systemIdentifier } } : view,
      ];
    }),
  );
}

function lostIdentifier(view: Shown | undefined): string | undefined {
  const data = view?.data;
  return isFinished(data) && data?.directoryLost && data.running ? data.control?.systemIdentifier : undefined;
}

function isWhole(view: Shown | undefined, systemIdentifier: string): boolean {
  const data = view?.data;
  return (
    isFinished(data) &&
    data?.running === true &&
    !data.directoryLost &&
    data.recorded === systemIdentifier &&
    data.control?.systemIdentifier === systemIdentifier
  );
}

/** Both ends of one stream, from `source` to `follower`. */
function streams(hosts: Hosts, follower: Server, source: Server): boolean {
  const receiver = hosts.get(follower.name)?.streams?.receiver;
  const senders = hosts.get(source.name)?.streams?.senders ?? [];
  return (
    receiver?.status === 'streaming' &&
    canonicalAddress(receiver.host) === canonicalAddress(source.logTransferAddress) &&
    receiver.port === source.postgres.port &&
    senders.some(({ name, state }) => name === follower.name && state === 'streaming')
  );
}
