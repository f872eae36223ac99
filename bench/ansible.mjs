/**
 * An Ansible playbook of the same work, as a careful user would tune it: pipelining, connections kept open, no fact
 * gathering. In: a fresh pair. Out: samples of the first run, of the second one, and of `--check --diff`.
 * It uses the ansible-playbook of this machine and must never install one.
 */
import { randomBytes } from 'node:crypto';
import { accessSync, constants, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { endState } from './lab.mjs';
import { sample } from './sample.mjs';
import { timed } from './timed.mjs';

const here = join(dirname(fileURLToPath(import.meta.url)), 'ansible');
const bundle = join(dirname(dirname(here)), 'dist', 'mc.cjs');
const timeoutMs = 180_000;

/** Why there are no numbers of Ansible; undefined when there will be some. */
export function missingAnsible() {
  const found = (process.env.PATH ?? '')
    .split(delimiter)
    .some((dir) => executable(join(dir, 'ansible-playbook')));
  return found ? undefined : 'Ansible was left out: it is not installed (apt-get install ansible-core)';
}

function executable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

export async function measureAnsible(pair, _only, report) {
  // The path of a control socket has to be short.
  const sockets = mkdtempSync(join(tmpdir(), 'pgduet-ansible-'));
  const play = (...more) => playbook(pair, sockets, more);
  try {
    writeInventory(pair);
    const first = await sample('ansible first', pair, async () => {
      const ran = await play();
      return { ...ran, problem: ran.problem ?? (await endState(pair)) };
    });
    report(first);
    if (first.problem) return;
    report(await sample('ansible again', pair, () => unchanged(play())));
    report(await sample('ansible check', pair, () => unchanged(play('--check', '--diff'))));
  } finally {
    await closeConnections(sockets);
  }
}

function playbook({ lab }, sockets, more) {
  const env = {
    PATH: process.env.PATH,
    HOME: join(lab.dir, 'home'),
    LANG: 'C.UTF-8',
    ANSIBLE_CONFIG: join(here, 'ansible.cfg'),
    ANSIBLE_HOME: join(lab.dir, 'ansible'),
    ANSIBLE_LOCAL_TEMP: join(lab.dir, 'ansible-tmp'),
    ANSIBLE_SSH_CONTROL_PATH_DIR: sockets,
  };
  const args = ['-i', join(lab.dir, 'ansible-hosts.json'), join(here, 'provision.yml'), ...more];
  return timed('ansible-playbook', args, { env, timeoutMs });
}

/** The inventory is JSON, which Ansible reads as YAML. */
function writeInventory({ lab, primary, standby }) {
  const entry = ({ address }) => ({ ansible_host: address });
  const inventory = {
    all: {
      vars: {
        ansible_user: 'root',
        ansible_ssh_private_key_file: lab.key,
        ansible_ssh_extra_args: `-F none -o IdentitiesOnly=yes -o UserKnownHostsFile=${lab.knownHosts}`,
        mc_bundle: bundle,
        cluster_key: randomBytes(32).toString('hex'),
        replication_password: randomBytes(18).toString('base64url'),
      },
      children: {
        primary: { hosts: { server1: entry(primary) } },
        standbys: { hosts: { server2: entry(standby) } },
      },
    },
  };
  writeFileSync(join(lab.dir, 'ansible-hosts.json'), JSON.stringify(inventory, null, 2), { mode: 0o600 });
}

async function unchanged(running) {
  const ran = await running;
  const changed = /changed=[1-9]/.test(ran.stdout);
  return changed && !ran.problem
    ? { ...ran, problem: `the second run changed something: ${ran.stdout}` }
    : ran;
}

/** The connections that Ansible keeps open would outlive their hosts. */
async function closeConnections(sockets) {
  for (const name of readdirSync(sockets)) {
    const path = join(sockets, name);
    await timed('ssh', ['-F', 'none', '-O', 'exit', '-o', `ControlPath=${path}`, 'host'], { timeoutMs });
  }
  rmSync(sockets, { recursive: true, force: true });
}
