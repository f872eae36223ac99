/**
 * Keys and names of hosts. In: a lab's directory, or the root directory of a host that is off.
 * Out: the key pair of the lab; a host that has a name, an identity of its own, and lets the
 * lab's key in. It must never use a key of the person who runs the tests.
 */
import { randomBytes } from 'node:crypto';
import { chownSync, copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './run.ts';

export interface Keys {
  path: string;
  publicLine: string;
  knownHosts: string;
}

export async function makeKeys(dir: string): Promise<Keys> {
  const path = join(dir, 'id_ed25519');
  const publicLine = await makeKey(path, 'lab');
  const knownHosts = join(dir, 'known_hosts');
  writeFileSync(knownHosts, '');
  return { path, publicLine, knownHosts };
}

/** Returns the public key as a line of text. */
async function makeKey(path: string, comment: string): Promise<string> {
  await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', comment, '-f', path], { check: true });
  return readFileSync(`${path}.pub`, 'utf8').trim();
}

/** The three accounts of every image that the lab's key opens. */
const ACCOUNTS: readonly (readonly [string, number])[] = [
  ['root', 0],
  ['home/deploy', 1001],
  ['home/ops', 1002],
];

/**
 * Gives a host its name and keys before it starts, and lets the lab's key in; returns its public key. A host that has been
 * prepared keeps who it is, and one whose disks were renewed becomes who it was: `keyFile` outlives them.
 */
export async function furnish(
  root: string,
  name: string,
  publicLine: string,
  keyFile: string,
): Promise<string> {
  const inside = join(root, 'etc/ssh/ssh_host_ed25519_key');
  nameHost(root, name);
  if (!existsSync(inside)) {
    // A system without a machine id takes its start for the very first and spends seconds on it.
    writeFileSync(join(root, 'etc/machine-id'), `${randomBytes(16).toString('hex')}\n`);
    if (!existsSync(keyFile)) await makeKey(keyFile, name);
    for (const suffix of ['', '.pub']) copyFileSync(`${keyFile}${suffix}`, `${inside}${suffix}`);
  }
  for (const [home, uid] of ACCOUNTS) {
    const file = join(root, home, '.ssh/authorized_keys');
    writeFileSync(file, `${publicLine}\n`, { mode: 0o600 });
    chownSync(file, uid, uid);
  }
  return readFileSync(`${inside}.pub`, 'utf8').split(' ').slice(0, 2).join(' ');
}

function nameHost(root: string, name: string): void {
  const localhost = '127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n';
  writeFileSync(join(root, 'etc/hosts'), `${localhost}127.0.1.1 ${name}\n`);
  writeFileSync(join(root, 'etc/hostname'), `${name}\n`);
}
