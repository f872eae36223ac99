/** `pgduet restart` of three servers: each standby is back and in sync before the next one goes, so that commits never depend on the primary alone. */
import { afterAll, beforeAll, expect } from 'vitest';
import { describeLab, labTest } from '../harness/describe.ts';
import { type LabCluster, provisionedTrio } from '../support/cluster.ts';
import { postmasterPid, sql } from '../support/instance.ts';
import { expectExit } from '../support/pgduet.ts';
import { Run } from '../support/running.ts';

describeLab('restart of three servers', () => {
  let trio: LabCluster;
  beforeAll(async () => {
    trio = await provisionedTrio();
  });
  afterAll(() => trio?.close());

  labTest('a standby is in sync at every moment until it is the turn of the primary', async () => {
    const { primary, servers } = trio;
    const pids = () => Promise.all(servers.map(postmasterPid));
    const before = await pids();
    const run = new Run(['restart', '-i', trio.file, '--yes']);
    let going = true;
    const ended = run.ended.finally(() => {
      going = false;
    });
    const least: number[] = [];
    while (going && !run.stderr.includes('server3: restart PostgreSQL (')) {
      const count = await sql(
        primary,
        `select count(*) from pg_stat_replication where sync_state in ('sync', 'quorum', 'potential')`,
      ).catch(() => undefined);
      if (count !== undefined) least.push(Number(count));
    }
    const { status, stderr } = await ended;
    expect(status, stderr).toBe(0);
    expect(Math.min(...least)).toBe(1);
    expect((await pids()).map((it, at) => it === before[at])).toEqual([false, false, false]);
    expect(await sql(primary, 'select pg_is_in_recovery()')).toBe('f');
    expectExit(await trio.run('check'), 0);
  });
});
