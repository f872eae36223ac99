/**
 * An Ansible playbook of the same work, as a careful user would tune it: pipelining, connections kept open, no fact
 * gathering. In: a fresh pair. Out: samples of the first run, of the second one, and of `--check --diff`, this also with
 * Mitogen where it is installed.
 * It uses the ansible-playbook of this machine and must never install one.
 */

import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  accessSync,
  constants,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
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
  return program() === undefined
    ? 'Ansible was left out: it is not installed (apt-get install ansible-core)'
    : undefined;
}

/** The same for Ansible with Mitogen, which is a plugin for the Python that Ansible runs with. */
export function missingMitogen() {
  return strategies() === undefined
    ? 'Ansible with Mitogen was left out: it is not installed (apt-get install ansible-mitogen)'
    : undefined;
}

function program() {
  const paths = (process.env.PATH ?? '').split(delimiter).map((dir) => join(dir, 'ansible-playbook'));
  return paths.find(executable);
}

/** The folder of Mitogen's plugins. */
function strategies() {
  const path = program();
  const [, python] = /^#! *(\S+)/.exec(path === undefined ? '' : readFileSync(path, 'latin1')) ?? [];
  if (python === undefined) return undefined;
  const code = 'import ansible_mitogen; print(ansible_mitogen.__path__[0])';
  const { status, stdout } = spawnSync(python, ['-c', code], { encoding: 'utf8' });
  return status === 0 ? join(stdout.trim(), 'plugins', 'strategy') : undefined;
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
  const plugins = strategies();
  const mitogen = { ANSIBLE_STRATEGY: 'mitogen_linear', ANSIBLE_STRATEGY_PLUGINS: plugins };
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
    if (plugins === undefined) return;
    const check = () => playbook(pair, sockets, ['--check', '--diff'], mitogen);
    report(await sample('mitogen check', pair, () => unchanged(check())));
  } finally {
    await closeConnections(sockets);
  }
}

function playbook({ lab }, sockets, more, extra = {}) {
  const env = {
    PATH: process.env.PATH,
    HOME: join(lab.dir, 'home'),
    LANG: 'C.UTF-8',
    ANSIBLE_CONFIG: join(here, 'ansible.cfg'),
    ANSIBLE_HOME: join(lab.dir, 'ansible'),
    ANSIBLE_LOCAL_TEMP: join(lab.dir, 'ansible-tmp'),
    ANSIBLE_SSH_CONTROL_PATH_DIR: sockets,
    ...extra,
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
