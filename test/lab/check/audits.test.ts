/**
 * Audits that look at what takes longer to come about, each provoked on a real pair: lost slots, an update without a restart,
 * a management directory that leads into the data, cancelled queries, a standby that was away for too long or went its own
 * way. And that nothing is told of a pair in good order, before and after a switch.
 */
import { afterAll, beforeAll, expect } from 'vitest';
import { describeLab, labTest } from '../harness/describe.ts';
import { type LabCluster, provisionedPair } from '../support/cluster.ts';
import { type Server, sql, untilSwitchable } from '../support/instance.ts';
import { dataDir, managementDir } from '../support/inventory.ts';
import { expectExit, type Pgduet } from '../support/pgduet.ts';

interface Finding {
  readonly code: string;
  readonly host: string | null;
  readonly object: string;
  readonly found: string | null;
}

const programs = '/usr/lib/postgresql/15/bin';
const asOwner = (command: string): string => `cd /; runuser -u postgres -- ${command}`;
const pgCtl = (words: string): string => asOwner(`${programs}/pg_ctl -D ${dataDir} -w -l /tmp/log ${words}`);

describeLab('audits', () => {
  let pair: LabCluster;
  let command: Pgduet;
  let file: string;
  let one: Server;
  let two: Server;

  beforeAll(async () => {
    pair = await provisionedPair();
    [one, two] = [pair.primary, pair.standby];
    ({ command, file } = pair);
    await sql(one, 'CREATE TABLE work (x int)');
  });
  afterAll(() => pair?.close());

  const findings = async (): Promise<readonly Finding[]> => {
    const said = await command(['check', '-i', file, '--json']);
    return said
      .json<{ clusters: readonly { findings: readonly Finding[] }[] }>()
      .clusters.flatMap((cluster) => cluster.findings);
  };
  const told = async (): Promise<readonly string[]> =>
    (await findings()).map(({ code, host, object }) => `${code} ${host} ${object}`);
  const on = (server: Server, script: string) => server.host.sh(script, { check: true });
  const fillWal = async (segments: number): Promise<void> => {
    for (let n = 0; n < segments; n += 1) {
      await sql(one, 'INSERT INTO work VALUES (1)');
      await sql(one, 'SELECT pg_switch_wal()');
    }
    await sql(one, 'CHECKPOINT');
  };

  labTest('nothing is told of a pair in good order, nor after a switch but who is primary', async () => {
    expect(await told()).toEqual([]);
    expectExit(await command(['switch', '-i', file, '--yes']), 0);
    expect(await told()).toEqual(['PRF001 null server1']);
    expectExit(await command(['switch', '-i', file, '--yes']), 0);
    expect(await told()).toEqual([]);
  });

  labTest(
    'a standby whose receiver is down is on the timeline of its WAL, whatever its control file says',
    async () => {
      expectExit(await command(['switch', '-i', file, '--yes']), 0);
      await sql(two, 'INSERT INTO work VALUES (1)');
      await sql(one, "ALTER SYSTEM SET primary_conninfo = ''");
      await sql(one, 'SELECT pg_reload_conf()');
      const receivers = () => sql(one, 'SELECT count(*) FROM pg_stat_wal_receiver');
      await expect.poll(receivers, { timeout: 30_000 }).toBe('0');
      const timeline = (server: Server) => sql(server, 'SELECT timeline_id FROM pg_control_checkpoint()');
      expect(Number(await timeline(one))).toBeLessThan(Number(await timeline(two)));
      expect(await told()).not.toContain('REP007 server1 server1');
      await sql(one, 'ALTER SYSTEM RESET primary_conninfo');
      await sql(one, 'SELECT pg_reload_conf()');
      await untilSwitchable(two);
      expectExit(await command(['switch', '-i', file, '--yes']), 0);
    },
  );

  labTest('a slot whose WAL is gone', async () => {
    for (const server of [one, two]) {
      await sql(server, "ALTER SYSTEM SET max_slot_wal_keep_size = '1MB'");
      await sql(server, "ALTER SYSTEM SET wal_keep_size = '16MB'");
      await sql(server, 'SELECT pg_reload_conf()');
    }
    await sql(one, "SELECT pg_create_physical_replication_slot('late', true)");
    await fillWal(6);
    expect(await told()).toContain('SLT003 server1 late');
    await sql(one, "SELECT pg_drop_replication_slot('late')");
  });

  labTest('a newer program than the one that runs', async () => {
    await on(
      two,
      `cd ${programs} && mv postgres old && printf '#!/bin/sh\necho "postgres (PostgreSQL) 15.99"\n' > postgres && chmod 755 postgres`,
    );
    const seen = await findings();
    await on(two, `cd ${programs} && mv old postgres`);
    expect(seen.map(({ code, host, object }) => `${code} ${host} ${object}`)).toContain(
      'PKG003 server2 PostgreSQL',
    );
  });

  labTest('a management directory that leads into the data', async () => {
    await on(two, `mv ${managementDir} ${dataDir}/mc && ln -s ${dataDir}/mc ${managementDir}`);
    const seen = await told();
    // Out of a prepared layer mv copies, and a copy of the controller's socket has no listener.
    await on(two, `rm ${managementDir} && mv ${dataDir}/mc ${managementDir} && systemctl restart mcoi_inst1`);
    await untilSwitchable(one);
    expect(seen).toContain(`DIR005 server2 ${managementDir}`);
  });

  labTest('queries that replay had cancelled', async () => {
    await sql(two, "ALTER SYSTEM SET max_standby_streaming_delay = '10ms'");
    await sql(two, 'SELECT pg_reload_conf()');
    const reader = sql(two, 'BEGIN; SELECT count(*) FROM work; SELECT pg_sleep(60)').catch(String);
    await expect
      .poll(() => sql(two, "SELECT count(*) FROM pg_locks WHERE relation = 'work'::regclass"), {
        timeout: 30_000,
      })
      .not.toBe('0');
    await sql(one, 'ALTER TABLE work ADD COLUMN y int');
    await reader;
    expect(await told()).toContain('REP008 server2 queries');
    await sql(two, 'ALTER SYSTEM RESET max_standby_streaming_delay');
    await sql(two, 'SELECT pg_reload_conf()');
  });

  labTest('a standby that was away for too long, and then went its own way', async () => {
    await on(two, asOwner(`/usr/local/bin/mc_ctl stop -M ${managementDir}`));
    await fillWal(6);
    expect(await told()).toContain('REP010 server2 server2');
    await on(two, `${pgCtl('start')}; ${pgCtl('promote')}`);
    await on(two, `${pgCtl('stop')}; ${asOwner(`touch ${dataDir}/standby.signal`)}`);
    expect(await told()).toContain('REP007 server2 server2');
    expectExit(
      await command(['rebuild', 'server2', '-i', file, '--yes', '--copy', '--keep-copy', '/database/aside']),
      0,
    );
    await untilSwitchable(one);
    expectExit(await command(['provision', '-i', file, '--yes']), 0);
  });
});
