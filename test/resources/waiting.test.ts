/** The step of kind mirroring through a real shell: it reads the controller's file, and starts mc_ctl seldom. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { preamble } from '../../src/resources/contract/preamble.ts';
import { desiredOf, kindNamed, sampleContext, samplePlace } from './cases.ts';

const { username: me } = userInfo();
let dir = '';
let controller: ChildProcess;

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'pgduet-waiting-'));
  controller = spawn('sleep', ['60']);
  await once(controller, 'spawn');
  const stat = readFileSync(`/proc/${controller.pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[19];
  const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  writeFileSync(join(dir, 'server1.pid'), `${controller.pid}\n${stat}\n${boot}\n`);
});
afterEach(() => {
  controller.kill();
  rmSync(dir, { recursive: true });
});

/** mc_ctl as a script; what it is asked stands in `asked`. */
const mcCtl = (then: string): void =>
  writeFileSync(join(dir, 'mc_ctl'), `#!/bin/sh\necho "$1" >> '${dir}/asked'\necho said\n${then}\n`, {
    mode: 0o755,
  });

const shown = (status: string, pid = controller.pid): string =>
  `{"schema":1,"mirroring_status":"${status}","controller_pid":${pid},"servers":[]}\n`;

async function wait(
  timeoutSeconds: number,
  alone = 'no',
): Promise<{ status: number; stderr: string; asked: number }> {
  const desired = parsed(timeoutSeconds, alone);
  const [step] = kindNamed('mirroring').steps({ summary: '', reason: '' }, desired);
  const functions = preamble({ postgresVersion: 15, owner: me, socketDir: '/tmp', port: 1 });
  const child = spawn('sh', [], { stdio: ['pipe', 'ignore', 'pipe'] });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  child.stdin.end(`set -e\n${functions}\n${step?.script}`);
  const [status] = (await once(child, 'close')) as [number];
  const asked = existsSync(join(dir, 'asked'))
    ? readFileSync(join(dir, 'asked'), 'utf8').trim().split('\n').length
    : 0;
  return { status, stderr, asked };
}

function parsed(timeoutSeconds: number, alone: string) {
  const place = {
    dataDir: `${dir}/data`,
    socketDir: dir,
    owner: me,
    managementDir: dir,
    mcCtl: `${dir}/mc_ctl`,
  };
  const context = sampleContext({ server: { ...samplePlace, ...place } });
  return desiredOf('mirroring', `{ timeout: ${timeoutSeconds}, alone: ${alone} }`, context);
}

it.each([
  ['ends well', 'exit 0', 0],
  ['fails', 'exit 1', 1],
])(
  'a switch that %s has told meanwhile what its controller waits for, and leaves nobody behind',
  async (_, end, expected) => {
    const reason = 'server1 hands over to server2';
    writeFileSync(
      join(dir, 'server1.status.json'),
      shown('switching').replace('{', `{"reason":"${reason}",`),
    );
    mcCtl(`if [ "$1" = switch ]; then until [ -e '${dir}/told' ]; do sleep 0.1; done; ${end}; fi`);
    const place = {
      dataDir: `${dir}/data`,
      socketDir: dir,
      owner: me,
      managementDir: dir,
      mcCtl: `${dir}/mc_ctl`,
    };
    const desired = desiredOf(
      'switchover',
      '{ to: server2 }',
      sampleContext({ server: { ...samplePlace, ...place } }),
    );
    const [step] = kindNamed('switchover').steps({ summary: '', reason: '' }, desired);
    const functions = preamble({ postgresVersion: 15, owner: me, socketDir: '/tmp', port: 1 });
    const child = spawn('sh', [], { stdio: ['pipe', 'ignore', 'pipe'] });
    const told: unknown[] = [];
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      const found = text.split('\n').flatMap((line) => step?.progress?.(line) ?? []);
      if (found.length > 0) writeFileSync(join(dir, 'told'), '');
      told.push(...found);
    });
    child.stdin.end(`set -e\n${functions}\n${step?.script}`);
    // Closed: nobody who could still say something holds the stream.
    const [status] = (await once(child, 'close')) as [number];
    expect([status, told[0]]).toEqual([expected, { meanwhile: reason }]);
  },
);

it('ends at once where the file shows that a switch is possible, and asks nobody', async () => {
  mcCtl('');
  writeFileSync(join(dir, 'server1.status.json'), shown('failover-disabled'));
  expect(await wait(5)).toEqual({ status: 0, stderr: '', asked: 0 });
});

it.each([
  ['yes', 'not-switchable', 'server2 is in maintenance by alice', 0],
  ['yes', 'switched', 'server2 is in maintenance by alice', 0],
  ['yes', 'unknown', 'no primary is heard; server2 is in maintenance by alice', 1],
  ['yes', 'not-switchable', 'server2 is not heard', 1],
  ['no', 'not-switchable', 'server2 is in maintenance by alice; server3 is not heard', 1],
])(
  'where nobody might take over but who is in maintenance (%s), and it is %s: %s',
  async (alone, status, reason, expected) => {
    mcCtl('exit 1');
    const text = shown(status).replace('{', `{"reason":"${reason}",`);
    writeFileSync(
      join(dir, 'server1.status.json'),
      text.replace(/("reason":"[^"]*",)(.*?)("controller_pid)/, '$2$1$3'),
    );
    expect((await wait(1, alone)).status).toBe(expected);
  },
);

it('asks once, and ends with the news of the file', async () => {
  writeFileSync(join(dir, 'server1.status.json'), shown('not-switchable'));
  mcCtl(`(sleep 0.2; echo '${shown('switchable').trim()}' > '${dir}/server1.status.json') >/dev/null 2>&1 &`);
  expect(await wait(30)).toEqual({ status: 0, stderr: '', asked: 1 });
});

it.each([
  ['says so', () => shown('not-switchable')],
  ['is that of an earlier controller', () => shown('switchable', 1)],
])('fails with what mc_ctl says as long as the file %s', async (_, text) => {
  mcCtl('exit 1');
  writeFileSync(join(dir, 'server1.status.json'), text());
  expect(await wait(1)).toEqual({ status: 1, stderr: 'said\n', asked: 2 });
});
