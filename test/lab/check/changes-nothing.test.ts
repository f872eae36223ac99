/**
 * `pgduet check` changes nothing: contents and times of every file, what PostgreSQL counts as writes, its log, the journal
 * beyond the login itself, processes. Before and after are compared on real hosts; the server logs every statement.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, expect } from 'vitest';
import { describeLab, labTest } from '../harness/describe.ts';
import type { Host } from '../harness/lab.ts';
import { run, sleep, until } from '../harness/run.ts';
import { freshPair, type LabCluster } from '../support/cluster.ts';
import type { Server } from '../support/instance.ts';
import { rootLogin } from '../support/inventory.ts';
import { expectExit } from '../support/pgduet.ts';
import {
  changedFigures,
  changedFiles,
  journalSince,
  logSince,
  newProcesses,
  quietSql,
  type Traces,
  tracesOf,
} from './traces.ts';

const program = join(import.meta.dirname, '../../../dist/pgduet.js');

describeLab('a check changes nothing', () => {
  let pair: LabCluster;
  let hosts: [Host, Host];
  let servers: [Server, Server];
  let asRoot: string;
  let withSudo: string;
  /** What a server logs of its controllers, second by second. */
  const usual = new Set<string>();
  beforeAll(async () => {
    // Files of a prepared layer get another time of change when a server opens them for the first time.
    // And what autovacuum writes would be taken for writes of the check.
    const settings = {
      max_connections: 50,
      shared_buffers: '16MB',
      log_statement: 'all',
      autovacuum_naptime: '1h',
      // The background writer sleeps for 50 times this when nothing happens, and what it writes last comes that much later.
      bgwriter_delay: '10ms',
    };
    pair = await freshPair({ postgres: { settings } });
    expectExit(await pair.provision(), 0);
    servers = [pair.primary, pair.standby];
    hosts = [pair.primary.host, pair.standby.host];
    asRoot = pair.file;
    withSudo = pair.inventory('ops.yml', {
      postgres: { settings },
      ssh: { ...rootLogin(pair.lab), user: 'ops', become: 'sudo' },
    });
    await settle();
  });
  afterAll(() => pair?.close());

  /** Reading sets hint bits, which are written to the WAL; frozen rows need none. Then everything is on the disk. */
  const settle = async (): Promise<void> => {
    await hosts[0].sh('cd / && runuser -u postgres -- vacuumdb -h /var/run/postgresql -p 27500 -a -q -F', {
      check: true,
    });
    for (const server of servers) {
      await quietSql(server, 'CHECKPOINT');
      // The first session after a VACUUM makes a cache file of its database anew.
      for (const database of ['postgres', 'template1']) await quietSql(server, 'select 1', database);
    }
    let last = '';
    // The background writer logs a snapshot once after the last change, within 15 seconds, and counts it a while later.
    await until(
      () => 'the WAL does not come to rest',
      120_000,
      async () => {
        const now = await quietSql(servers[0], 'select pg_current_wal_lsn(), wal_records from pg_stat_wal');
        if (now === last) return true;
        last = now;
        return undefined;
      },
      17_000,
    );
  };

  const login = (user: string, host: Host, command: string) =>
    run('ssh', [
      ...['-i', pair.lab.key, '-o', `UserKnownHostsFile=${pair.lab.knownHosts}`, '-o', 'BatchMode=yes'],
      `${user}@${host.address}`,
      command,
    ]);

  const compare = async (work: () => Promise<unknown>): Promise<Record<string, readonly string[]>> => {
    const before = (await Promise.all(servers.map(tracesOf))) as [Traces, Traces];
    await work();
    // Statistics of a session that has ended arrive within a second.
    await sleep(1_500);
    const after = (await Promise.all(servers.map(tracesOf))) as [Traces, Traces];
    const found: Record<string, readonly string[]> = {};
    for (const [index, { host, id }] of servers.entries()) {
      const [then, now] = [before[index] as Traces, after[index] as Traces];
      expect(then.files.size).toBeGreaterThan(1_000);
      expect(then.writes.size).toBeGreaterThan(100);
      found[`files of ${id}`] = changedFiles(then.files, now.files);
      found[`writes of ${id}`] = changedFigures(then.writes, now.writes);
      const log = [...(await logSince(servers[index] as Server, then))];
      found[`log of ${id}`] = log.filter((line) => !usual.has(line));
      found[`journal of ${id}`] = await journalSince(host, then.cursor);
      found[`processes of ${id}`] = newProcesses(then.processes, now.processes);
    }
    return Object.fromEntries(Object.entries(found).filter(([, list]) => list.length > 0));
  };

  labTest('what the daemons write and what a login leaves is known by name', async () => {
    const before = await Promise.all(servers.map(tracesOf));
    await sleep(5_000);
    for (const [index, server] of servers.entries())
      for (const line of await logSince(server, before[index] as Traces)) usual.add(line);
    expect(usual.size).toBeGreaterThan(0);
    const found = await compare(async () => {
      for (const host of hosts) {
        await login('root', host, 'true');
        await login('ops', host, 'sudo -n true');
      }
      await sleep(3_000);
    });
    expect(found).toEqual({});
  });

  /** Two looks of --watch, then Ctrl-C. */
  const watchTwice = async (file: string): Promise<void> => {
    const child = spawn(process.execPath, [program, 'check', '-i', file, '--verbose', '--watch', '1s'], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { PATH: process.env.PATH ?? '', HOME: pair.lab.dir },
    });
    const ended = new Promise((resolve) => child.once('close', resolve));
    let text = '';
    child.stderr.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    await until(
      () => `no second look came:\n${text}`,
      60_000,
      () => ((text.match(/questions answered/g) ?? []).length >= 4 ? true : undefined),
      100,
    );
    child.kill('SIGINT');
    await ended;
  };

  for (const who of ['root', 'an account with sudo'])
    labTest(`check, --diff, --json and --watch, as ${who}`, async () => {
      const file = who === 'root' ? asRoot : withSudo;
      const { command } = pair;
      const found = await compare(async () => {
        for (const more of [[], ['--diff'], ['--json']])
          expectExit(await command(['check', '-i', file, ...more]), 0);
        await watchTwice(file);
      });
      expect(found).toEqual({});
    });

  labTest('a change is noticed: the test can fail', async () => {
    const found = await compare(async () => {
      await hosts[0].sh('touch /etc/hosts', { check: true });
      await hosts[1].sh('logger by-hand', { check: true });
      await quietSql(servers[0], 'CREATE TABLE made (n int); DROP TABLE made');
    });
    const told = JSON.stringify(found);
    for (const text of ['/etc/hosts', 'by-hand', 'lsn', 'wal_records']) expect(told).toContain(text);
  });
});
