// Starts the programs of a test run: the test runner with its reports, and checks that run beside it. In: names and arguments.
// Out: what came of them. Reports lie in `.cache/tests`, which git ignores, until the next run.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

import { scratch } from './scratch.mjs';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));
export const reports = join(scratch, 'tests');
const boots = join(reports, 'boots');
const bin = (name) => join(root, 'node_modules', '.bin', name);

export function clearReports() {
  rmSync(reports, { recursive: true, force: true });
  mkdirSync(reports, { recursive: true });
}

/** Runs a program while others run; what it says is shown in one piece when it has ended. */
export async function beside(name, program, args) {
  const child = spawn(program, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  const said = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (part) => said.push(part));
  const status = await ended(child);
  process.stderr.write(Buffer.concat(said));
  if (status !== 0) console.error(`${name} ended with status ${status}.`);
  return status;
}

export const library = (name, args) => beside(name, bin(name), args);

/** Runs a program with its output on this terminal. Out: its status. */
export function program(path, args) {
  const env = { ...process.env, PGDUET_LAB_BOOTS: boots };
  return ended(spawn(path, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'], env }));
}

/** Names of all files below a folder, relative to the project. */
export function filesBelow(folder) {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .map((path) => join(folder, path))
    .sort();
}

/** Runs the test runner with its output on this terminal. Out: its status, the results by file, the path of its report. */
export const vitest = (name, args, env = {}) => testRunner([], name, args, env);

/** The same, behind all others that want the processors; not so far behind that a busy machine lets it stand still. */
export const patientVitest = (name, args) => testRunner(['nice', '-n', '10'], name, args, {});

async function testRunner(before, name, args, env) {
  const report = join(reports, `${name}.json`);
  const times = join(reports, `${name}.times.json`);
  const reporters = ['default', 'json', './test/times-reporter.ts'].map((one) => `--reporter=${one}`);
  const [first, ...words] = [
    ...before,
    bin('vitest'),
    'run',
    ...reporters,
    `--outputFile.json=${report}`,
    ...args,
  ];
  const child = spawn(first, words, {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, PGDUET_TEST_TIMES: times, PGDUET_LAB_BOOTS: boots, ...env },
  });
  const status = await ended(child);
  const files = existsSync(times) ? JSON.parse(readFileSync(times, 'utf8')) : [];
  return { status, files, report: relative(root, report) };
}

/** How often hosts of the lab were switched on; test/lab/harness/boots.ts writes a line for each time. */
export function countBoots() {
  return existsSync(boots) ? readFileSync(boots, 'utf8').trim().split('\n').length : 0;
}

function ended(child) {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (status, signal) => resolve(status ?? signal));
  });
}
