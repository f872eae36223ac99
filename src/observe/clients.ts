/** How clients find the servers, and verify them where all that were seen can be verified by the list that `pgduet ca` gives. Pure. */
import type { Cluster, Server } from '../inventory/cluster.ts';
import { multiHostUri } from '../postgres/conninfo.ts';
import type { Probe, ProbeReply } from '../resources/contract/kind.ts';
import { deniesTls, filesObjection, readTlsLook, tlsProbe } from '../resources/contract/tls-look.ts';
import { clientDemands, isOffered, tlsPlaceOf } from './tls.ts';

export interface ClientStrings {
  readonly readWrite: string;
  readonly readOnly: string;
  /** What these strings call the list of those who sign; null where clients cannot verify. */
  readonly caFile: string | null;
}

/** `isVerified`: undefined where that server was not looked at. Behind the next failover a client meets another one than the primary. */
export function clientStrings(
  cluster: Cluster,
  primary: string | undefined,
  isVerified: (server: string) => boolean | undefined,
): ClientStrings {
  const { name, servers } = cluster;
  const verified =
    primary !== undefined &&
    isVerified(primary) === true &&
    servers.every((server) => isVerified(server.name) !== false);
  const clients = servers.map(({ host, postgres }) => ({ host: host.address, port: postgres.port }));
  const caFile = `${name}-ca.pem`;
  const demands = verified ? { sslmode: 'verify-full', sslrootcert: caFile } : clientDemands(cluster);
  return {
    readWrite: multiHostUri(clients, 'postgres', 'read-write', demands),
    readOnly: multiHostUri(clients, 'postgres', 'prefer-standby', demands),
    caFile: verified ? caFile : null,
  };
}

export const servedProbe = (server: Server): { readonly tls?: Probe } =>
  isOffered(server) ? { tls: tlsProbe(tlsPlaceOf(server)) } : {};

/**
 * Can a client that has the list verify it by the address of these strings? One that does not answer is judged by what lies there. Undefined where
 * it was not looked at.
 */
export function readServed(server: Server, reply: ProbeReply | undefined): { readonly verified?: boolean } {
  const look = reply && readTlsLook(reply);
  if (!look) return {};
  const place = { host: server.host.address, version: server.postgres.version };
  return {
    verified: look.served === undefined ? filesObjection(look, place) === undefined : !deniesTls(look, place),
  };
}
