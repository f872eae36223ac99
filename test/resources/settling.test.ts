/** The step of kind settlement through a real shell: over where another server has the role, and else it says what its controller waits for. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { preamble } from '../../src/resources/contract/preamble.ts';
import { report, row } from './cases/controllers.ts';
import { desiredOf, kindNamed, sampleContext, samplePlace } from './cases.ts';

const { username: me } = userInfo();
let dir = '';
let controller: ChildProcess;

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'pgduet-settling-'));
  mkdirSync(join(dir, 'data'));
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

async function step(more: object, pid = controller.pid): Promise<{ status: number; stderr: string }> {
  const shown = report({ ...more }).replace('{', `{"controller_pid":${pid},`);
  writeFileSync(join(dir, 'server1.status.json'), `${shown}\n`);
  const place = {
    dataDir: `${dir}/data`,
    socketDir: dir,
    owner: me,
    managementDir: dir,
    mcCtl: '/bin/false',
  };
  const context = sampleContext({ server: { ...samplePlace, ...place } });
  const desired = desiredOf('settlement', '{ heirs: [server1, server2], bundle: /x, timeout: 1 }', context);
  const [only] = kindNamed('settlement').steps({ summary: '', reason: '', act: 'wait' } as never, desired);
  const functions = preamble({ postgresVersion: 15, owner: me, socketDir: dir, port: 1 });
  const child = spawn('sh', [], { stdio: ['pipe', 'ignore', 'pipe'] });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  child.stdin.end(`set -e\n${functions}\n${only?.script}`);
  const [status] = (await once(child, 'close')) as [number];
  return { status, stderr };
}

const held = row('server1', { host_role: 'none(inactivated primary)', instance: 'held' });
const given = { reason: 'server1 gives its role to server2', advice: 'wait' };

const over = { mirroring_status: 'switched', servers: [held, row('server2')] };

it('is over where another one has the role', async () => {
  expect(await step(over)).toMatchObject({ status: 0 });
});

it('is not where this one is about to follow that', async () => {
  expect(await step({ ...over, mirroring_status: 'switching' })).toMatchObject({ status: 1 });
});

it.each([
  ['nobody has it yet', [held, row('server2', { host_role: 'standby' })], undefined],
  ['this server has it still', [row('server1', { instance: 'waiting' }), row('server2')], undefined],
  ['an earlier controller has said so', [held, row('server2')], 1],
])('is not where %s, and says what its controller waits for', async (_, servers, pid) => {
  const { status, stderr } = await step({ servers, ...given }, pid);
  expect(status).toBe(1);
  expect(stderr).toContain('its controller says: server1 gives its role to server2');
  expect(stderr).toContain('to do: wait');
});
