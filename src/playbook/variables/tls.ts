/**
 * The variables of TLS between the servers (ADR 28): what a server is started with, and what is demanded of the server that is asked. That follows
 * from what that one was seen to serve, and not from the inventory alone: who demands what is not there yet reaches nobody. Pure.
 */
import type { Situation } from '../../intent/intent.ts';
import { leftAlone } from '../../intent/maintenance.ts';
import type { Cluster, Server, TlsFiles } from '../../inventory/cluster.ts';
import type { OwnPair } from '../../observe/issued.ts';
import type { View } from '../../observe/survey.ts';
import { besideOf, copyPathOf, listPathOf, ownFiles, tlsDirectory, tlsFilesOf } from '../../observe/tls.ts';
import { type Conninfo, nowhere, serverConninfo } from '../../postgres/conninfo.ts';
import { isOn } from '../../postgres/setting-value.ts';
import { deniesTls, filesObjection } from '../../resources/contract/tls-look.ts';
import { lockedOut } from './client-rules.ts';

export interface TlsVariables {
  /** `on`, `off`, `pending` as long as a pair is still to be made, or empty: nothing is declared of it. */
  readonly state: 'on' | 'off' | 'pending' | '';
  readonly ca: string;
  readonly certificate: string;
  readonly key: string;
  /** Whether what it is started with can be tried before: files that this run makes are not there yet. */
  readonly tried: boolean;
  /** What it is started with. */
  readonly settings: Readonly<Record<string, string>>;
  /** Settings of our block that resources of their own declare. */
  readonly except: readonly string[];
  /** Of `primary_conninfo` that stands and verifies, as kind `settings` takes it. */
  readonly upstream: 'kept' | 'free' | '';
  /** What the hosts together show to be in the way. */
  readonly problem: string;
  /** Logins that prove the way before a standby takes it: connection strings by name. */
  readonly logins: Readonly<Record<string, string>>;
  /** Words of connection strings to the server that this one follows, or would follow. */
  readonly demands: Conninfo;
  /** How rules for servers begin. */
  readonly rule: 'host' | 'hostssl';
  /** Clients that are in without TLS as the rules begin to demand it; else empty. */
  readonly lockedOut: string;
}

/** Of a pair that pgduet makes. */
export interface OwnTlsVariables {
  /** The password file as kinds of TLS take it; empty where pgduet makes no pair for this server. */
  readonly beside: string;
  readonly directory: string;
  /** Those who sign; empty where nobody says it. */
  readonly list: string;
  /** Where the copy of that list lies, once the host has said it. */
  readonly copy: string;
  readonly needsKey: boolean;
  /** The server has a pair, and another one is made for it. */
  readonly anew: boolean;
  /** It may be turned to another pair in this run. */
  readonly turns: boolean;
  /** What is to be laid beside the key that waits. */
  readonly certificate: string;
  readonly problem: string;
}

/** Settings that say whether TLS is served, and with what. */
export const tlsNames = ['ssl', 'ssl_cert_file', 'ssl_key_file'];
const controllers = ['synchronous_standby_names', 'synchronized_standby_slots'];

export function tlsVariables(situation: Situation, server: Server, source: string | undefined): TlsVariables {
  const { view } = situation;
  const files = filesOf(situation, server);
  const { tls } = server.postgres;
  const wanted = tls !== undefined && tls !== 'off' && pairOf(situation, server)?.state !== 'none';
  return {
    state: files ? 'on' : wanted ? 'pending' : tls === 'off' ? 'off' : '',
    ca: files?.ca ?? '',
    certificate: files?.certificate ?? '',
    key: files?.key ?? '',
    tried: pairOf(situation, server)?.state !== 'signed',
    settings: tlsSettings(server, files),
    except: [...controllers, ...exceptOwn(view, server)],
    upstream: wanted ? 'kept' : tls === undefined ? '' : 'free',
    problem:
      files && tls !== 'generated' ? unfollowed(situation, server) : tls === 'off' ? left(situation) : '',
    logins: files && isTurning(view) ? loginsOf(situation, server) : {},
    demands: demandsTo(situation, server, source),
    rule: wanted && !isTurning(view) && !denies(view, server, server) ? 'hostssl' : 'host',
    lockedOut: lockedOut(view, server),
  };
}

/** Where TLS is off the paths go, too, but not before the server was seen to offer it no more: nobody reads them then. */
function exceptOwn(view: View, { name, postgres: { tls } }: Server): readonly string[] {
  if (tls === undefined) return [];
  return tls === 'off' && view.hosts.get(name)?.tls?.served === 'none' ? ['ssl'] : tlsNames;
}

const pairOf = ({ issued }: Situation, { name, postgres: { tls } }: Server): OwnPair | undefined =>
  tls === 'generated' ? (issued?.pairs.get(name) ?? { state: 'unseen' }) : undefined;

function filesOf(situation: Situation, server: Server): TlsFiles | undefined {
  const look = situation.view.hosts.get(server.name)?.tls;
  const pair = pairOf(situation, server);
  if (!pair) return tlsFilesOf(server, look);
  return pair.state === 'kept' || pair.state === 'signed' || pair.state === 'renewed'
    ? ownFiles(server, pair.name, look)
    : undefined;
}

export function ownTlsVariables(situation: Situation, server: Server): OwnTlsVariables {
  const pair = pairOf(situation, server);
  const declares = pair !== undefined && pair.state !== 'none';
  return {
    beside: declares ? besideOf(server) : '',
    directory: tlsDirectory(server),
    list: situation.issued?.list ?? '',
    copy: copyPathOf(server, situation.view.hosts.get(server.name)?.tls) ?? '',
    needsKey: pair?.state === 'keyless' || (pair?.state === 'renewed' && pair.needsKey === true),
    anew: pair?.state === 'renewed',
    turns: pair?.state === 'renewed' && pair.turns,
    certificate: pair?.state === 'signed' || pair?.state === 'renewed' ? (pair.certificate ?? '') : '',
    problem: pair?.state === 'refused' ? pair.problem : '',
  };
}

/** What is there stays where the inventory says nothing. */
export function tlsSettings(server: Server, files: TlsFiles | undefined): Readonly<Record<string, string>> {
  if (files) return { ssl: 'on', ssl_cert_file: files.certificate, ssl_key_file: files.key };
  return server.postgres.tls === 'off' ? { ssl: 'off' } : {};
}

/**
 * Words of every connection string from `server` to `source`: none where nobody could keep to them. Who is not seen, or does not answer, is taken
 * to serve: unknown takes nothing away.
 */
export function demandsTo(situation: Situation, server: Server, source: string | undefined): Conninfo {
  const { cluster, view } = situation;
  const { tls } = server.postgres;
  if (tls === undefined)
    return cluster.servers.some(({ name }) => name === source) ? asBefore(situation) : {};
  if (tls === 'off') return {};
  const asked = cluster.servers.find(({ name }) => name === source);
  return asked && !denies(view, asked, server) && followsAll(situation, server) ? proof(server, view) : {};
}

/**
 * A server that offered TLS before it was taken in goes on with its own files, and its copies have the same settings: replication is encrypted
 * from the first byte on. Nobody is verified: whose list would it be?
 */
const asBefore = ({ intent, view }: Situation): Conninfo =>
  intent.kind === 'migrate' &&
  isOn(view.hosts.get(view.primary)?.single?.live?.settings.get('ssl')?.value ?? '')
    ? { sslmode: 'require', sslrootcert: nowhere, gssencmode: 'disable', sslcert: nowhere, sslcrl: nowhere }
    : {};

/**
 * libpq would encrypt by GSS whatever sslmode says, and take a certificate and a list of the administrator's home: these are named where
 * nothing is. SCRAM bound to the connection needs no word about other ways to log in: none of them can be.
 */
const proof = (server: Server, view: View): Conninfo => ({
  sslmode: 'verify-full',
  sslrootcert: listPathOf(server, view.hosts.get(server.name)?.tls),
  channel_binding: 'require',
  gssencmode: 'disable',
  sslcert: nowhere,
  sslcrl: nowhere,
});

/**
 * Of a line the controllers turn host and port alone: who verifies has to be able to follow everybody who may take over. A rebuild brings back
 * who may have verified before, and goes by its source.
 */
function followsAll({ cluster, view, intent }: Situation, server: Server): boolean {
  if (intent.kind === 'rebuild') return true;
  const out = [...leftAlone(intent, view), ...(view.absent ?? [])];
  // In a cluster that verifies already nobody begins by that.
  const unsure = ({ name }: Server): boolean =>
    isTurning(view) && out.includes(name) && view.hosts.get(name)?.tls?.served === undefined;
  return cluster.servers.every(
    (other) => other.name === server.name || !(denies(view, other, server) || unsure(other)),
  );
}

/** It was seen to serve what `by` could not follow. */
function denies(view: View, asked: Server, by: Server): boolean {
  const look = view.hosts.get(asked.name)?.tls;
  const list = view.hosts.get(by.name)?.tls?.ca;
  return look !== undefined && deniesTls(look, placeOf(asked), list ?? look.ca);
}

const placeOf = ({ logTransferAddress, postgres }: Server) => ({
  host: logTransferAddress,
  version: postgres.version,
});

/** Some standby that runs does not verify its primary yet. */
const isTurning = (view: View): boolean =>
  [...view.hosts.values()].some(({ verifies }) => verifies === false);

/** Those that run are logged in to, as soon as they serve. */
function loginsOf(situation: Situation, server: Server): Readonly<Record<string, string>> {
  const { cluster, view, intent } = situation;
  const out = leftAlone(intent, view);
  const runs = (name: string): boolean => view.hosts.get(name)?.data?.running === true;
  if (!runs(server.name)) return {};
  const { passfile } = server.postgres;
  return Object.fromEntries(
    cluster.servers
      .filter(({ name }) => name !== server.name && runs(name) && !out.includes(name))
      .filter((other) => !denies(view, other, server))
      .map((other) => {
        const to = {
          host: other.logTransferAddress,
          port: other.postgres.port,
          user: cluster.replicationUser,
        };
        const more = {
          ...proof(server, view),
          dbname: 'replication',
          replication: 'true',
          connect_timeout: 5,
        };
        return [other.name, serverConninfo(to, 'pgduet_login', passfile ? { ...more, passfile } : more)];
      }),
  );
}

/** The certificate of another server that this one could not follow by its own list. */
function unfollowed({ cluster, view }: Situation, server: Server): string {
  const list = view.hosts.get(server.name)?.tls?.ca;
  if (list === undefined) return '';
  for (const other of cluster.servers) {
    const look = view.hosts.get(other.name)?.tls;
    const objection =
      other.name !== server.name && look && !look.problem && filesObjection(look, placeOf(other), list);
    if (objection)
      return `by ${tlsFilesOf(server, undefined)?.ca ?? ''} the certificate of ${other.name} is not good: ${objection}`;
  }
  return '';
}

/** Who is away would go on demanding what the others do not offer any more. */
function left({ cluster, view, intent }: Situation): string {
  const away = awayFrom(cluster, view, leftAlone(intent, view));
  const on = [...view.hosts.values()].some(({ tls }) => tls?.served !== undefined && tls.served !== 'none');
  return on && away.length > 0
    ? `${away.join(', ')} ${away.length === 1 ? 'is' : 'are'} away, or in maintenance, and would go on demanding TLS`
    : '';
}

const awayFrom = ({ servers }: Cluster, view: View, out: readonly string[]): readonly string[] =>
  servers.map(({ name }) => name).filter((name) => view.absent?.has(name) || out.includes(name));
