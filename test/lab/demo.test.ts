/**
 * The demo as a user runs it: as root and as an ordinary user, on this machine, in a directory of the test's own.
 * In: the built program and PostgreSQL of this machine. Out: a pair that works, and nothing left when it is removed.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect } from 'vitest';
import { describeLab, labTest } from './harness/describe.ts';

const demo = join(import.meta.dirname, '../../demo/demo.mjs');
const directories: string[] = [];

/** Not below /root, where the instance administrator could not enter. */
function place(): string {
  const directory = mkdtempSync('/var/tmp/pgduet-demo-test-');
  chmodSync(directory, 0o755);
  directories.push(directory);
  return directory;
}

function run(directory: string, user: string, ...args: readonly string[]) {
  const command = [process.execPath, demo, ...args];
  const [program = '', ...rest] =
    user === userInfo().username ? command : ['runuser', '-u', user, '--', ...command];
  const env = { PATH: process.env.PATH ?? '', PGDUET_DEMO_DIR: join(directory, 'demo') };
  return spawnSync(program, rest, { encoding: 'utf8', env, cwd: '/', timeout: 120_000 });
}

/** Command lines that name the directory: servers and controllers that still run. */
function processesOf(directory: string): readonly string[] {
  const { stdout } = spawnSync('ps', ['-eo', 'args'], { encoding: 'utf8' });
  return stdout.split('\n').filter((line) => line.includes(directory));
}

afterEach(() => {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true });
});

function proveDemo(directory: string, user: string): void {
  const made = run(directory, user);
  expect(made.stderr + made.stdout).toContain('server2 reads: written at');
  expect(made.status).toBe(0);
  expect(made.stdout).toMatch(/server2 +standby .*switchable.* sync$/m);
  const again = run(directory, user);
  expect(again.stderr).toContain('nothing to change');
  const removed = run(directory, user, '--remove');
  expect(removed.status).toBe(0);
  expect(existsSync(join(directory, 'demo'))).toBe(false);
  expect(processesOf(directory)).toEqual([]);
  expect(readdirSync('/run/lock').filter((name) => name.startsWith('pgduet-demo'))).toEqual([]);
}

describeLab('the demo', () => {
  labTest('as root: a pair on this machine, a row across, and nothing left when it is removed', async () => {
    proveDemo(place(), 'root');
  });

  labTest('as an ordinary user: the same, with the PostgreSQL that is installed', async () => {
    const directory = place();
    const uid = Number(spawnSync('id', ['-u', 'postgres'], { encoding: 'utf8' }).stdout);
    chownSync(directory, uid, uid);
    proveDemo(directory, 'postgres');
  });
});
