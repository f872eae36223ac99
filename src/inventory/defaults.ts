/**
 * What a value is when the inventory leaves it out. One table, so that the schema, the reference in
 * `docs/inventory.md` and the Cluster cannot disagree. Data only.
 */
import { newestVersion, oldestVersion } from '../postgres/versions.ts';

/** The times that a word of `multiplexing.heartbeat` stands for. */
export const heartbeatProfiles = {
  normal: { interval: '800ms', timeout: '1s', retries: 2 },
  fast: { interval: '200ms', timeout: '500ms', retries: 2 },
} as const;

export const defaults = {
  replicationUser: 'pgduet_repl',
  become: 'none',
  connectTimeout: '10s',
  connection: 'ssh',
  localAddress: '127.0.0.1',
  postgresPort: 27500,
  owner: 'postgres',
  socketDir: '/var/run/postgresql',
  controllerPort: 27540,
  failover: 'automatic',
  serverFailover: 'automatic',
  priority: 100,
  replication: 'synchronous',
  heartbeat: 'normal',
  ...heartbeatProfiles.normal,
  /** Only where all servers are on one machine, and nobody answers who may act on a silence. */
  onHeartbeatLoss: 'fallback',
  arbiterPort: 27541,
  arbiterDir: '/mcarb/arbiter',
  arbiterOwner: 'mcarb',
  etcdPrefix: '/pgduet',
  walPerHour: '1GB',
} as const;

/** The oldest and the newest major version that `postgres/` has tables for. */
export const versions = { oldest: oldestVersion, newest: newestVersion } as const;

/** Of standbys, as the controller takes them. */
export const priorities = { highest: 1000 } as const;

/** Ports below 1024 need root, and neither PostgreSQL nor the controller runs as root. */
export const ports = { lowest: 1024, highest: 65_535 } as const;

/** The controller keeps its counts and its milliseconds in signed 32-bit numbers, as the product it follows. */
export const largest = 2_147_483_647;

/** MAX_BACKENDS of PostgreSQL is 262143; what is beside the clients has to fit, too. */
export const mostConnections = 262_000;
