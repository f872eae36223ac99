/**
 * The survey: what has to be seen before it can be said what each host should be. Who is primary now, whose data is
 * where, which secrets the hosts hold. Roles are observed, not commanded; two primaries or none stop the run. Pure.
 */
import type { Diagnostic } from '../base/diagnostic.ts';
import { Secret } from '../base/secret.ts';
import { quote } from '../base/shell.ts';
import type { Cluster, Server } from '../inventory/cluster.ts';
import { parsePgpassLine } from '../postgres/pgpass.ts';
import type { Probe, ProbeReply } from '../resources/contract/kind.ts';
import {
  type DataDirectory,
  dataDirectoryProbe,
  isFinished,
  leads,
  readDataDirectory,
} from '../resources/data/data-directory.ts';
import { type Adopted, adoptedFile, parseAdopted } from '../resources/data/record.ts';
import { type AdoptSight, adoptProbe, readAdoptSight } from '../resources/single/adopt-observation.ts';
import { type Facts, factsProbe, readFacts } from './facts.ts';

/** What one host shows of itself. */
export interface HostView {
  readonly facts?: Facts;
  /** Undefined when it could not be looked at. */
  readonly data?: DataDirectory;
  readonly replicationPassword?: Secret;
  readonly clusterKey?: Secret;
  /** What travels with the data of a cluster whose first server was there before it. */
  readonly adopted?: Adopted;
  /** Of a server that is being migrated; nobody else asks for it. */
  readonly single?: AdoptSight;
}

/** What all of them show together; every later stage reads it, none changes it. */
export interface View {
  readonly hosts: ReadonlyMap<string, HostView>;
  /** Name of the host that is primary now, or is to become it. */
  readonly primary: string;
  /** Of the cluster's data, once there is some. */
  readonly systemIdentifier?: string;
  /** The host that the command names, for example the one to be rebuilt. */
  readonly target?: string;
  /** How a rebuild was asked for. */
  readonly rebuild?: { readonly copy: boolean; readonly keepCopy?: string };
  /** How a teardown was asked for; `settles`: the roles have just been moved, and the others have to follow first. */
  readonly teardown?: { readonly keepData: boolean; readonly allData: boolean; readonly settles: boolean };
  /** Hosts that could not be reached and are left out. */
  readonly absent?: ReadonlySet<string>;
}

export const clusterKeyFile = (server: Server): string => `${server.multiplexing.managementDir}/cluster.key`;

const place = (server: Server) => ({
  dataDir: server.postgres.dataDir,
  managementDir: server.multiplexing.managementDir,
  id: server.name,
});

/** What may change while a run goes on: whose data is where, and who leads. */
export const roleProbe = (server: Server): Probe => ({ shell: dataDirectoryProbe(place(server)) });

/** Of a host without a server only the facts are asked. */
export const surveyProbes = (cluster: Cluster, server: Server | undefined): readonly Probe[] => [
  factsProbe,
  ...(server ? serverProbes(cluster, server) : []),
];

const serverProbes = (cluster: Cluster, server: Server): readonly Probe[] => [
  roleProbe(server),
  {
    shell: `if [ -f "$PASSFILE" ]; then grep -m 1 -F ${quote(`:replication:${cluster.replicationUser}:`)} "$PASSFILE"; fi`,
  },
  printFile(clusterKeyFile(server)),
  printFile(adoptedFile(server.postgres.dataDir)),
];

const printFile = (path: string): Probe => ({
  shell: `if [ -f ${quote(path)} ]; then cat ${quote(path)}; fi`,
});

/** What a migration asks of the server that it begins with. */
export const singleServerProbe = (server: Server): Probe => adoptProbe(place(server));

export function readHostView(replies: readonly ProbeReply[]): HostView {
  const [facts, data, passfile, key, adopted, single] = replies;
  const seenFacts = facts && readFacts(facts);
  const seenData = data && readDataDirectory(data);
  const entry = parsePgpassLine(passfile?.stdout.split('\n')[0] ?? '');
  const keyText = key?.stdout.trim() ?? '';
  const seenSingle = single && readAdoptSight(single);
  // The server is looked at again in the middle of a migration, and the survey is not: its record came to be meanwhile.
  const seenAdopted = seenSingle?.adopted ?? parseAdopted(adopted?.stdout ?? '');
  return {
    ...(seenFacts ? { facts: seenFacts } : {}),
    ...(seenData ? { data: seenData } : {}),
    ...(entry ? { replicationPassword: entry.password } : {}),
    ...(keyText ? { clusterKey: new Secret(keyText) } : {}),
    ...(seenAdopted ? { adopted: seenAdopted } : {}),
    ...(seenSingle ? { single: seenSingle } : {}),
  };
}

/** Before anything was seen: the inventory's wishes. */
export function preferredView(cluster: Cluster): View {
  const preferred =
    cluster.servers.find((server) => server.preferredRole === 'primary') ?? cluster.servers[0];
  return { hosts: new Map(), primary: preferred?.name ?? '' };
}

/** The view, or why there can be none. */
export function survey(
  cluster: Cluster,
  hosts: ReadonlyMap<string, HostView>,
): { view: View } | { refused: Diagnostic } {
  const found = findPrimary(cluster, hosts);
  if ('refused' in found) return found;
  const systemIdentifier = hosts.get(found.primary)?.data?.control?.systemIdentifier;
  return { view: { hosts, primary: found.primary, ...(systemIdentifier ? { systemIdentifier } : {}) } };
}

function findPrimary(
  cluster: Cluster,
  hosts: ReadonlyMap<string, HostView>,
): { primary: string } | { refused: Diagnostic } {
  const dataOf = (server: Server) => hosts.get(server.name)?.data;
  const running = cluster.servers.filter((server) => leads(dataOf(server)) && dataOf(server)?.running);
  if (running.length > 1) return { refused: twoPrimaries(running, hosts) };
  const [runs] = running;
  if (runs) return { primary: runs.name };
  const stopped = cluster.servers.filter((server) => leads(dataOf(server)));
  if (stopped.length > 1) return { refused: twoPrimaries(stopped, hosts) };
  const [stands] = stopped;
  if (stands) return { primary: stands.name };
  const followers = cluster.servers.filter(
    (server) => isFinished(dataOf(server)) && dataOf(server)?.standbySignal,
  );
  // A stranger's primary is named too: it may be the one that is missed.
  const clusters = cluster.servers.filter((server) => dataOf(server)?.content === 'cluster');
  if (followers.length > 0) return { refused: noPrimary(clusters, hosts) };
  return { primary: preferredView(cluster).primary };
}

function evidence(servers: readonly Server[], views: ReadonlyMap<string, HostView>): readonly string[] {
  return servers.map(({ name }) => {
    const data = views.get(name)?.data;
    const whose = data?.recorded === undefined ? ', not made by pgduet for this server' : '';
    return `${name}: ${data?.running ? 'running' : 'stopped'}${whose}, ${data?.control?.state ?? 'state unknown'}, timeline ${data?.control?.timeline ?? '?'}, checkpoint ${data?.control?.checkpoint ?? '?'}`;
  });
}

const twoPrimaries = (servers: readonly Server[], views: ReadonlyMap<string, HostView>): Diagnostic => ({
  code: 'SAF003',
  what: `${servers.map(({ name }) => name).join(' and ')} are both primary`,
  why: 'each may hold commits that the other lacks; whatever is done next could lose some',
  fix: 'Stop the clients, bring over what is missing, stop the server that shall not be primary, and make it a standby again.',
  evidence: evidence(servers, views),
});

const noPrimary = (servers: readonly Server[], views: ReadonlyMap<string, HostView>): Diagnostic => ({
  code: 'SAF004',
  what: 'no server is primary, and there are standbys',
  why: 'the primary may have been on a host that is not in the inventory, or its data is gone; a new one would not fit the standbys',
  fix: 'Find the last primary and name it in the inventory, or promote the standby that is ahead (mc_ctl switch), then run the same command again.',
  evidence: evidence(servers, views),
});
