/** The WAL receiver is cut on a real standby: also one that is only connecting, and never while its setting is in force. */
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { serverConf } from '../../src/controller/config.ts';
import { findServerProgram } from '../../src/controller/io/instance.ts';
import { cutReceiver } from '../../src/controller/io/switchover.ts';
import { asOwner, cannotRun, owner, Pair, signal } from './support/pair.ts';

if (cannotRun !== undefined) {
  process.stderr.write(`test/controller/receiver.test.ts is skipped: ${cannotRun}\n`);
  if (process.env.CI) throw new Error(cannotRun);
}

const quickly = 60_000;

describe.skipIf(cannotRun !== undefined)('the receiver of a standby', () => {
  const pair = new Pair();
  const sockets: Socket[] = [];
  let silent: Server;
  let port = 0;
  beforeAll(async () => {
    await pair.create();
    // Takes connections and never says a word: a receiver stays in its connection attempt.
    silent = createServer((socket) => sockets.push(socket.on('error', () => undefined)));
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const address = silent.address();
    port = typeof address === 'object' && address ? address.port : 0;
  });
  afterAll(async () => {
    for (const socket of sockets) socket.destroy();
    silent.close();
    await pair.destroy();
  });

  const conf = () => serverConf({ dbInstance: pair.dataDir(2), dbInstanceUsername: owner });
  const file = (name: string): string => join(pair.dataDir(2), name);

  async function restart(upstream: number): Promise<void> {
    const program = await findServerProgram(pair.dataDir(2));
    if ('why' in program) throw new Error(program.why);
    const control = (...args: string[]) =>
      asOwner(join(dirname(program.path), 'pg_ctl'), ['-D', pair.dataDir(2), '-w', ...args]);
    if (pair.postmasterPid(2) > 1) control('-m', 'fast', 'stop');
    writeFileSync(
      file('postgresql.auto.conf'),
      `primary_conninfo = 'host=127.0.0.1 port=${upstream} user=x'\n`,
    );
    const started = control('-l', join(pair.dir, 'run', 'log2'), 'start');
    expect(started.status, started.stdout).toBe(0);
  }

  const one = (sql: string): string => pair.sql(2, sql).stdout.trim();
  const process = "select pid from pg_stat_activity where backend_type = 'walreceiver'";

  it('that is connecting counts as one until its process is gone', async () => {
    await restart(port);
    await expect.poll(() => one(process), { timeout: quickly }).not.toBe('');
    expect(one('select count(*) from pg_stat_wal_receiver')).toBe('0');
    const receiver = Number(one(process));
    signal(receiver, 'SIGSTOP');
    try {
      await expect(cutReceiver(conf())).rejects.toThrow('the WAL receiver did not end');
    } finally {
      signal(receiver, 'SIGCONT');
    }
    expect(await cutReceiver(conf())).toMatch(/^[0-9A-F]+\/[0-9A-F]+$/);
    const connections = sockets.length;
    for (let look = 0; look < 10; look += 1) {
      expect(one(process)).toBe('');
      await sleep(100);
    }
    expect(sockets.length).toBe(connections);
  });

  it('is not reported as cut while the server goes on asking for one', async () => {
    // Nobody listens there: every receiver ends at once, and another one is asked for.
    await restart(1);
    const whole = readFileSync(file('postgresql.conf'));
    appendFileSync(file('postgresql.conf'), '= nonsense\n');
    await expect(cutReceiver(conf())).rejects.toThrow('the server did not take over primary_conninfo');
    writeFileSync(file('postgresql.conf'), whole);
    await expect(cutReceiver(conf())).resolves.toMatch(/\//);
  });
});
