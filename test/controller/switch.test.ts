/**
 * Switch, failover, disconnection and attach on two real instances, while a client writes all the time. What was
 * acknowledged must be there afterwards. The write gaps are printed, not asserted.
 */
import { appendFileSync, chmodSync, existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cannotRun, owner, Pair, signal } from './support/pair.ts';
import { Writer } from './support/writer.ts';

if (cannotRun !== undefined) {
  process.stderr.write(`test/controller/switch.test.ts is skipped: ${cannotRun}\n`);
  if (process.env.CI) throw new Error(cannotRun);
}

const quickly = 60_000;

/** Not UTF-8, as many a file of an older server. */
const comment = Buffer.from('# gr\u00f6\u00dfere Werte\n', 'latin1');

describe.skipIf(cannotRun !== undefined)('two instances, one client', () => {
  const pair = new Pair();
  let writer: Writer;
  beforeAll(async () => {
    await pair.create();
    for (const number of [1, 2] as const) {
      appendFileSync(join(pair.dataDir(number), 'postgresql.conf'), comment);
      chmodSync(join(pair.dataDir(number), 'postgresql.conf'), 0o644);
    }
    for (const id of ['server1', 'server2']) expect(pair.ctl('start', '--local-server', id).stderr).toBe('');
    await whole();
    expect(pair.sql(1, 'create table written (id int)').stderr).toBe('');
    const host = join(pair.dir, 'run');
    const addresses = pair.ports.slice(0, 2).map((port) => ({ host, port }));
    writer = new Writer(addresses, owner);
    expect(await writer.writesAgain(quickly)).toBe(true);
  });
  afterAll(async () => {
    writer?.stop();
    await pair.destroy();
  });

  const status = (id: string, wanted: string) =>
    pair.until(id, (it) => it.mirroring_status === wanted, quickly);
  const whole = async (): Promise<void> => {
    for (const id of ['server1', 'server2']) {
      const report = await status(id, 'switchable');
      expect([report?.mirroring_status, report?.reason]).toEqual(['switchable', null]);
    }
  };
  const gap = (what: string): void => {
    process.stdout.write(`write gap, ${what}: ${Math.round(writer.longestGapMs())} ms\n`);
    writer.mark();
  };
  const nothingLost = (number: 1 | 2): void => {
    const known = [...writer.acknowledged];
    const rows = new Set(pair.sql(number, 'select id from written').stdout.trim().split('\n').map(Number));
    expect(known.filter((id) => !rows.has(id))).toEqual([]);
  };
  const conf = (number: 1 | 2): string => readFileSync(join(pair.dataDir(number), 'postgresql.conf'), 'utf8');

  it('switch on request: the other server is primary, the old one follows, nothing is lost', async () => {
    writer.mark();
    const result = pair.ctl('switch', '--local-server', 'server1');
    expect([result.stderr, result.status]).toEqual(['', 0]);
    expect(result.stdout).toBe('server2 is primary; server1 follows it\n');
    expect(await writer.writesAgain(quickly)).toBe(true);
    gap('switch on request');
    await whole();
    expect(existsSync(join(pair.dataDir(1), 'standby.signal'))).toBe(true);
    for (const number of [1, 2] as const) {
      const path = join(pair.dataDir(number), 'postgresql.conf');
      expect(readFileSync(path).includes(comment)).toBe(true);
      expect(statSync(path).mode & 0o777).toBe(0o644);
    }
    expect(pair.log('server2')).toContain('promotion processing completed (MCA00062)');
    expect(pair.sql(2, 'show synchronous_standby_names').stdout.trim()).toBe('server1');
    nothingLost(2);
  });

  it('switch back, asked on the standby', async () => {
    writer.mark();
    const result = pair.ctl('switch', '--local-server', 'server1');
    expect([result.stderr, result.status]).toEqual(['', 0]);
    expect(await writer.writesAgain(quickly)).toBe(true);
    gap('switch back');
    await whole();
    nothingLost(1);
  });

  it('the standby dies: commits go on without it, and it comes back by itself', async () => {
    writer.mark();
    signal(pair.postmasterPid(2), 'SIGKILL');
    await pair.until(
      'server1',
      () => pair.sql(1, 'show synchronous_standby_names').stdout.trim() === '',
      quickly,
    );
    expect(await writer.writesAgain(quickly)).toBe(true);
    gap('standby killed');
    expect(conf(1)).toMatch(/^#synchronous_standby_names ?= ?'server2'$/m);
    expect((await status('server1', 'not-switchable'))?.reason).toContain('server2');
    expect(pair.ctl('start', '--local-server', 'server2')).toMatchObject({ status: 0, stderr: '' });
    await whole();
    expect(pair.sql(1, 'show synchronous_standby_names').stdout.trim()).toBe('server2');
    expect(await writer.writesAgain(quickly)).toBe(true);
  });

  it('a role whose commits do not wait for a standby is told, and no more when that is taken back', async () => {
    expect(pair.sql(1, 'create role hasty; alter role hasty set synchronous_commit = off').stderr).toBe('');
    const told = await pair.until('server2', (it) => it.reason?.includes('role hasty') === true, quickly);
    expect(told?.reason).toContain('role hasty: synchronous_commit=off');
    expect(told?.mirroring_status).toBe('switchable');
    expect(pair.sql(1, 'drop role hasty').stderr).toBe('');
    for (const id of ['server1', 'server2']) await pair.until(id, (it) => it.reason === null, quickly);
    await whole();
    expect(pair.log('server1')).toMatch(/role hasty: synchronous_commit=off \(MCA01100\)[\s\S]*\(MCA01101\)/);
  });

  it('a standby that is stopped on purpose is taken out before its WAL stops', async () => {
    writer.mark();
    expect(pair.ctl('stop', '--local-server', 'server2')).toMatchObject({ status: 0, stderr: '' });
    expect(await writer.writesAgain(quickly)).toBe(true);
    gap('standby stopped');
    expect(pair.ctl('start', '--local-server', 'server2')).toMatchObject({ status: 0, stderr: '' });
    await whole();
  });

  it('detach holds until the standby is started again', async () => {
    const result = pair.ctl('detach', '--local-server', 'server2');
    expect([result.stderr, result.status]).toEqual(['', 0]);
    await sleep(1500);
    expect(pair.sql(1, 'show synchronous_standby_names').stdout.trim()).toBe('');
    expect(pair.ctl('stop', '--local-server', 'server2').status).toBe(0);
    expect(pair.ctl('start', '--local-server', 'server2')).toMatchObject({ status: 0, stderr: '' });
    await whole();
  });

  it('names that another file overrides are not touched', async () => {
    expect(pair.sql(1, "alter system set synchronous_standby_names = 'server2'").status).toBe(0);
    const before = conf(1);
    const result = pair.ctl('detach', '--local-server', 'server1');
    expect(result.status).toBe(1);
    expect(result.stderr).toContain('postgresql.auto.conf overrides synchronous_standby_names');
    expect(conf(1)).toBe(before);
    expect(pair.sql(1, 'alter system reset synchronous_standby_names').status).toBe(0);
    expect(pair.ctl('stop', '--local-server', 'server2').status).toBe(0);
    expect(pair.ctl('start', '--local-server', 'server2')).toMatchObject({ status: 0, stderr: '' });
    await whole();
  });

  it('a primary that is restarted on purpose is no reason to take over', async () => {
    expect(pair.ctl('stop', '--local-server', 'server1')).toMatchObject({ status: 0, stderr: '' });
    await sleep(2500);
    expect(existsSync(join(pair.dataDir(2), 'standby.signal'))).toBe(true);
    expect(pair.ctl('start', '--local-server', 'server1')).toMatchObject({ status: 0, stderr: '' });
    await whole();
    nothingLost(1);
  });

  it('the primary dies: the standby takes over, and the old one does not come back beside it', async () => {
    expect(await writer.writesAgain(quickly)).toBe(true);
    writer.mark();
    signal(pair.postmasterPid(1), 'SIGKILL');
    expect(await writer.writesAgain(quickly)).toBe(true);
    gap('primary killed');
    nothingLost(2);
    expect(
      (await status('server2', 'switched'))?.servers.find((it) => it.server_id === 'server2')?.host_role,
    ).toBe('primary');
    const again = pair.ctl('start', '--local-server', 'server1');
    expect(again.status).toBe(1);
    expect(again.stderr).toContain('server2 is primary; this server must be rebuilt as its standby');
    expect(pair.ctl('stop', '--local-server', 'server1').status).toBe(0);
    expect(pair.ctl('start', '--local-server', 'server1').stderr).toContain('server2 is primary');
    expect(pair.postmasterPid(1) === 0 || !existsSync(`/proc/${pair.postmasterPid(1)}`)).toBe(true);
  });
});
