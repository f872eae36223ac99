/**
 * Draft: an inventory as far as it could be understood. Whatever has the wrong form was taken out before, so
 * that the cross checks can still look at the rest and all errors of a file are reported at once.
 * In: the tidied plain value and the nodes. Out: hosts with overrides and defaults applied, and the
 * positions for messages. It judges nothing.
 */

import { dirname, isAbsolute as isAbsoluteHere, resolve } from 'node:path';
import { isAbsolute, join, normalize } from 'node:path/posix';
import type { Heartbeat } from '../base/heartbeat.ts';
import type { Position } from '../base/position.ts';
import { parseDurationMs } from '../base/units.ts';
import { type Node, nodeAt } from '../base/yaml.ts';
import type { Duty, HbaRule, SettingValue } from './cluster.ts';
import { defaults, heartbeatProfiles } from './defaults.ts';
import type { Lookups } from './lookups.ts';
import { keyPosition, valuePosition } from './positions.ts';
import type { Inventory } from './schema.ts';

/** Every key may be missing: it was left out, or it was wrong and has been reported. */
export type Partly<T> = T extends readonly (infer Item)[]
  ? readonly (Partly<Item> | undefined)[]
  : T extends object
    ? { readonly [Key in keyof T]?: Partly<T[Key]> | undefined }
    : T;

export type DraftInventory = Partly<Inventory>;
export type Path = readonly (string | number)[];

export interface DraftHost {
  readonly name: string;
  readonly role: 'primary' | 'standby' | 'arbiter' | undefined;
  readonly duty: Duty;
  readonly connection: 'ssh' | 'local';
  readonly address: string | undefined;
  readonly adminAddress: string | undefined;
  readonly logTransferAddress: string | undefined;
  readonly serviceManager: 'systemd' | 'none' | undefined;
  readonly privileged: boolean;
  readonly ssh: {
    readonly user: string | undefined;
    readonly port: number | undefined;
    readonly identityFile: string | undefined;
    readonly knownHosts: string | undefined;
    readonly configFile: string | undefined;
    readonly become: 'none' | 'sudo';
    readonly connectTimeoutMs: number;
  };
  /** Of the instance; an arbiter has none. */
  readonly port: number | undefined;
  readonly dataDir: string | undefined;
  readonly walDir: string | undefined;
  readonly binDir: string | undefined;
  readonly socketDir: string | undefined;
  readonly passfile: string | undefined;
  readonly unlockCommand: string | undefined;
  readonly unlockTimeoutMs: number | undefined;
  readonly managementDir: string | undefined;
  /** Of the controller, or of the arbiter. */
  readonly controllerPort: number;
  /** What holds for its controller: of this host, otherwise of all. */
  readonly own: HostKeys;
}

type HostKeys = NonNullable<DraftEntry['multiplexing']>;

export const isArbiter = ({ role }: DraftHost): boolean => role === 'arbiter';

/** The hosts that carry a server. */
export const serversOf = ({ hosts }: { readonly hosts: readonly DraftHost[] }): readonly DraftHost[] =>
  hosts.filter((host) => !isArbiter(host));

export const arbiterOf = ({ hosts }: { readonly hosts: readonly DraftHost[] }): DraftHost | undefined =>
  hosts.find(isArbiter);

export interface Draft {
  readonly file: string;
  readonly root: Node;
  readonly data: DraftInventory;
  readonly hosts: readonly DraftHost[];
  readonly settings: Readonly<Record<string, SettingValue>>;
  readonly hba: readonly (Partly<HbaRule> | undefined)[];
  readonly heartbeat: Heartbeat;
  readonly lookups: Lookups;
  /** Where the value at a path stands, or its nearest parent. */
  valueAt(...path: (string | number)[]): Position;
  /** Where the key at a path stands, or its nearest parent. */
  keyAt(...path: (string | number)[]): Position;
  /** Where a value of a host stands: its own override, otherwise the value for all, otherwise the host. */
  hostValueAt(host: string, ...path: (string | number)[]): Position;
  /** Whether the inventory gives a value at this path. */
  has(...path: (string | number)[]): boolean;
}

/** A file of this machine as an absolute path: ~ is the home, anything else is relative to the inventory. */
export function localPath(path: string, file: string, lookups: Lookups): string {
  if (path === '~' || path.startsWith('~/')) return join(lookups.home, path.slice(2));
  return isAbsoluteHere(path) ? path : resolve(lookups.cwd, dirname(file), path);
}

/** One spelling for one directory, so that paths can be compared: no double slashes, none at the end. */
export function remotePath(path: string | undefined): string | undefined {
  if (path === undefined || !isAbsolute(path)) return path;
  const tidy = normalize(path);
  return tidy.length > 1 && tidy.endsWith('/') ? tidy.slice(0, -1) : tidy;
}

function draftHost(name: string, data: DraftInventory, file: string, lookups: Lookups): DraftHost {
  const entry = data.hosts?.[name] ?? {};
  const ssh = { ...data.ssh, ...entry.ssh };
  const connection = entry.connection ?? defaults.connection;
  const become = ssh.become ?? defaults.become;
  const address = entry.address ?? (connection === 'local' ? defaults.localAddress : undefined);
  const login = connection === 'local' ? lookups.uid === 0 : ssh.user === undefined || ssh.user === 'root';
  const privileged = become === 'sudo' || login;
  const here = (path: string | undefined) =>
    path === undefined ? undefined : localPath(path, file, lookups);
  return {
    name,
    role: entry.role,
    duty: {
      failover: entry.failover ?? defaults.serverFailover,
      priority: entry.priority ?? defaults.priority,
      replication: entry.replication ?? defaults.replication,
    },
    connection,
    address,
    adminAddress: entry.admin_address ?? address,
    serviceManager: entry.service_manager,
    privileged,
    ssh: {
      user: ssh.user,
      port: ssh.port,
      identityFile: here(ssh.identity_file),
      knownHosts: here(ssh.known_hosts),
      configFile: here(ssh.config_file),
      become,
      connectTimeoutMs: milliseconds(ssh.connect_timeout, defaults.connectTimeout),
    },
    ...(entry.role === 'arbiter' ? arbiterPlace(entry) : serverPlace(data, entry, address, privileged)),
  };
}

type DraftEntry = NonNullable<NonNullable<DraftInventory['hosts']>[string]>;
type Place = Pick<
  DraftHost,
  | 'logTransferAddress'
  | 'port'
  | 'dataDir'
  | 'walDir'
  | 'binDir'
  | 'socketDir'
  | 'passfile'
  | 'unlockCommand'
  | 'unlockTimeoutMs'
  | 'managementDir'
  | 'controllerPort'
  | 'own'
>;

/** What holds for all servers says nothing of an arbiter. */
const arbiterPlace = ({ multiplexing }: DraftEntry): Place => ({
  logTransferAddress: undefined,
  port: undefined,
  dataDir: undefined,
  walDir: undefined,
  binDir: undefined,
  socketDir: undefined,
  passfile: undefined,
  unlockCommand: undefined,
  unlockTimeoutMs: undefined,
  managementDir: remotePath(multiplexing?.management_dir ?? defaults.arbiterDir),
  controllerPort: multiplexing?.port ?? defaults.arbiterPort,
  own: {},
});

function serverPlace(
  data: DraftInventory,
  entry: DraftEntry,
  address: string | undefined,
  privileged: boolean,
): Place {
  const place = { ...data.postgres, ...entry.postgres };
  const managementDir = remotePath(entry.multiplexing?.management_dir ?? data.multiplexing?.management_dir);
  return {
    logTransferAddress: entry.log_transfer_address ?? address,
    port: place.port ?? defaults.postgresPort,
    dataDir: remotePath(place.data_dir),
    walDir: remotePath(place.wal_dir),
    binDir: remotePath(place.bin_dir),
    socketDir: remotePath(place.socket_dir) ?? (privileged ? defaults.socketDir : managementDir),
    passfile: remotePath(place.passfile),
    unlockCommand: place.unlock_command,
    unlockTimeoutMs: parseDurationMs(place.unlock_command_timeout ?? ''),
    managementDir,
    controllerPort: entry.multiplexing?.port ?? data.multiplexing?.port ?? defaults.controllerPort,
    own: { ...data.multiplexing, ...entry.multiplexing },
  };
}

/** A duration of the inventory in ms; one that was taken out as wrong counts as its default. */
function milliseconds(text: string | undefined, standard: string): number {
  return parseDurationMs(text ?? standard) ?? parseDurationMs(standard) ?? 0;
}

type Written = NonNullable<NonNullable<DraftInventory['multiplexing']>['heartbeat']>;

/** What a word stands for, or what stands there itself. */
export const timesOf = (heartbeat: Written): Exclude<Written, string> =>
  typeof heartbeat === 'string' ? heartbeatProfiles[heartbeat] : heartbeat;

/** Applies overrides and defaults. Never fails: what is missing stays undefined. */
export function makeDraft(data: DraftInventory, root: Node, file: string, lookups: Lookups): Draft {
  const heartbeat = timesOf(data.multiplexing?.heartbeat ?? defaults.heartbeat);
  const has = (...path: (string | number)[]) => valuePosition(root, path) !== undefined;
  return {
    file,
    root,
    data,
    lookups,
    hosts: hostNames(data, root).map((name) => draftHost(name, data, file, lookups)),
    settings: definedOnly(data.postgres?.settings ?? {}),
    hba: data.postgres?.hba ?? [],
    heartbeat: {
      intervalMs: milliseconds(heartbeat.interval, defaults.interval),
      timeoutMs: milliseconds(heartbeat.timeout, defaults.timeout),
      retries: heartbeat.retries ?? defaults.retries,
    },
    valueAt: (...path) => valuePosition(root, path) ?? keyPosition(root, path.slice(0, -1)),
    keyAt: (...path) => keyPosition(root, path),
    hostValueAt: (host, ...path) =>
      valuePosition(root, ['hosts', host, ...path]) ??
      (data.hosts?.[host]?.role === 'arbiter' ? undefined : valuePosition(root, path)) ??
      keyPosition(root, ['hosts', host]),
    has,
  };
}

/** In the order of the file: an object puts names of digits first. */
function hostNames(data: DraftInventory, root: Node): readonly string[] {
  const hosts = nodeAt(root, ['hosts']);
  const written = hosts?.kind === 'map' ? hosts.entries.map(({ key }) => key) : [];
  return Object.keys(data.hosts ?? {}).sort((one, other) => written.indexOf(one) - written.indexOf(other));
}

function definedOnly(
  settings: Readonly<Record<string, SettingValue | undefined>>,
): Record<string, SettingValue> {
  return Object.fromEntries(
    Object.entries(settings).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, value] as const],
    ),
  );
}
