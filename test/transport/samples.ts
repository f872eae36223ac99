/** Hosts as the transport sees them. */
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
    machine: `${address}:22`,
    privileged: true,
    ssh,
  };
}
