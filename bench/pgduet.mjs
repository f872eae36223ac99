/**
 * pgduet as its users run it: one process for each command, with an empty home directory. In: a fresh pair. Out: samples
 * of the first run, of the same command again, and of `check`, with the round trips that pgduet counted.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { endState } from './lab.mjs';
import { sample } from './sample.mjs';
import { timed } from './timed.mjs';

const PROGRAM = join(dirname(dirname(fileURLToPath(import.meta.url))), 'dist', 'pgduet.js');
const timeoutMs = 120_000;

export async function measurePgduet(pair, only, report) {
  const file = inventory(pair);
  const first = await sample('first', pair, async () => {
    const ran = await pgduet(pair, ['provision', '--yes', '-i', file]);
    return { ...ran, problem: ran.problem ?? (await endState(pair)) };
  });
  // `again` needs a first run as well; whoever asked for `again` alone sees only that, unless it failed.
  if (only.has('first') || first.problem) report(first);
  if (first.problem || !only.has('again')) return;
  report(await sample('again', pair, () => unchanged(pair, ['provision', '--yes', '-i', file])));
  report(await sample('check', pair, () => unchanged(pair, ['check', '-i', file])));
}

/** Round trips are known only from --json, whose document is written after all work is done. */
async function pgduet({ lab }, args) {
  const home = join(lab.dir, 'home');
  mkdirSync(home, { recursive: true, mode: 0o700 });
  const env = { PATH: process.env.PATH, HOME: home, LANG: 'C.UTF-8' };
  const ran = await timed(process.execPath, [PROGRAM, ...args, '--json'], { env, timeoutMs });
  if (ran.problem) return ran;
  const said = JSON.parse(ran.stdout);
  return { ...ran, said, roundTrips: said.round_trips };
}

async function unchanged(pair, args) {
  const ran = await pgduet(pair, args);
  if (ran.problem) return ran;
  const { plan, round_trips: trips } = ran.said;
  if (plan.length > 0) return { ...ran, problem: `it found something to change: ${plan[0].summary}` };
  const many = Object.entries(trips).find(([, count]) => count !== 1);
  return many ? { ...ran, problem: `${many[0]} took ${many[1]} round trips instead of 1` } : ran;
}

function inventory({ lab, primary, standby }) {
  const path = join(lab.dir, 'inventory.yml');
  const text = `cluster: inst1
ssh: { user: root, identity_file: ${lab.key}, known_hosts: ${lab.knownHosts} }
postgres:
  version: 15
  port: 27500
  data_dir: /database/inst1
  settings: { max_connections: 50, shared_buffers: 16MB }
multiplexing: { management_dir: /mcdir/inst1, port: 27540 }
hosts:
  server1: { address: ${primary.address}, role: primary }
  server2: { address: ${standby.address}, role: standby }
`;
  writeFileSync(path, text);
  return path;
}
