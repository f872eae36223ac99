/**
 * The survey: what has to be seen before it can be said what each host should be. Who is primary now, whose data is
 * where, which secrets the hosts hold. Roles are observed, not commanded; two primaries or none stop the run. Pure.
 */
import type { Diagnostic } from '../base/diagnostic.ts';
import { environmentFile, environmentText, parseEnvironment } from '../base/environment-file.ts';
import { parseRenewal, type Renewal, renewalFile } from '../base/renewal.ts';
import { Secret } from '../base/secret.ts';
import { quote } from '../base/shell.ts';
import { readStoppedRecord, type StoppedRecord } from '../base/stopped-words.ts';
import { isSecretName } from '../base/withheld.ts';
import type { Cluster, Server } from '../inventory/cluster.ts';
import { parsePgpassLine } from '../postgres/pgpass.ts';
import { configuredRows } from '../postgres/setting-row.ts';
import type { Probe, ProbeReply } from '../resources/contract/kind.ts';
import { stoppedProbe } from '../resources/contract/stopped-record.ts';
import { type NamesSeen, namesProbe, readNames } from '../resources/controller/names-observation.ts';
import { readRunning, runningProbe, waitingForRestart } from '../resources/controller/running-observation.ts';
import {
  type DataDirectory,
  dataDirectoryProbe,
  isFinished,
  lacksDirectory,
  leads,
  readDataDirectory,
} from '../resources/data/data-directory.ts';
import { type Adopted, adoptedFile } from '../resources/data/record.ts';
import { parseAdopted } from '../resources/data/record-form.ts';
import {
  type AdoptObservation,
  adoptProbe,
  readAdoptObservation,
} from '../resources/single/adopt-observation.ts';
import { type Facts, factsProbe, readFacts } from './facts.ts';
import type { LastPrimary } from './former.ts';
import { arbiterProbes, type IdentitiesSeen, identityProbes, readIdentitiesSeen } from './identities.ts';
import { type Origin, originProbe, readOrigin } from './lineage.ts';
import { inMaintenance, type MaintenanceSeen, parseRemembered, type Remembered } from './maintenance.ts';
import { calledBy } from './names.ts';
import { passwordScript } from './password-line.ts';
import { type ControllerRecord, parseRecord } from './record.ts';
import { readTlsSeen, type TlsSeen, tlsProbes } from './tls.ts';
import { readStreams, type Streams, streamsProbe, type Vouched, vouchedIn, withVouched } from './vouched.ts';
import { type DataOf, noPrimary, twoPrimaries, unknownPrimary } from './who-leads.ts';

/** What one host shows of itself. */
export interface HostView extends TlsSeen, IdentitiesSeen {
  readonly facts?: Facts;
  /** Undefined when it could not be looked at. */
  readonly data?: DataDirectory;
  /** Where that comes from, as the files beside it say. */
  readonly origin?: Origin;
  /** Whom it streams from, and who from it, as the server itself says; undefined where it could not be asked. */
  readonly streams?: Streams;
  /** Where its tablespaces are, as the server itself says; undefined where it could not be asked. */
  readonly tablespaces?: readonly string[];
  /** Of a primary: what counts for each setting at its next start, by lower-case name, as far as files say it. */
  readonly configured?: Readonly<Record<string, string>>;
  readonly replicationPassword?: Secret;
  readonly clusterKey?: Secret;
  /** By which mark the cell in etcd is named, where the cluster key has been renewed since. */
  readonly etcdCell?: string;
  /** What its instance is started with besides the environment of the controller, as text. */
  readonly environment?: Secret;
  /** A renewal of the secrets that is under way. */
  readonly renewal?: Renewal;
  /** Who is in maintenance, as the record of its controller says. */
  readonly remembered?: Remembered;
  /** What its controller has written down; missing where it never ran, or the file is not understood. */
  readonly record?: ControllerRecord;
  /** What travels with the data of a cluster whose first server was there before it. */
  readonly adopted?: Adopted;
  /** Of a server that is being migrated; nobody else asks for it. */
  readonly single?: AdoptObservation;
  /** A person has stopped it, and it is to stay down. */
  readonly stopped?: StoppedRecord;
  /** Of a server that runs; only a command that is about that asks for it. */
  readonly running?: Running;
  /** What the words mean there by which the hosts call each other. */
  readonly names?: NamesSeen;
  /** What stands there and could not be read, or understood: unknown is not absent. */
  readonly unread?: readonly Unread[];
}

/** When it was started and has read its files, as it says so itself, and which settings wait for a restart. */
export interface Running {
  readonly started: string;
  readonly loaded: string;
  readonly waiting: readonly string[];
  /** Standbys that are in sync, as its controller has heard it. */
  readonly inSync: readonly string[];
}

/** A file of the survey that is there, and what it holds is not known. */
export interface Unread {
  readonly about: 'replicationPassword' | 'clusterKey' | 'environment' | 'renewal' | 'etcdCell' | 'adopted';
  readonly file: string;
  readonly why: string;
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
  /** Who was primary before, where the command is about that. */
  readonly last?: LastPrimary;
  /**
   * Servers whose management directory is lost, and for which another server vouches: their data counts as recorded here. Missing where there
   * is none.
   */
  readonly vouched?: ReadonlyMap<string, Vouched>;
  /** Servers that a person has in maintenance; missing where there is none. */
  readonly maintained?: ReadonlyMap<string, MaintenanceSeen>;
}

/** Its controller need not run for that. */
export const rememberedProbe = ({ name, multiplexing }: Server): Probe =>
  printFile(`${multiplexing.managementDir}/${name}.state.json`);

export const clusterKeyFile = (server: Server): string => `${server.multiplexing.managementDir}/cluster.key`;

const place = (server: Server) => ({
  dataDir: server.postgres.dataDir,
  managementDir: server.multiplexing.managementDir,
  id: server.name,
});

/** What may change while a run goes on: whose data is where, and who leads. */
export const roleProbe = (server: Server): Probe => {
  const { version, walDir } = server.postgres;
  return {
    shell: dataDirectoryProbe({
      ...place(server),
      unit: server.unit,
      owner: server.postgres.owner,
      version,
      ...(walDir ? { walDir } : {}),
    }),
  };
};

/** Those that stand outside of the data directory; a link there may lead to what is no tablespace. */
const tablespaceQuery = `(select coalesce(json_agg(l order by l), '[]') from (select pg_tablespace_location(oid) as l from pg_tablespace) t where l like '/%')`;

/** What counts for each setting at the next start, as far as files say it; of a standby nobody asks. */
const configuredQuery = `(select case when pg_is_in_recovery() then null else coalesce(json_object_agg(c.name, c.setting), '{}') end from (${configuredRows}) c)`;

const serverProbes = (cluster: Cluster, server: Server) => ({
  data: roleProbe(server),
  origin: originProbe(place(server)),
  streams: streamsProbe,
  tablespaces: { sql: tablespaceQuery },
  configured: { sql: configuredQuery },
  passfile: { shell: passwordScript(cluster) },
  clusterKey: printFile(clusterKeyFile(server)),
  environment: printFile(environmentFile(place(server))),
  renewal: printFile(`${server.multiplexing.managementDir}/${renewalFile}`),
  ...identityProbes(server),
  remembered: rememberedProbe(server),
  ...(cluster.etcd ? { etcdCell: printFile(`${server.multiplexing.managementDir}/etcd.cell`) } : {}),
  adopted: printFile(adoptedFile(server.postgres.dataDir)),
  stopped: stoppedServerProbe(server),
  ...tlsProbes(cluster, server),
});

export const stoppedServerProbe = (server: Server): Probe => ({ shell: stoppedProbe(place(server)) });

/** The record, where there is one. */
export const readStoppedServer = (reply: ProbeReply): StoppedRecord | undefined =>
  reply.stdout.startsWith('stopped') ? readStoppedRecord(reply.stdout.slice('stopped'.length)) : undefined;

type AboutServer = keyof ReturnType<typeof serverProbes>;

/** What the survey asks of a host, by what the answer is about. A host without a server is that of the arbiter. */
export const surveyProbes = (
  cluster: Cluster,
  server: Server | undefined,
): { readonly facts: Probe } & Readonly<Partial<Record<AboutServer | 'names', Probe>>> => ({
  facts: factsProbe,
  ...namesAsked(cluster),
  ...(server ? serverProbes(cluster, server) : arbiterProbes(cluster)),
});

/** The answers to the survey, and to what some commands ask besides. */
export type SurveyReplies = Readonly<
  Partial<Record<'facts' | 'names' | AboutServer | 'single' | 'running', ProbeReply | undefined>>
>;

function namesAsked(cluster: Cluster): { readonly names?: Probe } {
  const called = calledBy(cluster);
  return called ? { names: namesProbe(called) } : {};
}

const printFile = (path: string): Probe => ({
  shell: `if [ -f ${quote(path)} ]; then text_of ${quote(path)}; fi`,
});

/** What a migration asks of the server that it begins with. */
export function singleServerProbe(server: Server): Probe {
  const { walDir } = server.postgres;
  return adoptProbe({ ...place(server), ...(walDir ? { walDir } : {}) });
}

const runningServerProbe = (server: Server): Probe =>
  runningProbe({ ...place(server), owner: server.postgres.owner, version: server.postgres.version });

/** The answers as they were given; `answer` is undefined for what was not asked. */
export function surveyReplies(
  cluster: Cluster,
  server: Server | undefined,
  answer: (probe: Probe) => ProbeReply | undefined,
): SurveyReplies {
  const more = server ? { single: singleServerProbe(server), running: runningServerProbe(server) } : {};
  const asked = Object.entries({ ...surveyProbes(cluster, server), ...more });
  return Object.fromEntries(asked.map(([about, probe]) => [about, answer(probe)]));
}

export function readHostView(replies: SurveyReplies): HostView {
  const facts = replies.facts && readFacts(replies.facts);
  const data = replies.data && readDataDirectory(replies.data);
  const streams = readStreams(replies.streams);
  const tablespaces = readTexts(replies.tablespaces?.sql);
  const configured = readSettings(replies.configured?.sql);
  const entry = parsePgpassLine(replies.passfile?.stdout.split('\n')[0] ?? '');
  const key = replies.clusterKey?.stdout.trim() ?? '';
  const renewal = parseRenewal(replies.renewal?.stdout ?? '');
  const etcdCell = replies.etcdCell?.stdout.trim() ?? '';
  const environment = replies.environment?.stdout ?? '';
  const names = replies.names && readNames(replies.names);
  const single = replies.single && readAdoptObservation(replies.single);
  const running = runningOf(replies.running);
  const stopped = replies.stopped && readStoppedServer(replies.stopped);
  // In the middle of a migration the server is asked again, and the survey is not: its record came to be meanwhile.
  const adopted = single?.adopted ?? parseAdopted(replies.adopted?.stdout ?? '');
  const remembered = parseRemembered(replies.remembered?.stdout ?? '');
  const record = parseRecord(replies.remembered?.stdout ?? '');
  const unread = unreadOf(replies, { renewal, adopted });
  return {
    ...(facts ? { facts } : {}),
    ...(data ? { data } : {}),
    ...(replies.origin?.status === 0 ? { origin: readOrigin(replies.origin, data?.control) } : {}),
    ...(streams ? { streams } : {}),
    ...(tablespaces ? { tablespaces } : {}),
    ...(configured ? { configured } : {}),
    ...(entry ? { replicationPassword: entry.password } : {}),
    ...(key ? { clusterKey: new Secret(key) } : {}),
    ...(environment ? { environment: new Secret(environment) } : {}),
    ...(renewal ? { renewal } : {}),
    ...(Object.keys(remembered).length > 0 ? { remembered } : {}),
    ...(record ? { record } : {}),
    ...(etcdCell ? { etcdCell } : {}),
    ...(adopted ? { adopted } : {}),
    ...(single ? { single } : {}),
    ...(running ? { running } : {}),
    ...(stopped ? { stopped } : {}),
    ...(unread.length > 0 ? { unread } : {}),
    ...(names ? { names } : {}),
    ...readTlsSeen(replies),
    ...readIdentitiesSeen(replies),
  };
}

function runningOf(reply: ProbeReply | undefined): Running | undefined {
  const seen = reply && readRunning(reply);
  if (seen?.state !== 'present' || !seen.value.live) return undefined;
  const { started, loaded } = seen.value.live;
  return { started, loaded, waiting: waitingForRestart(seen.value), inSync: seen.value.inSync };
}

function unreadOf(
  replies: SurveyReplies,
  { renewal, adopted }: { readonly renewal: unknown; readonly adopted: unknown },
): readonly Unread[] {
  const failed = (about: Unread['about'], file: string, reply: ProbeReply | undefined) =>
    reply && reply.status !== 0 ? [{ about, file, why: lastLine(reply) }] : [];
  const odd = (about: Unread['about'], file: string, reply: ProbeReply | undefined, value: unknown) =>
    reply?.status === 0 && reply.stdout.trim() !== '' && value === undefined
      ? [{ about, file, why: 'its text is not as this version of pgduet writes it' }]
      : [];
  return [
    ...failed('replicationPassword', 'the password file', replies.passfile),
    ...failed('clusterKey', 'cluster.key', replies.clusterKey),
    ...failed('environment', 'the file of its environment', replies.environment),
    ...failed('renewal', renewalFile, replies.renewal),
    ...failed('etcdCell', 'etcd.cell', replies.etcdCell),
    ...failed('adopted', 'pgduet.json', replies.adopted),
    ...odd('renewal', renewalFile, replies.renewal, renewal),
    ...odd('adopted', 'pgduet.json', replies.adopted, adopted),
  ];
}

const lastLine = ({ status, stderr }: ProbeReply): string =>
  stderr.trim().split('\n').at(-1) || (status === 124 ? 'it was not read in time' : `status ${status}`);

const readSettings = (value: unknown): Readonly<Record<string, string>> | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).map(([name, setting]) => [name, String(setting)]))
    : undefined;

const readTexts = (value: unknown): readonly string[] | undefined =>
  Array.isArray(value) && value.every((one) => typeof one === 'string') ? value : undefined;

/** Every secret that a host has shown. */
export const secretsOf = (view: HostView): readonly Secret[] =>
  [
    view.replicationPassword,
    view.clusterKey,
    ...[view.renewal?.key, view.renewal?.password].flatMap((turn) => (turn ? [turn.from, turn.to] : [])),
    ...Object.entries(parseEnvironment(environmentOf(view)?.reveal() ?? '') ?? {}).flatMap(([name, value]) =>
      isSecretName(name) ? [new Secret(value)] : [],
    ),
  ].flatMap((secret) => secret ?? []);

/** The environment of a server, as it stands in its file, or as the former service of a server that is taken in gave it. */
export function environmentOf({ environment, single }: HostView): Secret | undefined {
  if (environment) return environment;
  const given = Object.entries(single?.environment ?? {}).map(([name, value]) => [name, value.reveal()]);
  return given.length > 0 ? new Secret(environmentText(Object.fromEntries(given))) : undefined;
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
  looked: ReadonlyMap<string, HostView>,
): { view: View } | { refused: Diagnostic } {
  const seen = vouchedFor(cluster, looked);
  const { hosts } = seen;
  const found = findPrimary(cluster, hosts);
  if ('refused' in found) return found;
  const systemIdentifier = hosts.get(found.primary)?.data?.control?.systemIdentifier;
  const known = systemIdentifier ? { systemIdentifier } : {};
  return { view: { ...seen, primary: found.primary, ...known, ...maintainedIn(cluster, hosts) } };
}

/** The hosts as they count: of a server that is vouched for the data is of the cluster, although its own record is lost. */
export function vouchedFor(
  cluster: Cluster,
  hosts: ReadonlyMap<string, HostView>,
): Pick<View, 'hosts' | 'vouched'> {
  const vouched = vouchedIn(cluster, hosts);
  return vouched.size > 0 ? { hosts: withVouched(hosts, vouched), vouched } : { hosts };
}

/** What is remembered of a server that is not of the cluster any more says nothing. */
function maintainedIn(cluster: Cluster, hosts: ReadonlyMap<string, HostView>): Pick<View, 'maintained'> {
  const all = [...(maintainedOf(hosts).maintained ?? [])];
  const ours = all.filter(([name]) => cluster.servers.some((server) => server.name === name));
  return ours.length > 0 ? { maintained: new Map(ours) } : {};
}

/** Who is in maintenance, by all that the hosts remember. */
export function maintainedOf(hosts: ReadonlyMap<string, HostView>): Pick<View, 'maintained'> {
  const maintained = inMaintenance([...hosts.values()].map(({ remembered }) => remembered));
  return maintained.size > 0 ? { maintained } : {};
}

function findPrimary(
  cluster: Cluster,
  hosts: ReadonlyMap<string, HostView>,
): { primary: string } | { refused: Diagnostic } {
  const byName: DataOf = (name) => hosts.get(name)?.data;
  const dataOf = (server: Server) => byName(server.name);
  const running = cluster.servers.filter((server) => leads(dataOf(server)) && dataOf(server)?.running);
  if (running.length > 1) return { refused: twoPrimaries(running, byName) };
  const [runs] = running;
  if (runs) return { primary: runs.name };
  const stopped = cluster.servers.filter((server) => leads(dataOf(server)));
  if (stopped.length > 1) return { refused: twoPrimaries(stopped, byName) };
  const [stands] = stopped;
  if (stands) return { primary: stands.name };
  const followers = cluster.servers.filter(
    (server) => isFinished(dataOf(server)) && dataOf(server)?.standbySignal,
  );
  // The primary of another cluster is named too: it may be the one that is missed.
  const clusters = cluster.servers.filter((server) => dataOf(server)?.content === 'cluster');
  // A standby that were promoted beside it would be a second primary.
  const unknown = clusters.filter(({ name }) => {
    const data = byName(name);
    return isFinished(data) && data?.standbySignal === false;
  });
  const lost = unknown.filter((server) => lacksDirectory(dataOf(server)));
  if (followers.length > 0 || lost.length > 0)
    return {
      refused: unknown.length > 0 ? unknownPrimary(unknown, clusters, byName) : noPrimary(clusters, byName),
    };
  return { primary: preferredView(cluster).primary };
}
