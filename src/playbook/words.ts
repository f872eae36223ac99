/**
 * The words that playbooks and templates may use: everything known about one host and its cluster, as plain values.
 * No secret is among them: a secret is named with `!secret` and never becomes text here. Pure.
 */
import {
  confByKeys,
  giveUpTimeMs,
  type NetworkConfContext,
  networkConfContext,
  type ServerConfContext,
  serverConf,
  serverConfContext,
  type UnitContext,
} from '../controller/config.ts';
import type { Cluster, Host, Role, Server } from '../inventory/cluster.ts';
import type { View } from '../observe/survey.ts';
import { conninfo } from '../postgres/conninfo.ts';
import { versionFacts } from '../postgres/versions.ts';
import { type AdoptedWords, adoptedWords, type SingleWords, singleWords } from './adopted-words.ts';
import { type DroppedWords, droppedWords, type TeardownWords, teardownWords } from './teardown-words.ts';

/** One server as others see it. */
export interface ServerWords {
  readonly name: string;
  readonly role: Role;
  readonly address: string;
  readonly adminAddress: string;
  readonly logTransferAddress: string;
  readonly port: number;
  readonly mcPort: number;
  /** Slot for the base backup of this server; letters, digits and underscores only. */
  readonly copySlot: string;
}

export interface TablespaceWords {
  readonly path: string;
}

export interface Words {
  readonly cluster: {
    readonly name: string;
    readonly replicationUser: string;
    readonly systemIdentifier: string;
  };
  readonly host: ServerWords & {
    readonly unit: string;
    readonly privileged: boolean;
    /** Root on a host with systemd: units, /usr/local and /etc/services are ours to write. */
    readonly managed: boolean;
    readonly systemd: boolean;
    /** The socket directory is neither the system's own nor the management directory: it has to be made. */
    readonly ownSocketDir: boolean;
  };
  readonly postgres: Readonly<Record<string, unknown>>;
  readonly multiplexing: {
    readonly managementDir: string;
    readonly port: number;
    readonly failover: 'automatic' | 'manual';
  };
  readonly primary: ServerWords;
  readonly standbys: readonly ServerWords[];
  readonly others: readonly ServerWords[];
  readonly servers: readonly ServerWords[];
  /** The server that the command names; without one the first standby. */
  readonly target: ServerWords;
  /** Everything postgresql.conf needs beyond the inventory's settings. */
  readonly replication: {
    readonly conninfo: string;
    readonly giveUpMs: number;
    readonly synchronousStandbyNames: string;
    readonly walKeepName: string;
    readonly walKeepValue: string;
    readonly addresses: readonly string[];
  };
  readonly hba: readonly { readonly line: string }[];
  readonly node: string;
  readonly bundle: string;
  readonly mcCtl: string;
  readonly serverConf: ServerConfContext;
  readonly networkConf: NetworkConfContext;
  readonly unit: UnitContext;
  /** In an `each`: the server or tablespace that is meant. */
  readonly item?: ServerWords | TablespaceWords;
  /** Those of the primary. */
  readonly tablespaces: readonly TablespaceWords[];
  readonly adopted: AdoptedWords;
  readonly single: SingleWords;
  /** Those that a teardown takes away. */
  readonly dropped: readonly DroppedWords[];
  readonly teardown: TeardownWords;
  readonly rebuild: {
    /** As long as the target is a former primary that could be rewound: the primary then lets pg_rewind in from its address. */
    readonly rewinds: boolean;
    readonly user: string;
    readonly address: string;
    readonly copy: boolean;
    readonly keepCopy: string;
  };
}

/** Made by the packages of PostgreSQL, with a mode of its own. */
const systemSocketDir = '/var/run/postgresql';
const walKeptMegabytes = 1024;

/** Is pgduet to write into the system's own directories there? */
export const isManaged = (host: Host, view: View): boolean =>
  host.privileged &&
  (host.serviceManager ?? view.hosts.get(host.name)?.facts?.serviceManager ?? 'systemd') === 'systemd';

export const bundlePath = (server: Server, view: View): string =>
  isManaged(server.host, view)
    ? '/usr/local/lib/pgduet/mc.cjs'
    : `${server.multiplexing.managementDir}/mc.cjs`;

export const mcCtlPath = (server: Server, view: View): string =>
  isManaged(server.host, view) ? '/usr/local/bin/mc_ctl' : `${server.multiplexing.managementDir}/mc_ctl`;

function serverWords(server: Server, view: View): ServerWords {
  return {
    name: server.name,
    role: server.name === view.primary ? 'primary' : 'standby',
    address: server.host.address,
    adminAddress: server.adminAddress,
    logTransferAddress: server.logTransferAddress,
    port: server.postgres.port,
    mcPort: server.multiplexing.port,
    copySlot: `pgduet_copy_${server.name.toLowerCase().replace(/[^a-z0-9]/g, '_')}`,
  };
}

export function wordsFor(cluster: Cluster, server: Server, view: View): Words {
  const servers = cluster.servers.map((each) => serverWords(each, view));
  const me = serverWords(server, view);
  const primary = servers.find((each) => each.role === 'primary') ?? me;
  const others = servers.filter((each) => each.name !== server.name);
  const managed = isManaged(server.host, view);
  const node = view.hosts.get(server.name)?.facts?.node ?? '/usr/bin/node';
  const conf = controllerConf(server);
  const target =
    servers.find((each) => each.name === view.target) ??
    servers.find((each) => each.role === 'standby') ??
    me;
  return {
    cluster: {
      name: cluster.name,
      replicationUser: cluster.replicationUser,
      systemIdentifier: view.systemIdentifier ?? '',
    },
    host: {
      ...me,
      unit: server.unit,
      privileged: server.host.privileged,
      managed,
      systemd: managed,
      ownSocketDir:
        !managed && ![server.multiplexing.managementDir, systemSocketDir].includes(server.postgres.socketDir),
    },
    postgres: postgresWords(server),
    multiplexing: {
      managementDir: server.multiplexing.managementDir,
      port: server.multiplexing.port,
      failover: server.multiplexing.failover,
    },
    primary,
    standbys: servers.filter((each) => each.role === 'standby'),
    others,
    servers,
    target,
    dropped: droppedWords(servers, target, view),
    teardown: teardownWords(server, me, target, view),
    rebuild: rebuildWords(view, target),
    tablespaces: (view.hosts.get(primary.name)?.data?.tablespaces ?? []).map((path) => ({ path })),
    adopted: adoptedWords(view),
    single: singleWords(view, server),
    replication: replicationWords(
      cluster,
      server,
      servers,
      me.role === 'primary' ? others[0] : primary,
      giveUpTimeMs(conf),
    ),
    hba: hbaWords(server),
    node,
    bundle: bundlePath(server, view),
    mcCtl: mcCtlPath(server, view),
    serverConf: serverConfContext(conf, { cluster: cluster.name, serverId: server.name }),
    networkConf: networkConfContext(
      cluster.name,
      cluster.servers.map((each) => ({
        id: each.name,
        host: each.adminAddress,
        port: each.multiplexing.port,
      })),
    ),
    unit: {
      unit: server.unit,
      cluster: cluster.name,
      serverId: server.name,
      owner: server.postgres.owner,
      group: server.postgres.owner,
      managementDir: server.multiplexing.managementDir,
      dataDir: server.postgres.dataDir,
      node,
      bundle: bundlePath(server, view),
    },
  };
}

function rebuildWords(view: View, target: ServerWords): Words['rebuild'] {
  const data = view.rebuild && view.hosts.get(target.name)?.data;
  const formerPrimary =
    data?.content === 'cluster' &&
    data.making === undefined &&
    !data.standbySignal &&
    target.name !== view.primary;
  return {
    rewinds: formerPrimary && view.rebuild?.copy === false,
    user: 'pgduet_rewind',
    address: cidr(target.logTransferAddress),
    copy: view.rebuild?.copy ?? false,
    keepCopy: view.rebuild?.keepCopy ?? '',
  };
}

function controllerConf(server: Server) {
  const { heartbeat, failover, onHeartbeatLoss, arbitrationCommand, referenceAddresses } =
    server.multiplexing;
  return serverConf({
    dbInstance: server.postgres.dataDir,
    heartbeatIntervalMs: heartbeat.intervalMs,
    heartbeatTimeoutMs: heartbeat.timeoutMs,
    heartbeatRetry: heartbeat.retries,
    heartbeatErrorAction: onHeartbeatLoss,
    failover,
    referenceAddresses,
    ...(arbitrationCommand ? { arbitrationCommand } : {}),
    ...confByKeys(server.multiplexing.keys),
  });
}

/** Strings for everything, since the playbook's values are text; lists and maps stay for templates. */
function postgresWords(server: Server): Readonly<Record<string, unknown>> {
  const { version, port, dataDir, walDir, owner, socketDir, settings } = server.postgres;
  return {
    version,
    port,
    dataDir,
    walDir: walDir ?? '',
    owner,
    socketDir,
    settings: Object.fromEntries(Object.entries(settings).map(([name, value]) => [name, settingText(value)])),
  };
}

const settingText = (value: string | number | boolean): string =>
  typeof value === 'boolean' ? (value ? 'on' : 'off') : String(value);

function replicationWords(
  cluster: Cluster,
  server: Server,
  servers: readonly ServerWords[],
  source: ServerWords | undefined,
  giveUpMs: number,
): Words['replication'] {
  const facts = versionFacts(server.postgres.version);
  const others = servers.filter((each) => each.name !== server.name).map((each) => standbyName(each.name));
  const addresses = [...new Set(servers.map((each) => cidr(each.logTransferAddress)))];
  return {
    conninfo: source
      ? conninfo({
          host: source.logTransferAddress,
          port: source.port,
          user: cluster.replicationUser,
          application_name: server.name,
          ...(server.postgres.passfile ? { passfile: server.postgres.passfile } : {}),
        })
      : '',
    giveUpMs,
    synchronousStandbyNames: others.length <= 1 ? others.join('') : `FIRST 1 (${others.join(', ')})`,
    walKeepName: facts.walKeep.name,
    walKeepValue: facts.walKeep.value(walKeptMegabytes),
    addresses,
  };
}

/** A name in synchronous_standby_names: quoted unless it is a plain word ("synchronous_standby_names"). */
const standbyName = (name: string): string =>
  /^[a-z_][a-z0-9_]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`;

/** An address as pg_hba.conf wants it: numbers with the mask of one host, names as they are. */
export const cidr = (address: string): string =>
  address.includes(':') ? `${address}/128` : /^[\d.]+$/.test(address) ? `${address}/32` : address;

const hbaWords = (server: Server): Words['hba'] =>
  server.postgres.hba.map((rule) => ({
    line: [
      rule.type,
      rule.database,
      rule.user,
      rule.address === undefined ? '' : rule.address.includes('/') ? rule.address : cidr(rule.address),
      rule.method,
    ]
      .filter((field) => field !== '')
      .join('  '),
  }));
