// PostgreSQL on this machine, for the demo and for the tests that run a server here: found, or installed as root on Debian.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

const base = '/usr/lib/postgresql';
const oldest = 13;

/** The newest version that is installed where Debian's packages put it; undefined when there is none. */
export function installedVersion() {
  if (!existsSync(base)) return undefined;
  const versions = readdirSync(base).map(Number);
  return versions
    .filter((version) => version >= oldest && existsSync(`${base}/${version}/bin/postgres`))
    .sort((a, b) => b - a)[0];
}

/** Why it cannot be installed here; undefined when it can. */
export function installObstacle() {
  if (process.getuid?.() !== 0) return 'only root can install it; ask root for: apt-get install postgresql';
  if (!existsSync('/usr/bin/apt-get'))
    return `this is no Debian; install PostgreSQL ${oldest} or newer by hand`;
  return undefined;
}

/** Installs PostgreSQL without the cluster that the package would create and start. Returns the version, or undefined. */
export function installPostgres() {
  const dropIn = '/etc/postgresql-common/createcluster.d/pgduet-install.conf';
  mkdirSync(dirname(dropIn), { recursive: true });
  writeFileSync(dropIn, 'create_main_cluster = false\n');
  const options = { stdio: ['ignore', 2, 2], env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } };
  spawnSync('apt-get', ['update', '-q'], options);
  spawnSync('apt-get', ['install', '-y', '-q', '--no-install-recommends', 'postgresql'], options);
  rmSync(dropIn, { force: true });
  return installedVersion();
}
