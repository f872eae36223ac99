import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { localTransport } from '../../src/transport/local.ts';
import { openTransport } from '../../src/transport/open.ts';
import { buildClient, startClient } from './client-process.ts';
import { sessionContract, shellContract } from './contract.ts';
import { diagnosticOf } from './expect-diagnostic.ts';
import { sampleHost } from './samples.ts';

const transport = openTransport({
  acceptNewHostKeys: false,
  env: { home: '/nonexistent', user: userInfo().username },
});
const open = () => transport.open(sampleHost({ connection: 'local' }));

sessionContract('local', open);
shellContract('local', open);

test('the environment of the person who runs pgduet does not reach the scripts', async () => {
  process.env.PGDUET_CANARY = 'secret';
  const session = await open();
  expect((await session.run('env')).stdout).not.toContain('PGDUET_CANARY');
  await session.close();
});

test('when the client is killed, its script ends and the lock is free', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'pgduet-'));
  const session = await open();
  try {
    const cluster = `killed${process.pid}`;
    const script = 'echo begun >&2; sleep 1000.25';
    const child = await startClient(await buildClient(dir), {
      wish: { connection: 'local' },
      cluster,
      script,
    });
    const request = { cluster, owner: 'other', waitMs: 0 };
    expect(await session.lock(request)).toEqual({ held: false, owner: 'the client' });
    child.kill('SIGKILL');
    // The end of the pipe tells it; for silence alone the script would go on for 45 s.
    const left = async () => (await session.run('pgrep -fc "^sleep 1000.25$"')).stdout;
    await expect.poll(left, { timeout: 30_000 }).toBe('0\n');
    expect(await session.lock(request)).toEqual({ held: true });
  } finally {
    await session.close();
    rmSync(dir, { recursive: true });
  }
});

test('a client that stands still is taken for dead; one that is only busy is not', async () => {
  const quick = localTransport({ heartbeatMs: 200, silenceSeconds: 1 });
  const session = await quick.open(sampleHost({ connection: 'local' }));
  expect((await session.run('sleep 3; echo alive')).stdout).toBe('alive\n');
  await session.close();
  const mute = localTransport({ heartbeatMs: 1e6, silenceSeconds: 1 });
  const other = await mute.open(sampleHost({ connection: 'local' }));
  expect((await diagnosticOf(other.run('sleep 1000'))).code).toBe('CON007');
  await other.close();
});
