/**
 * Cluster: what an inventory says, checked and complete: defaults filled in, overrides of hosts applied.
 * Every server carries its whole configuration, so that later stages never look for a default.
 * Made by `inventory/load.ts`; read by every later stage.
 */
import { etcdName } from '../base/endpoint.ts';
import type { Heartbeat } from '../base/heartbeat.ts';
import type { Position } from '../base/position.ts';
import type { Secret } from '../base/secret.ts';
import type { Allowance } from '../base/unit-limits.ts';
import type { HardeningLevel } from '../postgres/hardening.ts';
import type { ControllerKeys } from './controller-keys.ts';

/** Scalars as PostgreSQL settings take them; numbers keep the form the user wrote. */
export type SettingValue = string | number | boolean;

export interface HbaRule {
  readonly type: 'local' | 'host' | 'hostssl' | 'hostnossl';
  readonly database: string;
  readonly user: string;
  /** CIDR, address or name; absent for `local`. */
  readonly address?: string;
  readonly method: string;
  /** Not this one, where clients need TLS. */
  readonly tls?: 'optional';
}

export type Role = 'primary' | 'standby';

export type HeartbeatLossPolicy = 'arbitration' | 'command' | 'message' | 'fallback';

export interface SshSettings {
  /** Each is undefined when the inventory leaves it to ~/.ssh/config and to the defaults of ssh. */
  readonly user?: string;
  readonly port?: number;
  readonly identityFile?: string;
  readonly passphrase?: Secret;
  readonly password?: Secret;
  readonly knownHosts?: string;
  readonly configFile?: string;
  readonly become: 'none' | 'sudo';
  readonly becomePassword?: Secret;
  /** How long to wait for the host to answer. Default 10 s. */
  readonly connectTimeoutMs: number;
}

/** Files on the host of the server; `ca`: who signs the certificates of all servers. */
export interface TlsFiles {
  readonly ca: string;
  readonly certificate: string;
  readonly key: string;
}

export interface PostgresSettings {
  /** Major version, for example 15. */
  readonly version: number;
  readonly port: number;
  readonly dataDir: string;
  readonly walDir?: string;
  /** The instance administrator: OS user and database superuser of one name. */
  readonly owner: string;
  /** Directory of initdb, pg_ctl and so on; found by looking when absent. */
  readonly binDir?: string;
  /** Directory of the Unix socket. */
  readonly socketDir: string;
  /** The password file of the instance administrator; absent: ~/.pgpass of that user. */
  readonly passfile?: string;
  /** Opens keystores before each start: a program and its arguments. */
  readonly unlockCommand?: string;
  /** Absent: as the controller has it. */
  readonly unlockTimeoutMs?: number;
  /** Reckoned from the declared clients; absent: none are declared. */
  readonly maxConnections?: number;
  readonly settings: Readonly<Record<string, SettingValue>>;
  readonly hba: readonly HbaRule[];
  /** Absent: what is there stays. */
  readonly tls?: TlsFiles | 'generated' | 'off';
  /** Do client rules demand TLS? Absent: they do not. */
  readonly tlsClients?: 'required' | 'optional';
  /** What an auditor asks for; absent: nothing. */
  readonly hardening?: HardeningLevel;
  /** It listens on the addresses of its server and on these alone; absent: on every address. */
  readonly listen?: readonly string[];
}

export interface WalKept {
  readonly megabytes: number;
  readonly downtimeMs: number;
}

export interface Multiplexing {
  readonly managementDir: string;
  /** Port of the controller on the admin network. */
  readonly port: number;
  readonly failover: 'automatic' | 'manual';
  readonly heartbeat: Heartbeat;
  /** The inventory says something of it. */
  readonly heartbeatChosen?: true;
  readonly onHeartbeatLoss: HeartbeatLossPolicy;
  /** For policy `command`. */
  readonly arbitrationCommand?: string;
  readonly referenceAddresses: readonly string[];
  /** What the unit does not take from the commands of controller and instance. */
  readonly unitAllows: readonly Allowance[];
  /** The WAL that a standby needs which is away for the declared time; absent: none is declared. */
  readonly walKept?: WalKept;
  /** Keys of <host>.conf that are handed on as they are. */
  readonly keys: ControllerKeys;
}

/** What is logged in to, looked at, locked and changed: an entry of `hosts`. What runs on it is not its business. */
export interface Host {
  readonly name: string;
  readonly connection: 'ssh' | 'local';
  /** Where SSH goes, and the job network. */
  readonly address: string;
  /** A word for the machine behind it: hosts with the same word are one machine. */
  readonly machine: string;
  /** Absent: found by looking. */
  readonly serviceManager?: 'systemd' | 'none';
  /** True when the scripts run as root there: become is sudo, or the login user is root, or local root. */
  readonly privileged: boolean;
  readonly ssh: SshSettings;
}

/** What a server may do besides streaming. */
export interface Duty {
  readonly failover: 'automatic' | 'never';
  /** Of several with the same data the highest is preferred. */
  readonly priority: number;
  readonly replication: 'synchronous' | 'asynchronous';
}

/** It becomes primary without a person. */
export const mayTakeOver = ({ duty }: { readonly duty: Duty }): boolean =>
  duty.failover === 'automatic' && duty.replication === 'synchronous';

/** Commits may wait for it, and it votes. */
export const isSynchronous = ({ duty }: { readonly duty: Duty }): boolean =>
  duty.replication === 'synchronous';

/** A PostgreSQL server with its Mirroring Controller, and the host that it runs on. A host carries one, or none. */
export interface Server {
  /** The server identifier, also the standby's application_name. It is the name of its host. */
  readonly name: string;
  readonly host: Host;
  /** Between controllers. */
  readonly adminAddress: string;
  /** Replication. */
  readonly logTransferAddress: string;
  /** What the inventory prefers; who is primary now is observed. */
  readonly preferredRole: Role;
  readonly duty: Duty;
  readonly postgres: PostgresSettings;
  readonly multiplexing: Multiplexing;
  /** Unit name without ".service": mcoi_<cluster>, with the server's name where two servers share a machine. */
  readonly unit: string;
}

/** A third host that answers who may act on a silence. It has no PostgreSQL, and may serve other clusters, too. */
export interface Arbiter {
  /** Its name in network.conf: that of its host. */
  readonly name: string;
  readonly host: Host;
  /** Where the controllers reach it. */
  readonly adminAddress: string;
  readonly port: number;
  readonly managementDir: string;
  /** OS user that it runs as. */
  readonly owner: string;
  /** Unit name without ".service": mcarb_<last part of its directory>; clusters that share the directory share the unit. */
  readonly unit: string;
}

/** An etcd that answers who may act on a silence. pgduet does not log in to its hosts. */
export interface Etcd {
  /** https://host:port of each member. */
  readonly endpoints: readonly string[];
  /** Certificates as PEM. */
  readonly ca: string;
  readonly user: string;
  readonly password: Secret;
  /** Of the keys of this cluster; it ends with a slash. */
  readonly prefix: string;
}

/** Who reaches our ports, by a firewall of the hosts. */
export interface Firewall {
  readonly by: 'nftables' | 'none';
  /** Networks of clients; absent: those of the client rules. */
  readonly clients?: readonly string[];
  /** Further addresses that servers come from. */
  readonly servers: readonly string[];
}

export interface Cluster {
  readonly name: string;
  /** Path of the inventory as given. */
  readonly file: string;
  /** In the order of the inventory. */
  readonly hosts: readonly Host[];
  /** In the order of their hosts; exactly one prefers to be primary. */
  readonly servers: readonly Server[];
  readonly arbiter?: Arbiter;
  /** In place of an arbiter. */
  readonly etcd?: Etcd;
  /** Absent: what is there stays. */
  readonly firewall?: Firewall;
  /** Absent when the inventory does not give it: then it is generated and kept on the hosts alone. */
  readonly replicationPassword?: Secret;
  /** The key of the CA that signs for the servers (PEM), where the inventory gives it. */
  readonly caKey?: Secret;
  readonly replicationUser: string;
  /** Where a value stands in the inventory: positionOf('hosts', 'server1', 'address'). Nearest parent if it was a default. */
  positionOf(...path: (string | number)[]): Position | undefined;
}

/** Where a host is, for people: this machine has no address that anybody logs in to. */
export const shownAddress = ({ connection, address }: Host): string =>
  connection === 'local' ? 'this machine' : address;

/** The same cluster on hosts that are reached in another way. */
export function withHosts(cluster: Cluster, change: (host: Host) => Host): Cluster {
  const hosts = new Map(cluster.hosts.map((host) => [host, change(host)]));
  const moved = <T extends { readonly host: Host }>(one: T): T => ({
    ...one,
    host: hosts.get(one.host) ?? one.host,
  });
  return {
    ...cluster,
    hosts: [...hosts.values()],
    servers: cluster.servers.map(moved),
    ...(cluster.arbiter ? { arbiter: moved(cluster.arbiter) } : {}),
  };
}

/** The same cluster for what concerns its servers alone: it goes on while the host of its arbiter is away. */
export const serversOnly = (cluster: Cluster): Cluster => ({
  ...cluster,
  hosts: cluster.servers.map(({ host }) => host),
});

/** The places that answer who may act on a silence: the arbiter or the etcd, else the servers; none under another policy. */
export function registerOf({ arbiter, etcd, servers }: Cluster): readonly string[] {
  if (servers[0]?.multiplexing.onHeartbeatLoss !== 'arbitration') return [];
  if (etcd) return [etcdName];
  return arbiter ? [arbiter.name] : servers.filter(isSynchronous).map(({ name }) => name);
}

/** The server on a host; undefined where there is none. */
export const serverOn = (cluster: Cluster, host: string): Server | undefined =>
  cluster.servers.find((server) => server.host.name === host);
