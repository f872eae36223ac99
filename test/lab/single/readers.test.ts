/**
 * A single server that others read WAL from, with slots of their own, and with files so many that its size takes long: what a person is
 * told before anything changes, and that it holds, from migrate to teardown. Its configuration is edited while the plan is read.
 */
import { afterAll, beforeAll, expect } from 'vitest';
import { describeLab, labTest } from '../harness/describe.ts';
import { type Host, Lab } from '../harness/lab.ts';
import { sleep, until } from '../harness/run.ts';
import { sql } from '../support/instance.ts';
import { built, expectExit, type Pgduet, pgduet } from '../support/pgduet.ts';
import { Run } from '../support/running.ts';
import { counterpart, inventoryOf, prepareOther, type Single } from './forms.ts';
import { preparedSingle } from './prepared.ts';

/** Two consumers; only the first gets a time of its own. */
const readers = ['cdc', 'slow'] as const;

describeLab('a single server that others read from', () => {
  let lab: Lab;
  let single: Single;
  let other: Host;
  let file: string;
  let command: Pgduet;
  const ask = (query: string, database?: string): Promise<string> => sql(single.server, query, database);
  const plain = (text: string): string => text.replace(/\s+/g, ' ');
  /** What a consumer has confirmed last PostgreSQL writes down from version 17 on; before, it may get it once more. */
  const positions = (): Promise<string> =>
    ask(
      "SELECT string_agg(concat_ws(' ', slot_name, slot_type, restart_lsn, CASE slot_name WHEN 'reports' THEN confirmed_flush_lsn END, wal_status), ', ' ORDER BY slot_name) FROM pg_replication_slots",
    );

  beforeAll(async () => {
    built();
    lab = await Lab.open();
    command = pgduet(lab);
    [single, [other]] = await Promise.all([
      preparedSingle(lab, 'ownUnit', 'readers-a'),
      lab.hosts(1, { names: ['readers-b'] }),
    ]);
    await prepareOther(single, other);
    file = inventoryOf(lab, single, [other]);
    const { host, server, unit } = single;
    await ask('ALTER SYSTEM SET max_replication_slots = 4');
    await host.sh(`systemctl restart ${unit}; for u in ${readers.join(' ')}; do useradd -M $u; done`, {
      check: true,
    });
    for (const name of readers) {
      await ask(`CREATE ROLE ${name} LOGIN REPLICATION`);
      await ask(`SELECT pg_create_logical_replication_slot('${name}', 'test_decoding')`, 'app');
      await host.sh(
        `systemd-run --quiet --unit=reader-${name} -p User=${name} /usr/lib/postgresql/15/bin/pg_recvlogical -d app -h /var/run/postgresql -p ${server.port} -U ${name} --slot ${name} --start -f /dev/null --status-interval=30`,
        { check: true },
      );
    }
    await untilRead();
  });
  afterAll(() => lab?.close());

  /** The processes that serve the consumers, by role. */
  async function untilRead(): Promise<ReadonlyMap<string, string>> {
    let seen = '';
    return until(
      () => `not every consumer is connected: ${seen}`,
      20_000,
      async () => {
        seen = await ask(
          "SELECT usename || ' ' || pid FROM pg_stat_replication WHERE application_name = 'pg_recvlogical' AND state = 'streaming'",
        );
        const pids = new Map(seen.split('\n').map((line) => line.split(' ') as [string, string]));
        return readers.every((name) => pids.has(name)) ? pids : undefined;
      },
      100,
    );
  }

  labTest('names who reads and what keeps their time, however long its size takes', async () => {
    const { host, server } = single;
    const oid = await ask("SELECT oid FROM pg_database WHERE datname = 'stock'");
    const base = `${server.dataDir}/base/${oid}`;
    await host.sh(`cd ${base} && seq -f 't0_%.0f' 900000 1019999 | runuser -u postgres -- xargs touch`, {
      check: true,
    });
    // The files alone do not take long enough here: whoever looks at them stands still for longer than any other look may take.
    const held = ask(`SET statement_timeout = '2min';
DO $$ DECLARE it int; BEGIN
  LOOP
    PERFORM pg_stat_clear_snapshot();
    SELECT pid INTO it FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%sum(pg_database_size%' AND pid <> pg_backend_pid();
    EXIT WHEN it IS NOT NULL;
    PERFORM pg_sleep(0.005);
  END LOOP;
  EXECUTE format('COPY (SELECT 1) TO PROGRAM %L', format('cat >/dev/null; kill -STOP %1$s; sleep 11; kill -CONT %1$s', it));
END $$`);
    const said = await command(['migrate', '--check', '-i', file]);
    await held;
    await host.sh(`find ${base} -name 't0_*' -delete`, { check: true });
    expectExit(said, 2);
    const told = plain(said.stdout);
    expect(told).toMatch(/[\d.]+ MB of data are copied to readers-b/);
    for (const name of readers)
      expect(told).toContain(
        `pg_recvlogical (role ${name}, from the socket of the host, logical slot ${name})`,
      );
    expect(told).toContain('wal_sender_timeout: 90s');
    expect(told).toContain(
      'wal_sender_timeout holds for receivers of others as well: one that answers nothing for 5.4 s',
    );
    const [own] = /ALTER ROLE "cdc" SET wal_sender_timeout = '90s';/.exec(told) ?? [];
    await ask(own ?? 'no advice');
  });

  labTest('is taken in with an edit that is made while the plan is read', async () => {
    const run = new Run(['migrate', '-i', file], {}, true);
    await run.said('[y/N]');
    const { host, server } = single;
    await host.sh(`echo 'geqo_threshold = 11' >> ${server.dataDir}/extra.conf`, {
      check: true,
    });
    run.child.stdin?.write('y\n');
    const { status, stdout } = await run.ended;
    expect(status, stdout).toBe(0);
    for (const each of [server, counterpart(single, other)])
      expect(await sql(each, 'SHOW geqo_threshold')).toBe('11');
  });

  labTest('lets a consumer pause for as long as its role may', async () => {
    expect(await ask('SHOW wal_sender_timeout')).toBe('5400ms');
    const before = await untilRead();
    const all = readers.map((name) => `reader-${name}`).join(' ');
    await single.host.sh(`systemctl kill -s STOP ${all}`, { check: true });
    await sleep(8000);
    await single.host.sh(`systemctl kill -s CONT ${all}`, { check: true });
    const behind = await untilRead();
    expect(behind.get('cdc')).toBe(before.get('cdc'));
    expect(behind.get('slow')).not.toBe(before.get('slow'));
    await single.host.sh(`systemctl stop ${all}`, { check: true });
  });

  labTest('says which slots go, and which keep it from being what it was', async () => {
    await ask("SELECT pg_create_physical_replication_slot('late', true)");
    const away = await command(['teardown', '--keep', other.name, '--check', '-i', file]);
    expectExit(away, 2);
    expect(plain(away.stdout)).toContain(
      'its replication slots go with it, and whoever reads from them begins anew: backup_tool (physical), cdc (logical), late (physical), reports (logical), slow (logical)',
    );
    for (const how of ['--check', '--yes']) {
      const refused = await command(['teardown', how, '-i', file]);
      expectExit(refused, 5);
      expect(plain(refused.all)).toContain(
        'it has 5 replication slots (backup_tool, cdc, late, reports, slow), and max_replication_slots becomes 4 again',
      );
      const [keep] = /ALTER SYSTEM SET max_replication_slots = 5/.exec(refused.all) ?? [];
      if (how === '--yes') await ask(keep ?? 'no advice');
    }
  });

  labTest('has every slot at its place behind the way back', async () => {
    const before = await positions();
    expectExit(await command(['teardown', '--yes', '-i', file]), 0);
    expect(await positions()).toBe(before);
    expect(await ask('SHOW max_replication_slots')).toBe('5');
    expect((await single.host.sh(`systemctl is-active ${single.unit}`)).stdout).toBe('active\n');
    await single.host.sh(`tail -n 1 ${single.server.dataDir}/extra.conf | grep -q 'geqo_threshold = 11'`, {
      check: true,
    });
  });
});
