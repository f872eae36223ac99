/** Hosts as the transport sees them: only the part that a connection needs is told apart, the rest is plausible. */
import { Secret } from '../../src/base/secret.ts';
import type { Host, SshSettings } from '../../src/inventory/cluster.ts';

/** What a test says about a host. Secrets are clear text here, so that they can travel to another process. */
export interface HostWish extends Partial<Omit<SshSettings, 'passphrase' | 'password' | 'becomePassword'>> {
  readonly name?: string;
  readonly connection?: 'ssh' | 'local';
  readonly address?: string;
  readonly passphrase?: string;
  readonly password?: string;
  readonly becomePassword?: string;
}

export function sampleHost(wish: HostWish = {}): Host {
  const {
    name = 'server1',
    connection = 'ssh',
    address = '192.0.2.100',
    passphrase,
    password,
    becomePassword,
    ...rest
  } = wish;
  const ssh: SshSettings = {
    become: 'none',
    connectTimeoutMs: 10_000,
    ...rest,
    ...(passphrase === undefined ? {} : { passphrase: new Secret(passphrase) }),
    ...(password === undefined ? {} : { password: new Secret(password) }),
    ...(becomePassword === undefined ? {} : { becomePassword: new Secret(becomePassword) }),
  };
  return {
    name,
    connection,
    address,
    adminAddress: address,
    logTransferAddress: address,
    preferredRole: 'primary',
    privileged: true,
    ssh,
    postgres: {
      version: 15,
      port: 27500,
      dataDir: '/database/inst1',
      owner: 'postgres',
      socketDir: '/tmp',
      settings: {},
      hba: [],
    },
    multiplexing: {
      managementDir: '/mcdir/inst1',
      port: 27540,
      failover: 'automatic',
      heartbeat: { intervalMs: 800, timeoutMs: 1000, retries: 2 },
      onHeartbeatLoss: 'fallback',
      referenceAddresses: [],
    },
    unit: 'mcoi_inst1',
  };
}
