/**
 * A pair with TLS that gets a third host: it joins as a second standby, and the servers that were there before go on without a restart. Who reads
 * along on its cable reads nothing of its copy, of what is replicated, and of what the controllers and pgduet say. All three go through a switch,
 * a failover and a rebuild.
 */
import { afterAll, beforeAll, expect } from 'vitest';
import { describeLab, labTest } from '../harness/describe.ts';
import { type LabCluster, provisionedPair } from '../support/cluster.ts';
import {
  mcCtlStatus,
  postmasterPid,
  type Server,
  sql,
  untilMirroring,
  untilSql,
} from '../support/instance.ts';
import { dataDir } from '../support/inventory.ts';
import { expectMultiplexed } from '../support/multiplexed.ts';
import { expectExit, type RunDocument, type StatusDocument } from '../support/pgduet.ts';
import { expectUnread, type Heard, onTheWire } from '../support/wire.ts';

describeLab('a third host in the inventory of a pair', () => {
  let pair: LabCluster;
  let trio: LabCluster;
  beforeAll(async () => {
    pair = await provisionedPair({ postgres: { tls: 'generated' } });
    const tls = { postgres: { tls: 'generated' } };
    trio = pair.declared('three.yml', tls, await pair.lab.hosts(1, { names: ['server3'] }));
  });
  afterAll(() => pair?.close());

  /** Each walsender is encrypted, and each standby verifies its primary. */
  async function expectVerified(primary: Server): Promise<void> {
    const standbys = trio.servers.filter(({ id }) => id !== primary.id);
    const encrypted =
      'select application_name, s.ssl, s.version from pg_stat_ssl s join pg_stat_replication r using (pid) order by 1';
    expect((await sql(primary, encrypted)).split('\n')).toEqual(standbys.map(({ id }) => `${id}|t|TLSv1.3`));
    for (const standby of standbys) {
      const source = await sql(standby, 'select conninfo from pg_stat_wal_receiver');
      expect(source).toMatch(/channel_binding=require .*sslmode=verify-full/);
    }
  }

  const present = async (): Promise<Server> => {
    const { primary } = (await trio.run('status', '--json')).json<StatusDocument>();
    const found = trio.servers.find(({ id }) => id === primary);
    if (!found) throw new Error(`no primary: ${primary}`);
    return found;
  };

  labTest('joins as a second standby; the others are not restarted', async () => {
    const { primary, standby } = pair;
    await sql(primary, 'CREATE TABLE earlier (n int); INSERT INTO earlier SELECT generate_series(1, 1000)');
    await sql(
      primary,
      "CREATE TABLE told (word text); INSERT INTO told SELECT 'canary-of-the-copy' FROM generate_series(1, 200); CHECKPOINT; SELECT pg_switch_wal()",
    );
    const before = await Promise.all([primary, standby].map(postmasterPid));
    expectExit(await trio.run('check'), 2);
    const planned = await trio.run('provision', '--check');
    expectExit(planned, 2);
    expect(planned.stdout).not.toContain('PostgreSQL is restarted on');
    const [, , joins] = trio.servers;
    const heard: Heard = await onTheWire(joins?.host ?? primary.host, ['canary-of-the-copy'], async () =>
      expectExit(await trio.provision(), 0),
    );
    expectUnread(heard, 200);
    // All of its data has passed there.
    expect(heard.bytes).toBeGreaterThan(20_000_000);
    await expectMultiplexed(trio);
    await expectVerified(primary);
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

  labTest('says nothing in the clear: rows, and what the controllers tell each other', async () => {
    const { primary } = trio;
    const [, standby, third] = trio.servers;
    if (!standby || !third) throw new Error('three servers');
    const words = ['canary-of-a-row', 'canary-of-the-controllers'];
    const reason = ['--by', 'alice', '--reason', 'canary-of-the-controllers'];
    const heard = await onTheWire(primary.host, words, async () => {
      await sql(primary, "INSERT INTO told SELECT 'canary-of-a-row' FROM generate_series(1, 200)");
      await untilSql(third, "SELECT count(*) FROM told WHERE word = 'canary-of-a-row'", '200');
      expectExit(await trio.run('maintenance', 'begin', third.id, ...reason, '--yes'), 0);
      // From the primary the word has come to the others.
      for (const server of [standby, third])
        await expect
          .poll(() => mcCtlStatus(server), { timeout: 20_000 })
          .toContain('canary-of-the-controllers');
      expectExit(await trio.run('maintenance', 'end', third.id, '--by', 'alice', '--yes'), 0);
    });
    expectUnread(heard);
    await trio.untilSwitchable();
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

  labTest('verifies each other through a switch, a failover and a rebuild', async () => {
    const [a, b] = trio.servers;
    if (!a || !b) throw new Error('three servers');
    expectExit(await trio.run('switch', '--to', b.id, '--yes'), 0);
    await trio.untilSwitchable();
    await expectVerified(b);
    await b.host.sh(`kill -9 $(head -n 1 ${dataDir}/postmaster.pid)`, { check: true });
    await untilMirroring(a, 'switchable');
    const primary = await present();
    expect(primary.id).not.toBe(b.id);
    expectExit(await trio.run('rebuild', b.id, '--yes'), 0);
    await trio.untilSwitchable();
    await expectVerified(primary);
    expectExit(await trio.run('check'), 0);
    expectExit(await trio.provision('--check'), 0);
  });
});
