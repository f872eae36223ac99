/**
 * What the provisioner writes and the controller reads, by one type: network.conf, <serverIdentifier>.conf and
 * the unit. In: typed values. Out: the contexts of the three templates; `config-parse.ts` reads their result back.
 * The table `serverKeys` is the only place that knows the name, unit, range and default of a key. Pure.
 */
import { etcdName } from '../base/endpoint.ts';
import { giveUpMs, type Heartbeat } from '../base/heartbeat.ts';
import { fewestForMajority } from '../base/majority.ts';
import type { Secret } from '../base/secret.ts';
import {
  addressesByServer,
  command,
  defaultsOf,
  httpsList,
  integer,
  type KeyTable,
  list,
  path,
  secret,
  text,
  word,
  writtenValues,
} from './config-value.ts';

/** One server of network.conf. The order of the lines means nothing; who is primary is observed. */
export interface ServerLine {
  readonly id: string;
  /** On the admin network. */
  readonly host: string;
  readonly port: number;
  /** Second address and port of the later form of the line: the arbitration network. */
  readonly arbitrationHost?: string;
  readonly arbitrationPort?: number;
}

/** An arbiter of network.conf: a third host that has no instance. */
export interface ArbiterLine {
  readonly id: string;
  readonly host: string;
  readonly port: number;
}

/** What the core knows of an etcd: an arbiter at all these addresses. */
export function etcdLines({ etcdEndpoints }: Pick<ServerConf, 'etcdEndpoints'>): readonly ArbiterLine[] {
  const [first] = etcdEndpoints;
  return first === undefined
    ? []
    : [{ id: etcdName, host: etcdEndpoints.join(','), port: Number(new URL(first).port || 443) }];
}

/** All of network.conf. */
export interface NetworkConf {
  readonly servers: readonly ServerLine[];
  readonly arbiters: readonly ArbiterLine[];
}

/** Somebody can answer who may act on a silence: an arbiter, or a majority of three servers. */
export const canArbitrate = ({ servers, arbiters }: NetworkConf): boolean =>
  arbiters.length > 0 || servers.length >= fewestForMajority;

export type HeartbeatErrorAction = 'arbitration' | 'command' | 'message' | 'fallback';
export type InstanceTimeoutAction = 'none' | 'message' | 'failover' | 'delayed_failover';
export type SyslogFacility =
  | 'LOCAL0'
  | 'LOCAL1'
  | 'LOCAL2'
  | 'LOCAL3'
  | 'LOCAL4'
  | 'LOCAL5'
  | 'LOCAL6'
  | 'LOCAL7';

export const takeoverDuties = ['allowed', 'never'] as const;
export type TakeoverDuty = (typeof takeoverDuties)[number];
export const replicationDuties = ['synchronous', 'asynchronous'] as const;
export type ReplicationDuty = (typeof replicationDuties)[number];

/** <serverIdentifier>.conf with every default filled in. Times in milliseconds, as the names say. */
export interface ServerConf {
  /** The data directory. */
  readonly dbInstance: string;
  /** Absent: the OS user that the controller runs as. */
  readonly dbInstanceUsername?: string;
  /** Only where pg_hba.conf asks for a password; the provisioner uses peer and never writes it. */
  readonly dbInstancePassword?: Secret;
  readonly targetDb: 'postgres' | 'template1';
  /** How long one server may take to answer a command of the other; 0 means without limit. */
  readonly remoteCallTimeoutMs: number;
  readonly agentAliveTimeoutMs: number;
  readonly coreFilePath?: string;
  readonly syslogFacility: SyslogFacility;
  readonly syslogIdent: string;
  readonly heartbeatIntervalMs: number;
  readonly heartbeatTimeoutMs: number;
  readonly heartbeatRetry: number;
  readonly heartbeatErrorAction: HeartbeatErrorAction;
  readonly arbitrationCommand?: string;
  readonly arbitrationCommandTimeoutMs: number;
  readonly fencingCommand?: string;
  readonly fencingCommandTimeoutMs: number;
  readonly dbInstanceCheckIntervalMs: number;
  readonly dbInstanceCheckTimeoutMs: number;
  readonly dbInstanceCheckRetry: number;
  readonly dbInstanceTimeoutAction: InstanceTimeoutAction;
  /** With `delayed_failover`: an instance that has not answered for so long is given up. */
  readonly dbInstanceFailoverDelayMs: number;
  readonly diskCheckIntervalMs: number;
  readonly diskCheckTimeoutMs: number;
  readonly diskCheckRetry: number;
  readonly tablespaceDirectoryErrorAction: 'message' | 'failover';
  /** A standby that has more WAL yet to replay is reported; 0: never. */
  readonly replayLagWarningBytes: number;
  readonly postSwitchCommand?: string;
  readonly preDetachCommand?: string;
  readonly postAttachCommand?: string;
  /** How long each of the three commands before may take; waiting commits are held up by pre_detach_command that long at most. */
  readonly stateTransitionCommandTimeoutMs: number;
  /** Ours: automatic switch and disconnection at first start; mc_ctl changes it from then on. */
  readonly failover: 'automatic' | 'manual';
  /** Ours: addresses that tell "I am cut off" from "the peer is gone". */
  readonly referenceAddresses: readonly string[];
  /** Ours: by which word each of the other servers is replicated from, as it stands in the password file; by server. */
  readonly logTransferAddresses: Readonly<Record<string, string>>;
  /** Ours: whether this server may become primary by itself; `never` leaves it to a person. */
  readonly takeover: TakeoverDuty;
  /** Ours: of several that may take over with the same data the one with the highest number does. */
  readonly takeoverPriority: number;
  /** Ours: whether commits may wait for this server; one for which they do not neither votes nor takes over by itself. */
  readonly replication: ReplicationDuty;
  /** Ours: the members of the etcd that is the register, https://host:port; none: it is no register. */
  readonly etcdEndpoints: readonly string[];
  readonly etcdUser?: string;
  /** Below it are the keys of the cluster; it ends with a slash. */
  readonly etcdPrefix?: string;
  /** Ours: where the programs of PostgreSQL are; absent: where distributions put them, or in PATH. */
  readonly postgresBinDir?: string;
  /** Ours: opens keystores, before each start of the instance. */
  readonly unlockCommand?: string;
  readonly unlockCommandTimeoutMs: number;
}

const second = 1000;
export const facilities = [
  'LOCAL0',
  'LOCAL1',
  'LOCAL2',
  'LOCAL3',
  'LOCAL4',
  'LOCAL5',
  'LOCAL6',
  'LOCAL7',
] as const;

/** Every key of <serverIdentifier>.conf, in the order in which the template writes them. */
export const serverKeys: KeyTable<ServerConf> = {
  dbInstance: path('db_instance', 'required'),
  dbInstanceUsername: text('db_instance_username', undefined, 63),
  dbInstancePassword: secret('db_instance_password'),
  targetDb: word('target_db', ['postgres', 'template1'], 'postgres', 'quoted'),
  remoteCallTimeoutMs: integer('remote_call_timeout', { min: 0, unit: 'ms', fallback: 70_000 }),
  agentAliveTimeoutMs: integer('agent_alive_timeout', { min: 0, unit: 's', fallback: 0 }),
  coreFilePath: path('core_file_path', 'optional'),
  syslogFacility: word('syslog_facility', facilities, 'LOCAL0', 'bare'),
  syslogIdent: text('syslog_ident', 'MirroringControllerOpen', 64),
  heartbeatIntervalMs: integer('heartbeat_interval', { min: 1, unit: 'ms', fallback: 800 }),
  heartbeatTimeoutMs: integer('heartbeat_timeout', {
    min: 1,
    unit: 's',
    fallback: 1 * second,
    finer: true,
  }),
  heartbeatRetry: integer('heartbeat_retry', { min: 0, unit: '', fallback: 2 }),
  heartbeatErrorAction: word(
    'heartbeat_error_action',
    ['arbitration', 'command', 'message', 'fallback'],
    'fallback',
    'bare',
  ),
  arbitrationCommand: command('arbitration_command'),
  arbitrationCommandTimeoutMs: integer('arbitration_command_timeout', {
    min: 1,
    unit: 's',
    fallback: 10 * second,
  }),
  fencingCommand: command('fencing_command'),
  fencingCommandTimeoutMs: integer('fencing_command_timeout', { min: 1, unit: 's', fallback: 20 * second }),
  dbInstanceCheckIntervalMs: integer('db_instance_check_interval', { min: 1, unit: 'ms', fallback: 800 }),
  dbInstanceCheckTimeoutMs: integer('db_instance_check_timeout', {
    min: 1,
    unit: 's',
    fallback: 1 * second,
    finer: true,
  }),
  dbInstanceCheckRetry: integer('db_instance_check_retry', { min: 0, unit: '', fallback: 2 }),
  dbInstanceTimeoutAction: word(
    'db_instance_timeout_action',
    ['none', 'message', 'failover', 'delayed_failover'],
    'delayed_failover',
    'bare',
  ),
  dbInstanceFailoverDelayMs: integer('db_instance_failover_delay', {
    min: 1,
    unit: 's',
    fallback: 60 * second,
  }),
  diskCheckIntervalMs: integer('disk_check_interval', { min: 1, unit: 'ms', fallback: 800 }),
  // An fsync of several seconds is ordinary during a checkpoint on a busy disk; only a stuck disk takes longer.
  diskCheckTimeoutMs: integer('disk_check_timeout', {
    min: 1,
    unit: 's',
    fallback: 10 * second,
    finer: true,
  }),
  diskCheckRetry: integer('disk_check_retry', { min: 0, unit: '', fallback: 2 }),
  tablespaceDirectoryErrorAction: word(
    'tablespace_directory_error_action',
    ['message', 'failover'],
    'message',
    'bare',
  ),
  replayLagWarningBytes: integer('replay_lag_warning', { min: 0, unit: 'MB', fallback: 1024 ** 3 }),
  postSwitchCommand: command('post_switch_command'),
  preDetachCommand: command('pre_detach_command'),
  postAttachCommand: command('post_attach_command'),
  stateTransitionCommandTimeoutMs: integer('state_transition_command_timeout', {
    min: 1,
    unit: 's',
    fallback: 10 * second,
  }),
  failover: word('failover', ['automatic', 'manual'], 'automatic', 'bare'),
  referenceAddresses: list('reference_addresses'),
  logTransferAddresses: addressesByServer('log_transfer_addresses'),
  takeover: word('takeover', takeoverDuties, 'allowed', 'bare'),
  takeoverPriority: integer('takeover_priority', { min: 0, max: 1000, unit: '', fallback: 100 }),
  replication: word('replication', replicationDuties, 'synchronous', 'bare'),
  etcdEndpoints: httpsList('etcd_endpoints'),
  etcdUser: text('etcd_user', undefined, 63),
  etcdPrefix: path('etcd_prefix', 'optional'),
  postgresBinDir: path('postgres_bin_dir', 'optional'),
  unlockCommand: command('unlock_command'),
  unlockCommandTimeoutMs: integer('unlock_command_timeout', { min: 1, unit: 's', fallback: 60 * second }),
};

/** What a key has when the file does not name it. `dbInstance` has no default. */
export const serverConfDefaults = defaultsOf(serverKeys) as Omit<ServerConf, 'dbInstance'>;

/** The time after which a silent peer is given up. */
export const giveUpTimeMs = (conf: ServerConf): number =>
  giveUpMs({
    intervalMs: conf.heartbeatIntervalMs,
    timeoutMs: conf.heartbeatTimeoutMs,
    retries: conf.heartbeatRetry,
  });

/**
 * The checks of instance and disks, with the patience of this heartbeat where that is more than their own. A faster one says how
 * good the network is, and nothing of how soon a busy server answers or a disk ends an fsync.
 */
export function checksFollowing({ intervalMs, timeoutMs, retries }: Heartbeat): Partial<ServerConf> {
  const own = serverConfDefaults;
  return {
    dbInstanceCheckIntervalMs: Math.max(own.dbInstanceCheckIntervalMs, intervalMs),
    dbInstanceCheckTimeoutMs: Math.max(own.dbInstanceCheckTimeoutMs, timeoutMs),
    dbInstanceCheckRetry: Math.max(own.dbInstanceCheckRetry, retries),
    diskCheckIntervalMs: Math.max(own.diskCheckIntervalMs, intervalMs),
    diskCheckTimeoutMs: Math.max(own.diskCheckTimeoutMs, timeoutMs),
    diskCheckRetry: Math.max(own.diskCheckRetry, retries),
  };
}

/** Context of `templates/server.conf.hbs`: every key's value already in the form of the file. */
export interface ServerConfContext {
  readonly cluster: string;
  readonly serverId: string;
  /** By key of the file, such as "db_instance"; a key that is not set is missing. */
  readonly values: Readonly<Record<string, string>>;
}

/** Context of `templates/network.conf.hbs`. */
export interface NetworkConfContext {
  readonly cluster: string;
  readonly servers: readonly {
    readonly id: string;
    readonly hosts: string;
    readonly ports: string;
    /** " server" in the later form of the line, empty in the short one. */
    readonly suffix: string;
  }[];
  readonly arbiters: readonly ArbiterLine[];
}

/** Context of `templates/mcoi.service.hbs`. Paths are absolute; ASCII without space, quote or percent sign. */
export interface UnitContext {
  /** Without ".service". */
  readonly unit: string;
  readonly cluster: string;
  readonly serverId: string;
  readonly owner: string;
  readonly group: string;
  readonly managementDir: string;
  readonly dataDir: string;
  /** What else the instance writes to in trees that systemd keeps read-only; `unitPath` has written them. */
  readonly writable: readonly string[];
  /** Lines of `base/unit-limits.ts`. */
  readonly limits: readonly string[];
  /** Absolute path of the host's Node.js. */
  readonly node: string;
  /** Absolute path of mc.js on the host. */
  readonly bundle: string;
}

/** A path as a word of a unit, where blanks, quotes and percent signs have a meaning. */
export const unitPath = (path: string): string => {
  const literal = path.replaceAll('%', '%%').replaceAll('\\', '\\\\').replaceAll('"', '\\"');
  return /[\s'"]/.test(path) ? `"-${literal}"` : `-${literal}`;
};

/** Fills in the defaults; what the provisioner knows goes in, a whole configuration comes out. */
export function serverConf(known: Pick<ServerConf, 'dbInstance'> & Partial<ServerConf>): ServerConf {
  return { ...serverConfDefaults, ...known };
}

/**
 * Values by the keys of the file, such as db_instance_timeout_action, as fields of the configuration. Whoever gives them
 * has checked them; a value that the controller would refuse is a mistake of the program.
 */
export function confByKeys(
  values: Readonly<Record<string, string | number | undefined>>,
): Partial<ServerConf> {
  const entries = Object.entries(serverKeys).flatMap(([field, spec]) => {
    const value = values[spec.key];
    if (value === undefined) return [];
    const reading = spec.read({ text: String(value), quoted: true });
    if (reading.kind !== 'value')
      throw new Error(`${spec.key} cannot be ${value}: it must be ${spec.expected}`);
    return [[field, reading.value] as const];
  });
  // Each value was read by the spec of its own field, which is what KeyTable promises.
  return Object.fromEntries(entries) as unknown as Partial<ServerConf>;
}

/** The context that renders to exactly this configuration. A password is never rendered. */
export function serverConfContext(
  conf: ServerConf,
  about: { readonly cluster: string; readonly serverId: string },
): ServerConfContext {
  return { ...about, values: writtenValues(serverKeys, conf) };
}

/** The context that renders to exactly these lines. */
export function networkConfContext(
  cluster: string,
  servers: readonly ServerLine[],
  arbiters: readonly ArbiterLine[] = [],
): NetworkConfContext {
  return {
    cluster,
    arbiters,
    servers: servers.map((line) => {
      const later = line.arbitrationHost !== undefined && line.arbitrationPort !== undefined;
      return {
        id: line.id,
        hosts: later ? `${line.host},${line.arbitrationHost}` : line.host,
        ports: later ? `${line.port},${line.arbitrationPort}` : String(line.port),
        suffix: later ? ' server' : '',
      };
    }),
  };
}
