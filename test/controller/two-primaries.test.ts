/**
 * Two real instances that both take writes: the one that was left on the lower timeline has gone on, and the status names it, from
 * the history file and the numbers of the transactions.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cannotRun, Pair } from './support/pair.ts';

if (cannotRun !== undefined) {
  process.stderr.write(`test/controller/two-primaries.test.ts is skipped: ${cannotRun}\n`);
  if (process.env.CI) throw new Error(cannotRun);
}

describe.skipIf(cannotRun !== undefined)('two primaries', () => {
  const pair = new Pair();
  beforeAll(() => pair.create());
  afterAll(() => pair.destroy());

  it('are told apart by what they hold, and not by their timelines', async () => {
    for (const id of ['server1', 'server2'])
      expect(pair.ctl('start', '--local-server', id)).toMatchObject({ status: 0, stderr: '' });
    await pair.until('server1', (it) => it.mirroring_status === 'switchable');
    expect(pair.ctl('detach', '--local-server', 'server1')).toMatchObject({ status: 0 });
    expect(pair.sql(2, 'select pg_promote()')).toMatchObject({ status: 0 });
    expect(pair.sql(1, 'create table written (id int)')).toMatchObject({ status: 0 });
    for (let id = 0; id < 8; id += 1) pair.sql(1, `insert into written values (${id})`);
    for (const id of ['server1', 'server2']) {
      const told = await pair.until(id, (it) => it.advice?.includes('more transactions') === true);
      expect(told?.reason).toContain(
        'server1 and server2 are both primary (server1 on timeline 1, server2 on',
      );
      expect(told?.advice).toMatch(/since their histories parted at 0\/[0-9A-F]+: server1 has written/);
      expect(told?.advice).toMatch(/server1 holds more of what was acknowledged \(\d+ more transactions\)/);
      expect(told?.advice).toMatch(/then pgduet rebuild server2$/);
    }
  });
});
