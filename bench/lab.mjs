/**
 * Fresh hosts for the benchmark, from the lab of the tests. In: nothing but this machine. Out: a pair of hosts for the
 * time of one function. It must never leave hosts behind, whatever the function does.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

import { scratch } from '../scripts/scratch.mjs';

const HARNESS = join(dirname(fileURLToPath(import.meta.url)), '../test/lab/harness');

/** The harness is TypeScript, which Node 20 does not read by itself. */
export async function loadHarness() {
  // The harness finds esbuild from there, which it needs for the program of the client.
  const dir = mkdtempSync(join(scratch, 'bench-'));
  try {
    const outfile = join(dir, 'lab.mjs');
    const contents = `export * from './lab.ts'; export { labCgroup } from './cgroup.ts';
export { LocalClient, longestGapMs } from '../faults/support/client.ts'; export { bundledClient } from '../faults/support/pair.ts';`;
    const stdin = { contents, resolveDir: HARNESS, loader: 'ts' };
    await build({ stdin, outfile, bundle: true, platform: 'node', format: 'esm', external: ['esbuild'] });
    return await import(pathToFileURL(outfile).href);
  } finally {
    rmSync(dir, { recursive: true });
  }
}

/** Two hosts that nothing was ever done to; they are gone when `use` has ended. */
export const withFreshPair = (harness, stopped, use) =>
  withFreshHosts(harness, stopped, ['server1', 'server2'], ({ hosts: [primary, standby], ...rest }) =>
    use({ ...rest, primary, standby }),
  );

/** As many hosts as there are names. */
export async function withFreshHosts(harness, stopped, names, use) {
  await harness.ensureImages(['debian12']);
  const lab = await harness.Lab.open({ disk: 'real' });
  try {
    const hosts = await lab.hosts(names.length, { image: 'debian12', names });
    // A host that is still busy with its own start would be slower than the next one.
    for (const host of hosts) await host.sh('systemctl is-system-running --wait');
    if (!stopped.aborted) await use({ harness, lab, hosts, cpuSeconds: () => cpuSeconds(harness, lab) });
  } finally {
    await lab.close();
  }
}

/** CPU time of all hosts since they were made: unlike wall time it hardly depends on what else the machine does. */
function cpuSeconds(harness, lab) {
  const group = harness.labCgroup(`pgl${basename(lab.dir)}`);
  const used = /^usage_usec (\d+)$/m.exec(readFileSync(join(group, 'cpu.stat'), 'utf8'));
  return Number(used?.[1] ?? Number.NaN) / 1e6;
}

const STATE = `SELECT application_name || ' ' || state || ' ' || sync_state FROM pg_stat_replication`;

/** Every contestant has to reach the same end; what it left behind is looked at after the clock was stopped. */
export async function endState({ primary }, port = 27500) {
  const psql = `/usr/lib/postgresql/15/bin/psql -X -A -t -p ${port} -d postgres`;
  const said = await primary.sh(`runuser -u postgres -- ${psql} -c "${STATE}"`);
  const found = said.stdout.trim();
  return found === 'server2 streaming sync'
    ? undefined
    : `no synchronous standby at the end: '${found}${said.stderr.trim()}'`;
}
