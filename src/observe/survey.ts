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
import {
  type AdoptObservation,
  adoptProbe,
  readAdoptObservation,
} from '../resources/single/adopt-observation.ts';
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
  readonly single?: AdoptObservation;
}

/** What all of them show together, and nothing else; every later stage reads it, none changes it. */
export interface View {
  readonly hosts: ReadonlyMap<string, HostView>;
  /** Name of the host that is primary now, or is to become it. */
  readonly primary: string;
  /** Of the cluster's data, once there is some. */
  readonly systemIdentifier?: string;
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

const serverProbes = (cluster: Cluster, server: Server) => ({
  data: roleProbe(server),
  passfile: {
    shell: `if [ -f "$PASSFILE" ]; then grep -m 1 -F ${quote(`:replication:${cluster.replicationUser}:`)} "$PASSFILE"; fi`,
  },
  clusterKey: printFile(clusterKeyFile(server)),
  adopted: printFile(adoptedFile(server.postgres.dataDir)),
});

type AboutServer = keyof ReturnType<typeof serverProbes>;

/** What the survey asks of a host, by what the answer is about. Of a host without a server only the facts are asked. */
export const surveyProbes = (
  cluster: Cluster,
  server: Server | undefined,
): { readonly facts: Probe } & Readonly<Partial<Record<AboutServer, Probe>>> => ({
  facts: factsProbe,
  ...(server ? serverProbes(cluster, server) : {}),
});

/** The answers to the survey, and to the probe of a single server where that was asked, too. */
export type SurveyReplies = Readonly<
  Partial<Record<'facts' | AboutServer | 'single', ProbeReply | undefined>>
>;

const printFile = (path: string): Probe => ({
  shell: `if [ -f ${quote(path)} ]; then cat ${quote(path)}; fi`,
});

/** What a migration asks of the server that it begins with. */
export const singleServerProbe = (server: Server): Probe => adoptProbe(place(server));

/** The answers as they were given; `answer` is undefined for what was not asked. */
export function surveyReplies(
  cluster: Cluster,
  server: Server | undefined,
  answer: (probe: Probe) => ProbeReply | undefined,
): SurveyReplies {
  const single = server ? { single: singleServerProbe(server) } : {};
  const asked = Object.entries({ ...surveyProbes(cluster, server), ...single });
  return Object.fromEntries(asked.map(([about, probe]) => [about, answer(probe)]));
}

export function readHostView(replies: SurveyReplies): HostView {
  const facts = replies.facts && readFacts(replies.facts);
  const data = replies.data && readDataDirectory(replies.data);
  const entry = parsePgpassLine(replies.passfile?.stdout.split('\n')[0] ?? '');
  const key = replies.clusterKey?.stdout.trim() ?? '';
  const single = replies.single && readAdoptObservation(replies.single);
  // In the middle of a migration the server is asked again, and the survey is not: its record came to be meanwhile.
  const adopted = single?.adopted ?? parseAdopted(replies.adopted?.stdout ?? '');
  return {
    ...(facts ? { facts } : {}),
    ...(data ? { data } : {}),
    ...(entry ? { replicationPassword: entry.password } : {}),
    ...(key ? { clusterKey: new Secret(key) } : {}),
    ...(adopted ? { adopted } : {}),
    ...(single ? { single } : {}),
  };
}

/** Before anything was observed: the roles that the inventory prefers. */
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
  // The primary of another cluster is named too: it may be the one that is missed.
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
  fix: `Stop the clients and keep copies of the data of both. 'mc_ctl status' names the one that holds more of what was acknowledged, as far as that shows; the higher timeline does not tell it. Bring over what only the other one holds, stop that one (mc_ctl stop), then: pgduet rebuild.`,
  evidence: evidence(servers, views),
});

const noPrimary = (servers: readonly Server[], views: ReadonlyMap<string, HostView>): Diagnostic => ({
  code: 'SAF004',
  what: 'no server is primary, and there are standbys',
  why: 'the primary may have been on a host that is not in the inventory, or its data is gone; a new one would not fit the standbys',
  fix: 'Find the last primary and name it in the inventory, or promote the standby that is ahead (mc_ctl switch), then run the same command again.',
  evidence: evidence(servers, views),
});
