/** An instance that lets no new session in, while the session that the controller keeps goes on: seen, said, and acted upon. */
import { readFileSync, rmSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { serverConf } from '../../src/controller/config.ts';
import type { CheckOutcome } from '../../src/controller/core/event.ts';
import { InstanceMonitor } from '../../src/controller/io/postgres.ts';
import { cannotRun, RealServer } from '../postgres/real-server.ts';
import { answer, boot, Conversation, heard, inSync, report, view } from './support/conversation.ts';

const why = 'could not open shared memory segment "/PostgreSQL.1": No such file or directory';
const unlet = { kind: 'instance-check', outcome: { kind: 'timeout', why } } as const;

describe('the core', () => {
  const primary = (): Conversation =>
    new Conversation('server1')
      .after(0, '', boot({ running: true }))
      .after(10, '', answer(report('primary')))
      .after(5, '', heard(view('server2', 'standby')))
      .after(20, '', { kind: 'checkpointed', purpose: 'proof', why: null })
      .after(20, '', answer(report('primary')));

  it('takes it for no answer: it is said once, and handed over by the rules for that', () => {
    const it1 = primary().silence(800).after(0, '', unlet);
    expect(it1.state.own.phase).toBe('running');
    for (let turn = 0; turn < 2; turn += 1) it1.silence(800).after(0, '', unlet);
    expect(it1.state.own.phase).toBe('silent');
    expect(it1.state.mirroring).toMatchObject({
      status: 'not-switchable',
      reason: `the instance of server1, the primary, lets no new session in (${why})`,
    });
    expect(it1.text().match(/MCA01143/g)).toHaveLength(1);
    it1.after(800, '', answer(report('primary')));
    expect(it1.state.own).toMatchObject({ phase: 'running', refusal: null });
    expect(it1.state.mirroring.reason).toBe('');
  });

  it('of a peer is shown, and a login that is refused, too', () => {
    const it2 = new Conversation('server2')
      .after(0, '', boot({ running: true, standby: true }))
      .after(10, '', answer(report('standby')))
      .after(5, '', heard(view('server1', 'primary', { sync: inSync, phase: 'silent', refusal: why })));
    expect(it2.state.mirroring.reason).toContain(`server1, the primary, lets no new session in (${why})`);
    const refused = 'no pg_hba.conf entry';
    it2.after(5, '', heard(view('server1', 'primary', { sync: inSync, refusal: refused, seq: 1 })));
    expect(it2.state.mirroring).toMatchObject({
      status: 'switchable',
      reason: `the instance of server1 lets its controller in no more (${refused})`,
    });
  });
});

/** What the processes of a server have of shared memory. */
function segmentsOf(server: RealServer): readonly string[] {
  const pid = readFileSync(join(server.data, 'postmaster.pid'), 'utf8').split('\n')[0] ?? '';
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');
  const maps = [pid, ...children].map((each) => readFileSync(`/proc/${each}/maps`, 'utf8')).join('\n');
  return [...new Set(maps.match(/\/dev\/shm\/PostgreSQL\.\d+/g))];
}

describe.skipIf(cannotRun !== undefined)('a server whose shared memory was removed', () => {
  const server = new RealServer();
  beforeAll(
    () =>
      server.start([
        'dynamic_shared_memory_type = posix',
        'max_locks_per_transaction = 500',
        'autovacuum = off',
      ]),
    60_000,
  );
  afterAll(() => server.stop());

  it('is found out by a new connection, though the kept one goes on', async () => {
    server.sql(`create role "${userInfo().username}" superuser login`);
    // Statistics of so many tables need a segment of their own, which each new session opens.
    server.sql(
      "do $$ begin for i in 1..2500 loop execute format('create table t%s (i int)', i); execute format('insert into t%s values (1)', i); end loop; end $$",
    );
    const conf = serverConf({ dbInstance: server.data, dbInstanceCheckTimeoutMs: 20_000 });
    const monitor = new InstanceMonitor({ conf, renewal: null }, () => undefined);
    try {
      expect((await monitor.check()).kind).toBe('answer');
      // As logind does with everything of the owner when the last session of it ends.
      for (const path of segmentsOf(server)) rmSync(path, { force: true });
      let outcome: CheckOutcome = { kind: 'busy' };
      for (let turn = 0; turn < 12 && outcome.kind !== 'timeout'; turn += 1) outcome = await monitor.check();
      expect(outcome).toMatchObject({
        kind: 'timeout',
        why: expect.stringContaining('shared memory segment'),
      });
      expect((await monitor.check()).kind).toBe('timeout');
    } finally {
      monitor.end();
    }
  });
});
