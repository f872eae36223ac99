/**
 * A pair that gets a third host: it joins as a second standby, and the servers that were there before go on without
 * a restart.
 */
import { afterAll, beforeAll, expect } from 'vitest';
import { describeLab, labTest } from '../harness/describe.ts';
import { type LabCluster, provisionedPair } from '../support/cluster.ts';
import { postmasterPid, sql, untilSql } from '../support/instance.ts';
import { expectMultiplexed } from '../support/multiplexed.ts';
import { expectExit, type RunDocument, type StatusDocument } from '../support/pgduet.ts';

describeLab('a third host in the inventory of a pair', () => {
  let pair: LabCluster;
  let trio: LabCluster;
  beforeAll(async () => {
    pair = await provisionedPair();
    trio = pair.declared('three.yml', {}, await pair.lab.hosts(1, { names: ['server3'] }));
  });
  afterAll(() => pair?.close());

  labTest('joins as a second standby; the others are not restarted', async () => {
    const { primary, standby } = pair;
    await sql(primary, 'CREATE TABLE earlier (n int); INSERT INTO earlier SELECT generate_series(1, 1000)');
    const before = await Promise.all([primary, standby].map(postmasterPid));
    expectExit(await trio.run('check'), 2);
    const planned = await trio.run('provision', '--check');
    expectExit(planned, 2);
    expect(planned.stdout).not.toContain('PostgreSQL is restarted on');
    expectExit(await trio.provision(), 0);
    await expectMultiplexed(trio);
    expect(await Promise.all([primary, standby].map(postmasterPid))).toEqual(before);
    for (const server of trio.standbys)
      expect(await sql(server, 'SELECT sum(n) FROM earlier')).toBe('500500');
    const again = await trio.provision('--json');
    expect(again.json<RunDocument>()).toMatchObject({
      exit: 0,
      plan: [],
      round_trips: { server1: 1, server2: 1, server3: 1 },
    });
    const status = await trio.run('status', '--json');
    expectExit(status, 0);
    const rows = status
      .json<StatusDocument>()
      .servers.map(({ server, role, controller, sync_state }) => [server, role, controller, sync_state]);
    expect(rows).toEqual([
      ['server1', 'primary', 'switchable', null],
      ['server2', 'standby', 'switchable', 'sync'],
      ['server3', 'standby', 'switchable', 'potential'],
    ]);
  });

  labTest('a commit waits for the other standby while the first is away', async () => {
    const { primary, standby } = trio;
    await standby.host.sh('systemctl stop mcoi_inst1.service', { check: true });
    await sql(primary, 'INSERT INTO earlier VALUES (0)');
    const row = `SELECT application_name, sync_state FROM pg_stat_replication`;
    expect(await sql(primary, row)).toBe('server3|sync');
    await standby.host.sh('systemctl start mcoi_inst1.service', { check: true });
    const rows = `SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'`;
    await untilSql(primary, rows, '2');
    // The other standby alone makes a switch possible; the controller takes this one in a little later.
    await untilSql(primary, `${rows} AND sync_state <> 'async'`, '2');
    await trio.untilSwitchable();
    await expectMultiplexed(trio);
  });
});
