/**
 * A pair that gets a third host: it joins as a second standby, and the servers that were there before go on without
 * a restart.
 */
import { afterAll, beforeAll, expect } from 'vitest';
import { describeLab, labTest } from '../harness/describe.ts';
import { type Host, Lab } from '../harness/lab.ts';
import { postmasterPid, serverOf, sql, untilSql, untilSwitchable } from '../support/instance.ts';
import { inventory } from '../support/inventory.ts';
import { expectMultiplexed } from '../support/multiplexed.ts';
import {
  built,
  expectExit,
  type Pgduet,
  pgduet,
  type RunDocument,
  type StatusDocument,
} from '../support/pgduet.ts';

describeLab('a third host in the inventory of a pair', () => {
  let lab: Lab;
  let hosts: Host[];
  let command: Pgduet;
  beforeAll(async () => {
    built();
    lab = await Lab.open();
    hosts = await lab.hosts(3, { names: ['server1', 'server2', 'server3'] });
    command = pgduet(lab);
    const pair = inventory(lab, hosts.slice(0, 2), { name: 'pair.yml' });
    expectExit(await command(['provision', '-i', pair, '--yes']), 0);
  });
  afterAll(() => lab?.close());

  labTest('joins as a second standby; the others are not restarted', async () => {
    const [primary, ...standbys] = hosts.map((host) => serverOf(host));
    if (!primary) throw new Error('no primary');
    await sql(primary, 'CREATE TABLE earlier (n int); INSERT INTO earlier SELECT generate_series(1, 1000)');
    const before = await Promise.all([primary, standbys[0] ?? primary].map(postmasterPid));
    const three = inventory(lab, hosts);
    expectExit(await command(['check', '-i', three]), 2);
    const planned = await command(['provision', '--check', '-i', three]);
    expectExit(planned, 2);
    expect(planned.stdout).not.toContain('PostgreSQL is restarted on');
    expectExit(await command(['provision', '-i', three, '--yes']), 0);
    await expectMultiplexed({ primary, standbys, version: 15 });
    expect(await Promise.all([primary, standbys[0] ?? primary].map(postmasterPid))).toEqual(before);
    for (const standby of standbys) expect(await sql(standby, 'SELECT sum(n) FROM earlier')).toBe('500500');
    const again = await command(['provision', '-i', three, '--yes', '--json']);
    expect(again.json<RunDocument>()).toMatchObject({
      exit: 0,
      plan: [],
      round_trips: { server1: 1, server2: 1, server3: 1 },
    });
    const status = await command(['status', '-i', three, '--json']);
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
    const [primary, , third] = hosts.map((host) => serverOf(host));
    if (!primary || !third) throw new Error('three hosts are needed');
    await hosts[1]?.sh('systemctl stop mcoi_inst1.service', { check: true });
    await sql(primary, 'INSERT INTO earlier VALUES (0)');
    const row = `SELECT application_name, sync_state FROM pg_stat_replication`;
    expect(await sql(primary, row)).toBe('server3|sync');
    await hosts[1]?.sh('systemctl start mcoi_inst1.service', { check: true });
    const rows = `SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'`;
    await untilSql(primary, rows, '2');
    // The other standby alone makes a switch possible; the controller takes this one in a little later.
    await untilSql(primary, `${rows} AND sync_state <> 'async'`, '2');
    await Promise.all(hosts.map((host) => untilSwitchable(serverOf(host))));
    await expectMultiplexed({ primary, standbys: hosts.slice(1).map((host) => serverOf(host)), version: 15 });
  });
});
