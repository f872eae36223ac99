/**
 * pgduet as its users run it: one process for each command, with an empty home directory. In: a fresh pair. Out: samples
 * of the first run and of the same command again, with the round trips that pgduet counted.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { endState } from './lab.mjs';
import { sample } from './sample.mjs';
import { timed } from './timed.mjs';

export const PROGRAM = join(dirname(dirname(fileURLToPath(import.meta.url))), 'dist', 'pgduet.js');
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
}

/** Round trips are known only from --json, whose document is written after all work is done. */
export async function pgduet({ lab }, args) {
  const home = join(lab.dir, 'home');
  mkdirSync(home, { recursive: true, mode: 0o700 });
  const env = { PATH: process.env.PATH, HOME: home, LANG: 'C.UTF-8' };
  const ran = await timed(process.execPath, [PROGRAM, ...args, '--json'], { env, timeoutMs });
  if (ran.problem) return ran;
  const said = JSON.parse(ran.stdout);
  return { ...ran, said, roundTrips: roundTripsIn(said) };
}

/** By host: a run has one map of them, a check a number with every host. */
function roundTripsIn(said) {
  const hosts = everything(said, 'hosts').flat();
  const told = hosts.map(({ server, round_trips: count }) => ({ [server]: count }));
  return Object.assign(
    {},
    ...everything(said, 'round_trips').filter((one) => typeof one === 'object'),
    ...told,
  );
}

/** Everything that stands under this key: with several inventories the document has a part for each. */
function everything(said, key) {
  if (said === null || typeof said !== 'object') return [];
  return Object.entries(said).flatMap(([name, value]) => (name === key ? [value] : everything(value, key)));
}

/** A run that found nothing to change, in one round trip for each of so many hosts. */
export async function unchanged(lab, args, hosts = 2) {
  const ran = await pgduet(lab, args);
  if (ran.problem) return ran;
  // The plan of a run, or the findings of a check.
  const [change] = [...everything(ran.said, 'plan'), ...everything(ran.said, 'findings')].flat();
  if (change !== undefined)
    return { ...ran, problem: `it found something to change: ${change.summary ?? change.what}` };
  const trips = Object.entries(ran.roundTrips);
  if (trips.length !== hosts) return { ...ran, problem: `it looked at ${trips.length} of ${hosts} hosts` };
  const many = trips.find(([, count]) => count !== 1);
  return many ? { ...ran, problem: `${many[0]} took ${many[1]} round trips instead of 1` } : ran;
}

/** `name` is that of the file; `ssh` is added to what it says about connections. */
export function inventory(
  { lab, primary, standby },
  { cluster = 'inst1', name = 'inventory', ssh = '' } = {},
) {
  const path = join(lab.dir, `${name}.yml`);
  const text = `cluster: ${cluster}
ssh: { user: root, identity_file: ${lab.key}, known_hosts: ${lab.knownHosts}${ssh} }
postgres:
  version: 15
  port: 27500
  data_dir: /database/inst1
  settings: { max_connections: 50, shared_buffers: 16MB }
multiplexing: { management_dir: /mcdir/inst1, port: 27540, on_heartbeat_loss: fallback }
hosts:
  ${primary.name}: { address: ${primary.address}, role: primary }
  ${standby.name}: { address: ${standby.address}, role: standby }
`;
  writeFileSync(path, text);
  return path;
}
