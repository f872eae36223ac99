/**
 * Says whether this machine can hold a lab, and installs the Debian packages the lab needs.
 * Out: undefined, or one sentence with the reason and the command that would help.
 * It must never install anything when the machine could not hold a lab anyway.
 */
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { cgroupRoot } from './cgroup.ts';
import { run } from './run.ts';

/** A program the lab calls, and the package that brings it. */
const TOOLS: readonly (readonly [string, string])[] = [
  ['/usr/sbin/debootstrap', 'debootstrap'],
  ['/usr/bin/systemd-nspawn', 'systemd-container'],
  ['/usr/bin/dpkg-scanpackages', 'dpkg-dev'],
  ['/usr/bin/ssh-keygen', 'openssh-client'],
  ['/sbin/ip', 'iproute2'],
  ['/sbin/mkfs.ext4', 'e2fsprogs'],
  ['/bin/mount', 'mount'],
  ['/usr/bin/nsenter', 'util-linux'],
  ['/usr/bin/openssl', 'openssl'],
  ['/usr/bin/wget', 'wget'],
  ['/usr/bin/git', 'git'],
  ['/usr/bin/man', 'man-db'],
  ['/usr/bin/zsh', 'zsh'],
  ['/usr/bin/fish', 'fish'],
  ['/usr/bin/tcsh', 'tcsh'],
  ['/usr/share/keyrings/debian-archive-keyring.gpg', 'debian-archive-keyring'],
];

/** Why no lab can run here, in one sentence; undefined when it can. */
export function labObstacle(): string | undefined {
  if (process.platform !== 'linux') return 'the lab needs Linux: run it on a Debian machine';
  const release = existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : '';
  if (!/^ID=debian$/m.test(release))
    return 'the lab needs Debian, because it builds its hosts with debootstrap';
  if (process.getuid?.() !== 0) return 'the lab needs root to make hosts: run it again with sudo';
  const root = cgroupRoot();
  if (root === undefined) return 'cgroup v2 is not mounted: mount -t cgroup2 none /sys/fs/cgroup/unified';
  try {
    accessSync(root, constants.W_OK);
  } catch {
    return `${root} is read-only here: run outside of a container, or in a privileged one`;
  }
  return undefined;
}

function missingPackages(): string[] {
  return TOOLS.filter(([path]) => !existsSync(path)).map(([, name]) => name);
}

/** Installs what is missing; throws with the command to type when apt cannot. */
export async function prepareMachine(say: (line: string) => void): Promise<void> {
  const obstacle = labObstacle();
  if (obstacle !== undefined) throw new Error(obstacle);
  const missing = missingPackages();
  if (missing.length === 0) return;
  say(`installing ${missing.join(' ')}`);
  const env = { ...environment(), DEBIAN_FRONTEND: 'noninteractive' };
  await run('apt-get', ['update', '-q'], { env, timeoutMs: 300_000 });
  const args = ['install', '-y', '-q', '--no-install-recommends', ...missing];
  const installed = await run('apt-get', args, { env, timeoutMs: 600_000 });
  if (installed.status !== 0) {
    throw new Error(`the lab needs packages: apt-get install ${missing.join(' ')}\n${installed.stderr}`);
  }
}

export function environment(): Record<string, string> {
  const entries = Object.entries(process.env);
  return Object.fromEntries(entries.filter((entry): entry is [string, string] => entry[1] !== undefined));
}

/**
 * The Debian archive this machine itself uses, so that a local mirror is used without being told.
 * Only http and https archives serve debootstrap; the public archive stands in for the others.
 */
export async function archiveUri(): Promise<string> {
  const codename = /^VERSION_CODENAME=(\w+)/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? 'stable';
  const format = '$(REPO_URI) $(RELEASE) $(COMPONENT)';
  const { stdout } = await run('apt-get', ['indextargets', '--format', format, 'Created-By: Packages']);
  for (const line of stdout.split('\n')) {
    const [uri, release, component] = line.split(' ');
    if (uri === undefined || !/^https?:/.test(uri) || component !== 'main') continue;
    if (release === codename || release === 'stable') return uri.replace(/\/$/, '');
  }
  return 'http://deb.debian.org/debian';
}
