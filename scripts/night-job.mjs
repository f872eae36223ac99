// Runs one job of a night (night-plan.mjs). In: the job. Out: how many passed and failed, and a record of each failure with the
// command that repeats it. What the programs say goes to the terminal.
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { interruptions, replayOf, searchMinutes } from './night-plan.mjs';
import { program, root, vitest } from './test-run.mjs';

/** The simulation was told to end; it goes on where it was when the job is begun again. */
const wasInterrupted = 130;

const script = (name, args) => program(process.execPath, [join(root, 'scripts', name), ...args]);

export async function run(job, folder) {
  if (job.kind === 'simulation') return simulation(job, folder);
  if (job.kind === 'search') return search(job);
  if (job.kind === 'fault') return fault(job, folder);
  if (job.kind === 'hosts') return hosts(job);
  return interrupted(job);
}

async function simulation(job, folder) {
  // What a night that was stopped has found is still there, as the simulation goes on behind it.
  const file = join(folder, 'simulation.jsonl');
  const status = await script('sim.mjs', [String(job.count), String(job.from), '--failures', file]);
  if (status === wasInterrupted) return { passed: 0, failures: [] };
  const found = existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
  const failures = found
    .map((line) => JSON.parse(line))
    .map((it) => ({ ...it, replay: replayOf(job, it.seed) }));
  rmSync(file, { force: true });
  if (status !== 0 && failures.length === 0) failures.push({ status, replay: replayOf(job) });
  return { passed: job.count - failures.length, failures };
}

async function search(job) {
  const bounds = ['--servers', String(job.servers), '--minutes', String(searchMinutes)];
  const status = await script('sim.mjs', ['--exhaustive', ...bounds]);
  return status === 0 ? { passed: 1, failures: [] } : broken(job, { status });
}

async function fault(job, folder) {
  const document = join(folder, 'faults.md');
  const status = await script('faults.mjs', [job.fault, '--document', document]);
  return status === 0 ? { passed: 1, failures: [] } : broken(job, { status });
}

async function hosts(job) {
  const status = await script('test-hosts.mjs', ['--rounds', String(job.count), '--seed', String(job.from)]);
  return status === 0 ? { passed: job.count, failures: [] } : broken(job, { status });
}

async function interrupted(job) {
  const env = { PGDUET_INTERRUPTIONS: String(interruptions), PGDUET_SEED: String(job.seed) };
  const { status, files } = await vitest('night', ['--project', 'lab', job.file], env);
  const passed = files.reduce((sum, file) => sum + file.passed, 0);
  const failed = files.reduce((sum, file) => sum + file.failed, 0);
  // Where no host is possible all tests are skipped, and the night has proven nothing.
  if (status === 0 && failed === 0 && passed > 0) return { passed, failures: [] };
  return { ...broken(job, { status, failed }), passed };
}

const broken = (job, about) => ({ passed: 0, failures: [{ ...about, replay: replayOf(job) }] });
