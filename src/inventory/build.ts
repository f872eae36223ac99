/**
 * Draft → Cluster, when nothing was found wrong. In: a draft whose required values are all there, and the
 * secrets by their path. Out: the Cluster, complete. It judges nothing; a missing value here is our defect.
 */

import { basename } from 'node:path/posix';
import type { Secret } from '../base/secret.ts';
import { normalAddress } from './addresses.ts';
import type {
  Arbiter,
  Cluster,
  Etcd,
  HbaRule,
  Host,
  Multiplexing,
  PostgresSettings,
  Server,
  SshSettings,
} from './cluster.ts';
import { type ControllerKeys, controllerKeyNames, inFile } from './controller-keys.ts';
import { defaults } from './defaults.ts';
import { arbiterOf, type Draft, type DraftHost, isArbiter, serversOf } from './draft.ts';
import { firewallOf, listenOf } from './firewall.ts';
import { machineOf, sharesMachine } from './machines.ts';
import { policyOf } from './policy.ts';
import { keyPosition, valuePosition } from './positions.ts';
import { maxConnectionsFor, walKeptFor } from './reckoned.ts';

/** Secrets by the path of their key, joined with dots: "ssh.passphrase", "hosts.server1.ssh.password". */
export type SecretsByPath = ReadonlyMap<string, Secret>;

/** Leaves out what is undefined, because an optional property and `undefined` are two things here. */
type Defined<T> = { [Key in keyof T]?: Exclude<T[Key], undefined> };
function given<T extends Record<string, unknown>>(values: T): Defined<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Defined<T>;
}

function buildSsh(host: DraftHost, secrets: SecretsByPath): SshSettings {
  const { become, connectTimeoutMs, ...others } = host.ssh;
  const secret = (key: string) => secrets.get(`hosts.${host.name}.ssh.${key}`) ?? secrets.get(`ssh.${key}`);
  const hidden = {
    passphrase: secret('passphrase'),
    password: secret('password'),
    becomePassword: secret('become_password'),
  };
  return { ...given(others), ...given(hidden), become, connectTimeoutMs };
}

function buildHba(draft: Draft): HbaRule[] {
  return draft.hba.flatMap((rule) => {
    const { type, database, user, method, address, tls } = rule ?? {};
    if (type === undefined || database === undefined || user === undefined || method === undefined) return [];
    return [{ type, database, user, method, ...given({ address: address && normalAddress(address), tls }) }];
  });
}

function buildPostgres(draft: Draft, host: DraftHost): PostgresSettings | undefined {
  const version = draft.data.postgres?.version;
  const { dataDir, port, socketDir } = host;
  if (version === undefined || dataDir === undefined || port === undefined || socketDir === undefined)
    return undefined;
  return {
    version,
    port,
    dataDir,
    socketDir,
    owner: draft.data.postgres?.owner ?? defaults.owner,
    settings: draft.settings,
    hba: buildHba(draft),
    ...given({
      walDir: host.walDir,
      binDir: host.binDir,
      passfile: host.passfile,
      unlockCommand: host.unlockCommand,
      unlockTimeoutMs: host.unlockTimeoutMs,
      maxConnections: maxConnectionsFor(draft),
      tls: tlsOf(draft, host),
      tlsClients: draft.data.postgres?.tls_clients,
      hardening: draft.data.postgres?.hardening,
      listen: listenOf(draft),
    }),
  };
}

function tlsOf({ data }: Draft, { name }: DraftHost): PostgresSettings['tls'] {
  const declared = data.postgres?.tls;
  if (declared === undefined || typeof declared === 'string') return declared;
  const { ca, certificate, key } = { ...declared, ...data.hosts?.[name]?.postgres?.tls };
  return ca && certificate && key ? { ca, certificate, key } : undefined;
}

function controllerKeysOf({ own }: DraftHost): ControllerKeys {
  return Object.fromEntries(
    controllerKeyNames.flatMap((name) => {
      const value = own[name];
      return value === undefined ? [] : [[name, inFile(name, value)] as const];
    }),
  );
}

function buildMultiplexing(draft: Draft, host: DraftHost): Multiplexing | undefined {
  const { managementDir } = host;
  const onHeartbeatLoss = policyOf(draft);
  if (managementDir === undefined || onHeartbeatLoss === undefined) return undefined;
  const keys = draft.data.multiplexing;
  return {
    managementDir,
    port: host.controllerPort,
    failover: keys?.failover ?? defaults.failover,
    heartbeat: draft.heartbeat,
    onHeartbeatLoss,
    unitAllows: (keys?.unit_allows ?? []).flatMap((word) => word ?? []),
    referenceAddresses: (host.own.reference_addresses ?? []).flatMap((address) => address ?? []),
    keys: controllerKeysOf(host),
    ...given({
      arbitrationCommand: host.own.arbitration_command,
      walKept: walKeptFor(draft),
      heartbeatChosen: keys?.heartbeat === undefined ? undefined : (true as const),
    }),
  };
}

function buildHost(host: DraftHost, secrets: SecretsByPath): Host | undefined {
  const { name, connection, address, privileged, serviceManager } = host;
  const machine = machineOf(host);
  if (address === undefined || machine === undefined) return undefined;
  const ssh = buildSsh(host, secrets);
  return { name, connection, address, machine, privileged, ssh, ...given({ serviceManager }) };
}

function buildServer(draft: Draft, entry: DraftHost, host: Host, cluster: string): Server | undefined {
  const postgres = buildPostgres(draft, entry);
  const multiplexing = buildMultiplexing(draft, entry);
  const { name, adminAddress, logTransferAddress, role, duty } = entry;
  if (!postgres || !multiplexing || !adminAddress || !logTransferAddress) return undefined;
  if (role === undefined || role === 'arbiter') return undefined;
  const shared = serversOf(draft).some((other) => other !== entry && sharesMachine(entry, other));
  return {
    name,
    host,
    adminAddress,
    logTransferAddress,
    preferredRole: role,
    duty,
    postgres,
    multiplexing,
    unit: shared ? `mcoi_${cluster}_${name}` : `mcoi_${cluster}`,
  };
}

/** Where scripts do not run as root, it runs as the login user, as the servers do. */
function buildArbiter(draft: Draft, entry: DraftHost, host: Host): Arbiter | undefined {
  const { name, adminAddress, managementDir, controllerPort } = entry;
  if (!adminAddress || !managementDir) return undefined;
  return {
    name,
    host,
    adminAddress,
    port: controllerPort,
    managementDir,
    owner: entry.privileged ? defaults.arbiterOwner : (draft.data.postgres?.owner ?? defaults.owner),
    unit: `mcarb_${basename(managementDir)}`,
  };
}

function buildEtcd(
  { data }: Draft,
  cluster: string,
  secrets: SecretsByPath,
  ca: string | undefined,
): Etcd | undefined {
  const { etcd = [], user, prefix = defaults.etcdPrefix } = data.arbiter ?? {};
  const password = secrets.get('arbiter.password');
  if (!user || !password || ca === undefined) return undefined;
  const endpoints = etcd.flatMap((member) => member ?? []);
  return { endpoints, ca, user, password, prefix: `${prefix.replace(/\/$/, '')}/${cluster}/` };
}

/** The Cluster, or undefined when a required value is missing: that must have been reported before. */
export function buildCluster(draft: Draft, secrets: SecretsByPath, ca?: string): Cluster | undefined {
  const name = draft.data.cluster;
  if (name === undefined) return undefined;
  const built = draft.hosts.flatMap((entry) => {
    const host = buildHost(entry, secrets);
    return host ? [{ entry, host }] : [];
  });
  const servers = built.flatMap(({ entry, host }) => buildServer(draft, entry, host, name) ?? []);
  const [arbiter] = built.flatMap(({ entry, host }) =>
    isArbiter(entry) ? (buildArbiter(draft, entry, host) ?? []) : [],
  );
  const etcd = buildEtcd(draft, name, secrets, ca);
  if (servers.length !== serversOf(draft).length || (arbiterOf(draft) && !arbiter)) return undefined;
  if (draft.data.arbiter && !etcd) return undefined;
  return {
    name,
    file: draft.file,
    hosts: built.map(({ host }) => host),
    servers,
    ...given({ arbiter, etcd, firewall: firewallOf(draft) }),
    replicationUser: draft.data.replication_user ?? defaults.replicationUser,
    ...given({
      replicationPassword: secrets.get('secrets.replication_password'),
      caKey: secrets.get('secrets.ca_key'),
    }),
    positionOf: (...path) => valuePosition(draft.root, path) ?? keyPosition(draft.root, path),
  };
}
