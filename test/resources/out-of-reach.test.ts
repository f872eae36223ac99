/**
 * A controller that runs on without its directory, by a real shell: the step that starts one ends it where systemd runs it and the next one finds what
 * it needs, and nothing else is ever ended; the port is its own as long as that is so.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { preamble } from '../../src/resources/contract/preamble.ts';
import { desiredOf, kindNamed, sampleContext, samplePlace } from './cases.ts';

const { username: owner } = userInfo();
const managed = '{ unit: mcoi_inst1, bundle: /x, timeout: 2 }';
const byScript = '{ unit: update-rc.d/rc_mcoi_inst1, bundle: /x, timeout: 2 }';

let root = '';
let mc = '';
let stray: ChildProcess;
let listener: Server;
let port = 0;
beforeEach(async () => {
  root = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'pgduet-reach-'));
  mc = join(root, 'mc');
  for (const path of ['bin', 'mc', 'pg']) mkdirSync(join(root, path));
  stray = runs();
  for (const name of ['network.conf', 'server1.conf', 'server1.state.json.torn'])
    writeFileSync(join(mc, name), '');
  fact('main', `${stray.pid}`);
  fact('active', 'active');
  began(-60);
  program(
    'systemctl',
    `echo "$*" >> ${root}/said
case "$*" in
  *is-active*) [ "$(cat ${root}/active)" = active ];;
  *MainPID*) cat ${root}/main;;
  *ExecMainStart*) cat ${root}/began;;
  kill*) echo 0 > ${root}/main;;
  start*) : > ${root}/started;;
esac`,
  );
  program('journalctl', ':');
  listener = createServer();
  port = await new Promise((resolve) => {
    listener.listen(0, () => {
      const address = listener.address();
      resolve(typeof address === 'object' && address ? address.port : 0);
    });
  });
});
afterEach(() => {
  if (stray.pid) process.kill(-stray.pid, 'SIGKILL');
  listener.close();
  rmSync(root, { recursive: true });
});

/** Its words, and whose it is, tell a controller from outside. */
const runs = (as: { readonly uid?: number } = {}, ...flags: readonly string[]): ChildProcess => {
  const words = ['daemon', '-M', mc, '--local-server', 'server1', ...flags];
  return spawn('sh', ['-c', 'sleep 600; :', 'sh', ...words], { detached: true, ...as });
};
const instead = async (...how: Parameters<typeof runs>): Promise<void> => {
  if (stray.pid) process.kill(-stray.pid, 'SIGKILL');
  await new Promise((resolve) => stray.once('exit', resolve));
  stray = runs(...how);
};
/** The controller has begun so many seconds from now, as systemd says it. */
const began = (seconds: number): void =>
  fact(
    'began',
    `${new Date(Date.now() + seconds * 1000).toISOString().replace('T', ' ').slice(0, 19)} UTC\n`,
  );
/** Its status file is of so many seconds from now. */
function shownIn(seconds: number): void {
  const at = Date.now() / 1000 + seconds;
  fact('mc/server1.status.json', '{}');
  utimesSync(join(mc, 'server1.status.json'), at, at);
}
const fact = (name: string, text: string): void => writeFileSync(join(root, name), text);
function program(name: string, body: string): void {
  writeFileSync(join(root, 'bin', name), `#!/bin/sh\n${body}\n`);
  chmodSync(join(root, 'bin', name), 0o755);
}
const said = (): string => (existsSync(join(root, 'said')) ? readFileSync(join(root, 'said'), 'utf8') : '');

function sh(text: string) {
  const place = { postgresVersion: 15, binDir: join(root, 'bin'), owner, socketDir: '/tmp', port: 1 };
  const input = `PATH=${root}/bin:$PATH\n${preamble(place)}\n${text}`;
  const { status, stdout, stderr } = spawnSync('sh', [], { input, encoding: 'utf8' });
  return { status: status ?? 255, stdout, stderr };
}
const context = () =>
  sampleContext({
    server: {
      ...samplePlace,
      dataDir: join(root, 'pg'),
      managementDir: mc,
      owner,
      mcCtl: join(root, 'bin/none'),
    },
  });

/** As it is planned where the pid file is not there. */
function start(yaml = managed) {
  const kind = kindNamed('controller');
  const desired = desiredOf('controller', yaml, context());
  const verdict = kind.diff(desired, {
    state: 'present',
    value: { instance: 'stopped with its controller' },
  });
  if (verdict.kind !== 'change') throw new Error(verdict.kind);
  const [only] = kind.steps(verdict.change, desired);
  return sh(`set -e\n${only?.script}`);
}
const kill = 'kill --kill-who=main -s KILL mcoi_inst1.service';

describe('the step that starts a controller', () => {
  it('ends the one out of reach alone, and starts its unit', () => {
    expect(start().stderr).toContain('did not answer within 2 s');
    expect(said()).toContain(kill);
    expect(said()).not.toMatch(/^(stop|restart)/m);
    expect(existsSync(join(root, 'started'))).toBe(true);
  });

  it.each<[string, () => void]>([
    ['mark nor record', () => rmSync(join(mc, 'server1.state.json.torn'))],
    ['network.conf', () => rmSync(join(mc, 'network.conf'))],
    ['its configuration', () => rmSync(join(mc, 'server1.conf'))],
  ])('ends nothing without %s, and says so', (_, happens) => {
    happens();
    expect(start()).toMatchObject({
      status: 1,
      stderr: expect.stringContaining(`the controller runs (process ${stray.pid})`),
    });
    expect(said()).not.toContain('kill');
    expect(existsSync(join(root, 'started'))).toBe(false);
  });

  it('takes a record for as good as the mark', () => {
    rmSync(join(mc, 'server1.state.json.torn'));
    fact('mc/server1.state.json', '{}');
    start();
    expect(said()).toContain(kill);
  });

  it('ends nothing beside a record that is older and came later: it is from a backup', () => {
    const record = join(mc, 'server1.state.json');
    const old = Date.now() / 1000 - 86_400;
    writeFileSync(record, '{}');
    utimesSync(record, old, old);
    expect(start()).toMatchObject({ status: 1, stderr: expect.stringContaining('as from a backup') });
    expect(said()).not.toContain('kill');
    // As the message says.
    renameSync(record, `${record}.torn`);
    start();
    expect(said()).toContain(kill);
  });

  it('takes a record that stood there before it began for its own, where it shows its status beside', () => {
    began(60);
    fact('mc/server1.state.json', '{}');
    shownIn(90);
    start();
    expect(said()).toContain(kill);
  });

  it('ends nothing beside a record of a file system that was mounted over: it has shown nothing there', () => {
    began(60);
    fact('mc/server1.state.json', '{}');
    fact('mc/server1.pid', '1\n1\nx\n');
    for (const happens of [() => shownIn(0), () => rmSync(join(mc, 'server1.status.json'))]) {
      happens();
      expect(start()).toMatchObject({ status: 1, stderr: expect.stringContaining('mounted over') });
    }
    expect(said()).not.toContain('kill');
  });

  it('ends nothing where nobody says when the controller began', () => {
    writeFileSync(join(mc, 'server1.state.json'), '{}');
    fact('began', '');
    expect(start().status).toBe(1);
    expect(said()).not.toContain('kill');
  });

  it.each<[string, () => void]>([
    ['its unit is about to start', () => fact('active', 'activating')],
    ['the pid file names it', () => fact('mc/server1.pid', pidFile())],
  ])('only starts its unit where %s', (_, happens) => {
    happens();
    start();
    expect(said()).not.toContain('kill');
    expect(existsSync(join(root, 'started'))).toBe(true);
  });

  it.each<[string, () => void]>([
    ['its unit has no process', () => fact('main', '0')],
    [
      'its unit is down',
      () => {
        fact('active', 'inactive');
        fact('main', '0');
      },
    ],
    [
      'its unit is about to start another one',
      () => {
        fact('active', 'activating');
        fact('main', '1');
      },
    ],
  ])('starts no other one beside one that was started by hand, where %s: a person ends it', (_, happens) => {
    happens();
    expect(start()).toMatchObject({ status: 1, stderr: expect.stringContaining(`kill -KILL ${stray.pid}`) });
    rmSync(join(mc, 'server1.state.json.torn'));
    expect(start()).toMatchObject({ status: 1, stderr: expect.stringContaining('do not end it') });
    expect(said()).not.toMatch(/^(start|kill)/m);
  });

  it.each([[['-F']], [['--mc-only']], [['--mc-only', '-f']]])(
    'knows one by its words with %s, too',
    async (flags) => {
      await instead({}, ...flags);
      expect(start(byScript).stderr).toContain(`the controller runs (process ${stray.pid})`);
    },
  );

  it('takes nothing for one that only has its words before others', async () => {
    await instead({}, 'and', 'more');
    expect(start(byScript).stderr).not.toContain('the controller runs');
  });

  it.runIf(process.getuid?.() === 0)('takes no process of another user for the controller', async () => {
    // Everybody may give his own process such words.
    await instead({ uid: 65534 });
    fact('main', '0');
    start();
    expect(existsSync(join(root, 'started'))).toBe(true);
    expect(start(byScript).stderr).not.toContain('the controller runs');
  });

  it.runIf(process.getuid?.() === 0)(
    "takes root's process for none: it may have begun another user's",
    () => {
      program('id', 'echo 65534');
      expect(start(byScript).stderr).not.toContain('the controller runs');
      const own = runs({ uid: 65534 });
      const { stderr } = start(byScript);
      if (own.pid) process.kill(-own.pid, 'SIGKILL');
      expect(stderr).toContain(`the controller runs (process ${own.pid})`);
      expect(stderr).not.toContain('cannot open');
    },
  );

  it('ends nothing where no systemd could start another one: a person does', () => {
    expect(start(byScript)).toMatchObject({
      status: 1,
      stderr: expect.stringContaining(`kill -KILL ${stray.pid}`),
    });
    rmSync(join(mc, 'server1.state.json.torn'));
    expect(start(byScript)).toMatchObject({ status: 1, stderr: expect.stringContaining('do not end it') });
    expect(said()).toBe('');
  });

  function pidFile(): string {
    const stat = readFileSync(`/proc/${stray.pid}/stat`, 'utf8');
    const ticks = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
    return `${stray.pid}\n${ticks}\n${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8')}`;
  }
});

describe('the port of a controller out of reach', () => {
  function look(unit: string) {
    const kind = kindNamed('port');
    const desired = desiredOf(
      'port',
      `{ port: ${port}, for: the controller, pid_file: ${mc}/server1.pid${unit} }`,
      context(),
    );
    const seen = kind.read(sh(kind.probe(desired).shell ?? ''), desired);
    if (seen.state === 'unknown') throw new Error(seen.reason);
    return kind.diff(desired, seen);
  }
  const refused = (fix: string) => ({
    kind: 'refuse',
    diagnostic: { code: 'HST005', fix: expect.stringContaining(fix) },
  });

  it('is its own where systemd runs it, and the next one finds what it may believe', () => {
    expect(look(', unit: mcoi_inst1')).toMatchObject({ kind: 'same' });
    rmSync(join(mc, 'server1.state.json.torn'));
    expect(look(', unit: mcoi_inst1')).toMatchObject(refused('Do not end the controller'));
  });

  it('is its own, too, where its file names another process; a record that is not its own is told, and nobody ends it', () => {
    fact('mc/server1.pid', '999999999\n1\nx\n');
    expect(look(', unit: mcoi_inst1')).toMatchObject({ kind: 'same' });
    began(60);
    fact('mc/server1.state.json', '{}');
    expect(look(', unit: mcoi_inst1')).toMatchObject(refused('Do not end the controller. If a file system'));
    const old = Date.now() / 1000 - 86_400;
    utimesSync(join(mc, 'server1.state.json'), old, old);
    expect(look(', unit: update-rc.d/rc_mcoi_inst1')).toMatchObject(refused('Do not end the controller. If'));
  });

  it('is for a person to free where it is no main process of a unit', () => {
    const end = `kill -KILL ${stray.pid}`;
    expect(look('')).toMatchObject(refused(end));
    expect(look(', unit: update-rc.d/rc_mcoi_inst1')).toMatchObject(refused(end));
    fact('main', '1');
    expect(look(', unit: mcoi_inst1')).toMatchObject(refused(end));
  });
});
