// etcd on this machine, for the tests of the register in etcd: found, or installed as root on Debian.
import { spawnSync } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';

export const hasEtcd = () => spawnSync('etcd', ['--version']).status === 0;

/** Installs Debian's package without the service that it would start. Says whether it is there then. */
export function installEtcd() {
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) return false;
  const policy = '/usr/sbin/policy-rc.d';
  const ours = !existsSync(policy);
  if (ours) writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  const options = { stdio: ['ignore', 2, 2], env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } };
  spawnSync('apt-get', ['update', '-q'], options);
  spawnSync('apt-get', ['install', '-y', '-q', '--no-install-recommends', 'etcd-server'], options);
  if (ours) rmSync(policy);
  spawnSync('systemctl', ['disable', 'etcd'], options);
  return hasEtcd();
}
