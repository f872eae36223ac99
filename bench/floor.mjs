/**
 * The floor: the least that a pair costs. Raw commands over one open SSH connection per host, nothing looked at before,
 * nothing proven afterwards, no Mirroring Controller. In: a fresh pair. Out: one sample.
 */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { endState } from './lab.mjs';
import { sample } from './sample.mjs';
import { timed } from './timed.mjs';

const SCRIPTS = join(dirname(fileURLToPath(import.meta.url)), 'floor');
const timeoutMs = 60_000;

export async function measureFloor(pair, _only, report) {
  // The path of a control socket has to be short.
  const sockets = mkdtempSync(join(tmpdir(), 'pgduet-floor-'));
  const ssh = (host, flags, ...command) => sshArguments(pair.lab, host, sockets, flags, command);
  const hosts = [pair.primary, pair.standby];
  try {
    for (const host of hosts)
      await must(timed('ssh', ssh(host, ['-o', 'ControlPersist=120'], 'true'), { timeoutMs }));
    report(await sample('floor', pair, () => rawCommands(pair, ssh)));
  } finally {
    for (const host of hosts) await timed('ssh', ssh(host, ['-O', 'exit']), { timeoutMs });
    rmSync(sockets, { recursive: true, force: true });
  }
}

/** Nothing of the person who runs this is used: no configuration, no agent, no known hosts. */
function sshArguments(lab, host, sockets, flags, command) {
  const options = [
    `UserKnownHostsFile=${lab.knownHosts}`,
    'StrictHostKeyChecking=yes',
    'IdentitiesOnly=yes',
    'BatchMode=yes',
    'ControlMaster=auto',
    `ControlPath=${sockets}/%h`,
    'LogLevel=ERROR',
  ].flatMap((option) => ['-o', option]);
  return ['-F', 'none', '-i', lab.key, ...options, ...flags, `root@${host.address}`, ...command];
}

/** Three scripts, one after the other, because each needs what the one before has made. */
async function rawCommands(pair, ssh) {
  const { primary, standby } = pair;
  const password = randomBytes(18).toString('base64url');
  const values = { PRIMARY: primary.address, STANDBY: standby.address, PASSWORD: password };
  const header = Object.entries(values).map(([name, value]) => `${name}='${value}'\n`);
  const began = performance.now();
  for (const [host, name] of [
    [primary, 'primary.sh'],
    [standby, 'standby.sh'],
    [primary, 'synchronous.sh'],
  ]) {
    const input = `${header.join('')}${readFileSync(join(SCRIPTS, name), 'utf8')}`;
    const ran = await timed('ssh', ssh(host, [], 'sh', '-s'), { input, timeoutMs });
    if (ran.problem)
      return { seconds: (performance.now() - began) / 1000, problem: `${name}: ${ran.problem}` };
  }
  const seconds = (performance.now() - began) / 1000;
  return { seconds, problem: await endState(pair) };
}

async function must(running) {
  const { problem } = await running;
  if (problem) throw new Error(problem);
}
