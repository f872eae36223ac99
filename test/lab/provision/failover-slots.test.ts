/**
 * Failover slots of PostgreSQL 17: a consumer goes on behind a switch, a switch back and the loss of the primary, without a gap, and
 * nobody waits for a standby that is out. docs/adr/0019-slots-that-fail-over.md
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect } from 'vitest';
import { describeLab, labTest } from '../harness/describe.ts';
import { freshPair, type LabCluster } from '../support/cluster.ts';
import { lastWords, type Server, sql, untilSql } from '../support/instance.ts';
import { expectExit, findingsOf, type RunDocument } from '../support/pgduet.ts';

describeLab('a logical slot with failover on', () => {
  let pair: LabCluster;
  beforeAll(async () => {
    pair = await freshPair({ version: 17, postgres: { settings: { sync_replication_slots: true } } });
    expectExit(await pair.provision(), 0);
  });
  afterAll(() => pair?.close());

  let written = 0;
  const seen: number[] = [];
  /** Some rows on the primary, and what a consumer reads of them. It confirms what it reads. */
  const goOn = async (primary: Server): Promise<void> => {
    for (let each = 0; each < 5; each += 1) await sql(primary, `INSERT INTO t VALUES (${++written})`);
    const rows = await sql(
      primary,
      "SELECT data FROM pg_logical_slot_get_changes('s', NULL, NULL, 'include-xids', '0') WHERE data LIKE 'table%'",
    );
    seen.push(...[...rows.matchAll(/i\[integer\]:(\d+)/g)].map(([, number]) => Number(number)));
  };
  /** A slot is followed for good once its consumer has come further; the worker looks every half minute where nothing happens. */
  const followed = async (standby: Server, primary: Server): Promise<void> => {
    const query = "SELECT synced AND NOT temporary FROM pg_replication_slots WHERE slot_name = 's'";
    for (let turn = 0; turn < 60; turn += 1) {
      if ((await sql(standby, query)) === 't') return;
      await goOn(primary);
      await sleep(1000);
    }
    throw new Error(`the slot is not followed${await lastWords(standby)}`);
  };
  const listOf = (server: Server): Promise<string> => sql(server, 'SHOW synchronized_standby_slots');
  const untilListed = (server: Server, list: string): Promise<void> =>
    untilSql(server, "SELECT '>' || current_setting('synchronized_standby_slots')", `>${list}`);
  const standbySlots = (server: Server): Promise<string> =>
    sql(
      server,
      "SELECT coalesce(string_agg(slot_name || ' ' || active, ','), 'none') FROM pg_replication_slots WHERE slot_type = 'physical'",
    );
  /** The consumer may be told something again; nothing is missing, nor out of order. */
  const nothingMissing = (): void => {
    expect([...new Set(seen)]).toEqual(Array.from({ length: written }, (_, index) => index + 1));
  };

  /** Nobody is connected to it between two reads. */
  const nothingElseFound = async (): Promise<void> => {
    const told = findingsOf(await pair.check()).filter(({ severity }) => severity !== 'note');
    expect(told.map(({ code, object }) => `${code} ${object}`)).toEqual(['SLT002 s']);
  };

  labTest('is followed by the standby, and consumers wait for that', async () => {
    const { primary, standby } = pair;
    await sql(primary, 'CREATE TABLE t (i int PRIMARY KEY)');
    await sql(primary, "SELECT pg_create_logical_replication_slot('s', 'test_decoding', false, false, true)");
    await goOn(primary);
    await followed(standby, primary);
    await untilListed(primary, 'pgduet_for_server2');
    expect(await standbySlots(primary)).toBe('pgduet_for_server2 true');
    expect(await standbySlots(standby)).toBe('none');
    await nothingElseFound();
    const again = await pair.provision('--json');
    expect(again.json<RunDocument>()).toMatchObject({ exit: 0, plan: [], changed: [] });
    nothingMissing();
  });

  labTest('goes on behind a switch and the switch back', async () => {
    const { primary, standby } = pair;
    for (const [from, to] of [
      [primary, standby],
      [standby, primary],
    ] as const) {
      expectExit(await pair.run('switch', '--yes'), 0);
      await pair.untilSwitchable();
      await goOn(to);
      nothingMissing();
      await followed(from, to);
      await untilListed(to, `pgduet_for_${from.id}`);
      await untilSql(
        from,
        "SELECT count(*) FROM pg_replication_slots WHERE slot_type = 'physical' OR NOT synced",
        '0',
      );
      await nothingElseFound();
    }
  });

  labTest('waits for no standby that is out, and keeps no WAL for it', async () => {
    const { primary, standby } = pair;
    await standby.host.powerOff();
    await untilListed(primary, '');
    await goOn(primary);
    nothingMissing();
    await untilSql(
      primary,
      "SELECT restart_lsn IS NULL AND NOT active FROM pg_replication_slots WHERE slot_name = 'pgduet_for_server2'",
      't',
    );
    expect(await listOf(primary)).toBe('');
    await standby.host.powerOn();
    await pair.untilSwitchable();
    await untilListed(primary, 'pgduet_for_server2');
    await followed(standby, primary);
  });

  labTest('goes on behind the loss of the primary, and a rebuild of it', async () => {
    const { primary, standby } = pair;
    await goOn(primary);
    await primary.host.powerOff();
    await untilSql(standby, 'SELECT pg_is_in_recovery()', 'f');
    await goOn(standby);
    nothingMissing();
    await primary.host.powerOn();
    expectExit(await pair.run('rebuild', 'server1', '--yes'), 0);
    await pair.untilSwitchable();
    await followed(primary, standby);
    await untilListed(standby, 'pgduet_for_server1');
    await nothingElseFound();
  });

  labTest('is left alone when the setting goes, and nothing of pgduet stays', async () => {
    const lower = await pair.declared('lower.yml').run('provision', '--yes');
    expect([lower.status, lower.all]).toEqual([
      3,
      expect.stringContaining('the server has logical slots (s)'),
    ]);
    const off = pair.declared('without.yml', { postgres: { settings: { wal_level: 'logical' } } });
    expectExit(await off.run('provision', '--yes'), 0);
    const primary = pair.standby;
    await untilSql(primary, "SELECT count(*) FROM pg_replication_slots WHERE slot_name LIKE 'pgduet%'", '0');
    expect(await sql(primary, 'SELECT slot_name FROM pg_replication_slots')).toBe('s');
    expect(await listOf(primary)).toBe('');
    const told = await off.check();
    expect(findingsOf(told).map(({ code, object }) => `${code} ${object}`)).toContain('SLT004 s');
  });

  labTest('is left alone by a teardown, and nothing of pgduet stays', async () => {
    expectExit(await pair.provision(), 0);
    await followed(pair.primary, pair.standby);
    expectExit(await pair.run('teardown', '--yes'), 0);
    const single = pair.standby;
    const names = "SELECT string_agg(slot_name, ',') FROM pg_replication_slots";
    expect(await sql(single, names)).toBe('s');
    expect(await listOf(single)).toBe('');
    expect(await sql(single, "SELECT setting FROM pg_file_settings WHERE name = 'wal_level'")).toBe(
      'logical',
    );
    await goOn(single);
    nothingMissing();
  });
});
