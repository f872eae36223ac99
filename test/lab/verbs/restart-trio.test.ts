/**
 * `pgduet restart` of three servers: each standby is back and in sync before the next one goes, so that commits never depend on the primary alone. And
 * who of the three may speak for whom.
 */
import { afterAll, beforeAll, expect } from 'vitest';
import { describeLab, labTest } from '../harness/describe.ts';
import { type LabCluster, provisionedTrio } from '../support/cluster.ts';
import { postmasterPid, sql } from '../support/instance.ts';
import { expectExit } from '../support/pgduet.ts';
import { Run } from '../support/running.ts';
import { speak } from '../support/speaker.ts';

describeLab('restart of three servers', () => {
  let trio: LabCluster;
  beforeAll(async () => {
    trio = await provisionedTrio();
  });
  afterAll(() => trio?.close());

  labTest('the files of one server speak for it, and for no other one', async () => {
    const [one, two, three] = trio.servers;
    if (!one || !two || !three) throw new Error('three servers were provisioned');
    const attempts = [
      { name: two.id, by: 'pair' },
      { name: two.id, by: 'cluster' },
      { name: one.id, by: 'pair' },
      { name: one.id, by: 'cluster' },
    ] as const;
    const found: string[] = [];
    for (const attempt of attempts) found.push(await speak({ thief: two, called: three, ...attempt }));
    expect(found).toEqual(['let in', 'turned away', 'turned away', 'turned away']);
    const journal = await three.host.sh(`journalctl --sync; journalctl -u ${three.unit} -o cat`);
    expect(journal.stdout).toMatch(/does not prove the key of server[12]|is not known of server1 here/);
  });

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
