/**
 * How long a look takes when there is nothing to do, and what that costs the hosts: the start of the program, `pgduet check`
 * on a pair, the same over a line of 80 ms, and on ten pairs at once. Each beside the least that is possible on this machine
 * in the same minute. In: a lab. Out: samples.
 */
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { delayingProxy } from './delay.mjs';
import { inventory, PROGRAM, pgduet, unchanged } from './pgduet.mjs';
import { sample } from './sample.mjs';
import { timed } from './timed.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const timeoutMs = 60_000;
const DELAY_MS = 80;
/** A look is short, so that it is taken several times in every run, in turn with its floor. */
const ROUNDS = 5;
/** So many pairs are provisioned at the same time: each keeps a core busy. */
const AT_ONCE = 2;

/** The start of the program, and a look at one pair, near and far. */
export async function measureCheck(pair, _only, report) {
  const file = inventory(pair);
  const made = await pgduet(pair, ['provision', '--yes', '-i', file]);
  if (made.problem) return report(failed('check', made.problem));
  const floor = await floorProgram(pair.lab);
  const near = [pair.primary, pair.standby].map(({ address }) => ({ address, port: 22 }));
  const far = await farAway(pair);
  try {
    for (let round = 0; round < ROUNDS; round += 1) {
      report(await sample('node', pair, () => node(['-e', '0'])));
      report(await sample('version', pair, () => node([PROGRAM, '--version'])));
      report(await sample('ssh floor', pair, () => floor(near)));
      report(await sample('check', pair, () => unchanged(pair, ['check', '-i', file])));
      report(await sample('ssh floor far', pair, () => floor(far.hosts)));
      report(await sample('check far', pair, () => unchanged(pair, ['check', '-i', far.file])));
    }
  } finally {
    far.close();
  }
}

/** One command for ten pairs. Making them takes a minute or two, so they are made once for all rounds. */
export async function measureMany(fleet, rounds, report) {
  const { lab, hosts } = fleet;
  const pairs = Array.from({ length: hosts.length / 2 }, (_, index) => ({
    lab,
    primary: hosts[2 * index],
    standby: hosts[2 * index + 1],
  }));
  const files = pairs.map((pair, index) =>
    inventory(pair, { cluster: `inst${index + 1}`, name: `inventory${index + 1}` }),
  );
  const problem = await provisionAll(lab, files);
  if (problem) return report(failed('check many', problem));
  const floor = await floorProgram(lab);
  const near = hosts.map(({ address }) => ({ address, port: 22 }));
  const args = ['check', ...files.flatMap((file) => ['-i', file])];
  for (let round = 0; round < rounds; round += 1) {
    report(await sample('ssh floor many', fleet, () => floor(near)));
    report(await sample('check many', fleet, () => unchanged(fleet, args, hosts.length)));
  }
}

/** The first problem, when there is one. */
async function provisionAll(lab, files) {
  const waiting = [...files];
  const problems = [];
  const work = async () => {
    for (let file = waiting.shift(); file && problems.length === 0; file = waiting.shift()) {
      const { problem } = await pgduet({ lab }, ['provision', '--yes', '-i', file]);
      if (problem) problems.push(problem);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return problems[0];
}

const failed = (what, problem) => ({ what, seconds: 0, hostCpuSeconds: 0, load: 0, problem });

const node = (args) => timed(process.execPath, args, { timeoutMs });

/** As one file: reading the many files of the library would make the floor higher than what stands on it. */
async function floorProgram(lab) {
  const outfile = join(lab.dir, 'ssh-floor.mjs');
  const js = `import { createRequire } from 'node:module'; const require = createRequire(import.meta.url); const __dirname = '.';`;
  await build({
    entryPoints: [join(here, 'ssh-floor.mjs')],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    minifyWhitespace: true,
    external: ['cpu-features', '*.node'],
    banner: { js },
  });
  return (hosts) => node([outfile, JSON.stringify({ hosts, identity: lab.key })]);
}

/** The same pair, reached over a long line: ssh is told to go through a proxy, nothing else differs. */
async function farAway(pair) {
  const { lab, primary, standby } = pair;
  const ends = await Promise.all(
    [primary, standby].map(({ address }) => delayingProxy({ host: address, port: 22, delayMs: DELAY_MS })),
  );
  const entries = [primary, standby].map(
    ({ address }, index) =>
      `Host ${address}\n  HostName 127.0.0.1\n  Port ${ends[index].port}\n  HostKeyAlias ${address}\n`,
  );
  const config = join(lab.dir, 'ssh-config-far');
  writeFileSync(config, entries.join(''));
  return {
    file: inventory(pair, { name: 'inventory-far', ssh: `, config_file: ${config}` }),
    hosts: ends.map(({ port }) => ({ address: '127.0.0.1', port })),
    close: () => {
      for (const end of ends) end.close();
    },
  };
}
