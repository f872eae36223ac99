/** What the system refuses a controller (a process, a signal, memory) is an answer, and ends nobody. */
import { execFileSync, spawn } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { build } from 'esbuild';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { serverConf } from '../../src/controller/config.ts';
import { runCommand } from '../../src/controller/io/commands.ts';
import { DiskWatch } from '../../src/controller/io/disk.ts';
import { Instance } from '../../src/controller/io/instance.ts';
import { outputOf, runProgram, sendSignal } from '../../src/controller/io/processes.ts';
import { controlData, wasInRecovery } from '../../src/controller/io/switchover.ts';
import { notifyReady } from '../../src/controller/io/systemd.ts';
import { launchDaemon } from '../../src/controller/launch.ts';
import { asOwner, cannotRun, Pair, signal } from './support/pair.ts';

const dir = mkdtempSync(join(tmpdir(), 'mc-processes-'));
afterAll(() => rmSync(dir, { recursive: true }));

it('only one file makes processes and signals them', () => {
  const root = new URL('../../src/controller/', import.meta.url).pathname;
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.ts'),
  );
  const acts = /^import (?!type )[^;]* from 'node:child_process';|\bprocess\.kill\(|\w\.kill\(/m;
  const found = files.filter((name) => acts.test(readFileSync(join(root, name), 'utf8')));
  // The thread that ends its own hung process is a text there.
  expect(found.sort()).toEqual(['io/processes.ts', 'io/self-watch.ts']);
});

describe('where no program can be started, which Node throws', () => {
  // Longer than the system takes: E2BIG.
  beforeAll(() => {
    process.env.MC_TOO_LONG = 'x'.repeat(300_000);
    process.env.NOTIFY_SOCKET = '/none';
  });
  afterAll(() => {
    delete process.env.MC_TOO_LONG;
    delete process.env.NOTIFY_SOCKET;
  });

  it('a command is no answer', async () => {
    expect(await runCommand('/bin/true', [], 5000)).toEqual({
      ok: false,
      why: expect.stringContaining('E2BIG'),
    });
  });

  it('systemd hears nothing', async () => {
    notifyReady('here');
    await sleep(20);
  });

  it('a short program has no output', async () => {
    expect(outputOf('/bin/true', [])).toMatchObject({ code: 'E2BIG' });
    await expect(runProgram('/bin/true', [], { timeout: 1000 })).rejects.toMatchObject({ code: 'E2BIG' });
  });

  it('a daemon is not started, and its command says so', async () => {
    const launched = launchDaemon({
      words: ['-e', '0'],
      logFile: join(dir, 'log'),
      command: 'mc_ctl',
      what: 'the controller',
      answers: async () => true,
    });
    expect(await launched).toMatch(/^mc_ctl: the controller cannot be started: .*E2BIG\n$/);
  });

  it('the disks are not watched, which is no failure of a disk, and are later', async () => {
    const told: unknown[] = [];
    const conf = serverConf({ dbInstance: dir, diskCheckIntervalMs: 10, diskCheckTimeoutMs: 10 });
    const helper = join(dir, 'helper.js');
    writeFileSync(
      helper,
      `setInterval(() => console.log('{"part":"data","ok":true,"freeBytes":null,"error":""}'), 100); process.stdin.resume()`,
    );
    const watch = new DiskWatch(helper, conf, {
      report: ({ ok }) => told.push(ok),
      unwatched: (why) => told.push(why),
    });
    try {
      // Longer than the silence of a helper that hangs.
      await sleep(2500);
      expect(told).toEqual([expect.stringContaining('E2BIG')]);
      delete process.env.MC_TOO_LONG;
      await expect.poll(() => told, { timeout: 20_000 }).toContain(true);
      expect(told).toContain(null);
    } finally {
      watch.close();
      process.env.MC_TOO_LONG = 'x'.repeat(300_000);
    }
  });
});

describe('an instance that cannot be started', () => {
  const data = join(dir, 'data');
  const path = process.env.PATH;
  beforeAll(() => mkdirSync(data));
  afterEach(() => {
    process.env.PATH = path;
    delete process.env.MC_TOO_LONG;
  });

  it.each(['EACCES', 'E2BIG'])('says why, and has stopped: %s', async (code) => {
    const [mode, version] = [code === 'EACCES' ? 0o644 : 0o755, code === 'EACCES' ? '11' : '12'];
    if (code === 'E2BIG') process.env.MC_TOO_LONG = 'x'.repeat(300_000);
    const instance = new Instance(data, join(dir, 'startup.log'), undefined, () => ({}));
    // Of a version that is not installed here.
    const bin = join(dir, 'postgresql', version, 'bin');
    mkdirSync(bin, { recursive: true });
    writeFileSync(join(bin, 'postgres'), '', { mode });
    writeFileSync(join(data, 'PG_VERSION'), `${version}\n`);
    process.env.PATH = bin;
    expect(await instance.start()).toContain(code);
    expect(await instance.stop('fast')).toBeNull();
  });

  it('is no proof of anything', async () => {
    const conf = { dbInstance: data };
    expect([await controlData(conf), await wasInRecovery(conf)]).toEqual([null, null]);
  });
});

it('a number that nobody has is gone', () => {
  expect(sendSignal(2 ** 22 + 1, 'SIGTERM')).toBe('gone');
});

// Only root can make a program of somebody else.
describe.skipIf(process.getuid?.() !== 0)('a command that belongs to somebody else, as that of sudo', () => {
  const setuid = join(dir, 'setpriv');
  const driver = join(dir, 'driver.mjs');
  beforeAll(async () => {
    chmodSync(dir, 0o755);
    copyFileSync('/usr/bin/setpriv', setuid);
    chmodSync(setuid, 0o4755);
    await build({
      stdin: {
        contents: `import { runCommand } from ${JSON.stringify(new URL('../../src/controller/io/commands.ts', import.meta.url).pathname)};
          const [path, ...args] = process.argv.slice(2);
          console.log(JSON.stringify(await runCommand(path, args, 300)));`,
        resolveDir: dir,
        loader: 'ts',
      },
      bundle: true,
      platform: 'node',
      format: 'esm',
      outfile: driver,
      logLevel: 'error',
    });
  });

  /** As a user who may end nothing of root's. */
  async function runs(...args: string[]): Promise<unknown> {
    const child = spawn(
      process.execPath,
      [driver, setuid, '--reuid', '0', '--regid', '0', '--clear-groups', ...args],
      {
        uid: 65534,
        gid: 65534,
        cwd: '/',
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    let said = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    const status = await new Promise((resolve) => child.on('exit', resolve));
    expect([status, said]).toEqual([0, expect.stringContaining('{')]);
    return JSON.parse(said);
  }

  it('is no answer, and is left', async () => {
    expect(await runs('sleep', '8')).toEqual({
      ok: false,
      why: 'no answer within 0.3 s, and it cannot be ended (kill EPERM)',
    });
  });

  it('also where a part of its group could be ended', async () => {
    const script = 'setpriv --reuid 65534 --clear-groups sleep 9 & sleep 9; true';
    expect(await runs('sh', '-c', script)).toEqual({
      ok: false,
      why: 'no answer within 0.3 s, and it cannot be ended',
    });
  });
});

describe.skipIf(cannotRun !== undefined)(
  'a controller that gets no more processes',
  { timeout: 240_000 },
  () => {
    const pair = new Pair();
    beforeAll(() => pair.create());
    afterAll(() => pair.destroy());
    /** Of its user: where this test runs, root need not have the right to it. */
    const limit = (...words: string[]): string => {
      const said = asOwner('prlimit', ['--pid', String(pair.daemonPid('server1')), ...words]);
      expect(said).toMatchObject({ status: 0, stderr: '' });
      return said.stdout.trim();
    };
    const logged = (pattern: RegExp): Promise<void> =>
      expect.poll(() => pair.log('server1'), { timeout: 100_000 }).toMatch(pattern);

    it('goes on, tells it, and does again what it could not do', async () => {
      expect(pair.ctl('start', '--local-server', 'server1')).toMatchObject({ status: 0 });
      const controller = pair.daemonPid('server1');
      const helper = (): string =>
        execFileSync('pgrep', ['-P', String(controller), '-f', 'disk-helper'], { encoding: 'utf8' });
      await expect.poll(helper, { timeout: 30_000 }).toMatch(/^\d+\n$/);
      const before = limit('--nproc', '--noheadings', '--output', 'SOFT');
      limit('--nproc=1:');
      signal(Number(helper()), 'SIGKILL');
      await logged(/EAGAIN \(MCA01122\)/);
      signal(pair.postmasterPid(1), 'SIGKILL');
      await logged(/EAGAIN.*\(MCA01008\)/);
      expect(pair.log('server1')).not.toContain('MCA01017');
      limit(`--nproc=${before}:`);
      await logged(/MCA01123/);
      // It tries again by itself.
      await logged(/MCA01008[\s\S]*running as primary on timeline 1 \(MCA01004\)/);
      expect(pair.daemonPid('server1')).toBe(controller);
      expect(pair.ctl('stop', '--local-server', 'server1')).toMatchObject({ status: 0 });
    });
  },
);
