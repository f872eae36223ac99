/** A receiver that never confirms holds up the shutdown of a real instance: it is disconnected, and a standby is not. */
import { spawn } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { serverConf } from '../../src/controller/config.ts';
import { findServerProgram, Instance } from '../../src/controller/io/instance.ts';
import { ownWalsenders } from '../../src/controller/io/postgres.ts';
import { controlData } from '../../src/controller/io/switchover.ts';
import { asOwner, cannotRun, owner, Pair, signal } from './support/pair.ts';

if (cannotRun !== undefined) {
  process.stderr.write(`test/controller/walsender.test.ts is skipped: ${cannotRun}\n`);
  if (process.env.CI) throw new Error(cannotRun);
}

describe.skipIf(cannotRun !== undefined)('a shutdown that a receiver holds up', () => {
  const pair = new Pair();
  const run = (): string => join(pair.dir, 'run');
  let bin = '';
  const receivers: number[] = [];
  beforeAll(async () => {
    await pair.create();
    const program = await findServerProgram(pair.dataDir(1));
    if ('why' in program) throw new Error(program.why);
    bin = dirname(program.path);
    appendFileSync(
      join(pair.dataDir(1), 'postgresql.conf'),
      "wal_level=logical\nwal_sender_timeout=0\nsynchronous_standby_names=''\ncluster_name='a: b'\n",
    );
  });
  afterAll(async () => {
    for (const pid of receivers) signal(pid, 'SIGKILL');
    await pair.destroy();
  });

  const conf = () => serverConf({ dbInstance: pair.dataDir(1), dbInstanceUsername: owner });
  const control = (...args: string[]) => {
    const done = asOwner(join(bin, 'pg_ctl'), [
      '-D',
      pair.dataDir(1),
      '-w',
      '-l',
      join(run(), 'log'),
      ...args,
    ]);
    expect(done.status, done.stdout + done.stderr).toBe(0);
  };
  const sql = (text: string): string => {
    const done = pair.sql(1, text);
    expect(done.stderr).toBe('');
    return done.stdout.trim();
  };

  /** A receiver of this name that stands still while there is something to confirm. */
  async function heldUp(name: string): Promise<void> {
    const dir = join(run(), name);
    asOwner('mkdir', [dir]);
    const args = ['-h', run(), '-p', String(pair.ports[0]), '-D', dir, '--no-loop'];
    const words = [join(bin, 'pg_receivewal'), ...args];
    const uid = Number(asOwner('id', ['-u']).stdout);
    const child = spawn(words[0] ?? '', words.slice(1), {
      env: { ...process.env, PGAPPNAME: name, PGUSER: owner },
      stdio: 'ignore',
      ...(process.getuid?.() === 0 ? { uid } : {}),
    });
    const pid = child.pid ?? 0;
    receivers.push(pid);
    const there = `select count(*) from pg_stat_replication where application_name = '${name}' and state = 'streaming'`;
    await expect.poll(() => sql(there), { timeout: 20_000 }).toBe('1');
    signal(pid, 'SIGSTOP');
    // More than the socket holds, so that the walsender cannot send what is left.
    sql(`create table ${name} as select repeat(md5(i::text), 60) as t from generate_series(1, 40000) i`);
  }

  async function stop(mode: 'fast' | 'limited', servers: readonly string[], limitMs: number) {
    const ours = await ownWalsenders(conf(), servers);
    const instance = new Instance(pair.dataDir(1), join(run(), 'startup'), undefined, undefined, {
      sendersMs: 1500,
      limitMs,
    });
    const began = performance.now();
    expect(await instance.stop(mode, ours)).toBeNull();
    const ms = performance.now() - began;
    return {
      ms,
      ended: instance.endedSenders.length,
      proof: await controlData({ dbInstance: pair.dataDir(1) }),
    };
  }

  it('ends cleanly when that one has been disconnected', async () => {
    control('start');
    await heldUp('cdc');
    const { ms, ended, proof } = await stop('fast', ['server1', 'server2'], 60_000);
    expect([ended, proof?.state]).toEqual([1, 'shut down']);
    expect(ms).toBeGreaterThan(1400);
    expect(ms).toBeLessThan(20_000);
  });

  it('is limited where it is a standby that does not confirm', async () => {
    control('start');
    await heldUp('Server2');
    const { ms, ended } = await stop('limited', ['server1', 'server2'], 4000);
    expect(ended).toBe(0);
    expect(ms).toBeGreaterThan(3900);
    expect(ms).toBeLessThan(20_000);
  });

  it('knows no walsender of an instance that cannot be asked', async () => {
    expect(await ownWalsenders(conf(), ['server2'])).toBeNull();
  });
});
