/** The runbook of a full disk, on a pair whose disks of the data and of the WAL are small. */
import { afterAll, beforeAll, expect } from 'vitest';
import type { FaultPair } from '../faults/support/pair.ts';
import { openPair } from '../faults/support/variants.ts';
import { describeLab, labTest } from '../harness/describe.ts';
import { until } from '../harness/run.ts';
import { Desk } from '../support/desk.ts';
import { mcCtlStatus, type Server, sql, untilMirroring } from '../support/instance.ts';
import { headingsOf, runsSections } from '../support/runbook.ts';

const page = 'full-disk.md';
const dump = '/database/orders-dump.sql';
/** What is kept in any case would fill these disks. */
const little = ["alter system set wal_keep_size = '16MB'", "alter system set max_wal_size = '64MB'"];
const usual = ['alter system reset wal_keep_size', 'alter system reset max_wal_size'];

describeLab(page, () => {
  let pair: FaultPair;
  let desk: Desk;
  let server1: Server;
  let server2: Server;
  beforeAll(async () => {
    pair = await openPair('disks');
    [server1, server2] = pair.servers;
    desk = new Desk(pair.cluster);
  });
  afterAll(() => pair?.close());

  async function untilSaid(wanted: boolean): Promise<void> {
    await until(
      () => `the disk is ${wanted ? 'not ' : ''}called full`,
      30_000,
      async () => ((await mcCtlStatus(server1)).includes('full(data)') === wanted ? true : undefined),
    );
  }

  async function set(settings: readonly string[]): Promise<void> {
    for (const server of pair.servers)
      for (const text of [...settings, 'select pg_reload_conf()']) await sql(server, text);
  }

  /** A segment of WAL, which the standby does not need any more in a moment. */
  async function segment(): Promise<void> {
    await sql(
      server1,
      "insert into pad select repeat('x', 1000) from generate_series(1, 8000); truncate pad; select pg_switch_wal()",
      'app',
    );
    await sql(server1, 'checkpoint');
    await sql(server2, 'checkpoint');
  }

  async function abandonedSlot(): Promise<void> {
    await sql(server1, "select pg_create_physical_replication_slot('forgotten', true)");
  }

  /** Until the instance ends. */
  async function fillWal(): Promise<void> {
    await abandonedSlot();
    for (let segments = 0; segments < 60; segments += 1) {
      const error = await segment().catch(String);
      if (error !== undefined) break;
    }
    await untilMirroring(server2, 'switched');
  }

  runsSections(page, () => desk, [
    {
      heading: 'Which disk',
      before: async () => {
        const fill = (how: string) => `dd if=/dev/zero of=${dump} ${how}; sync`;
        await server1.host.sh(`${fill('bs=1M')}; ${fill('bs=1k oflag=append conv=notrunc')}`);
        await untilSaid(true);
      },
    },
    { heading: 'The data disk', patient: ['pgduet check -i inventory.yml'], after: () => untilSaid(false) },
    {
      heading: 'The WAL disk fills up',
      before: async () => {
        await set(little);
        await abandonedSlot();
        await sql(server1, 'create table pad (t text)', 'app');
        for (let segments = 0; segments < 6; segments += 1) await segment();
      },
      after: async () => expect(await sql(server1, 'select count(*) from pg_replication_slots')).toBe('0'),
    },
    {
      heading: 'The WAL disk was full',
      before: async () => {
        await fillWal();
        for (const text of [...usual, 'select pg_reload_conf()']) await sql(server2, text);
      },
      exits: { 'pgduet rebuild server1 --check -i inventory.yml': 2 },
      after: () => pair.untilSwitchable(),
    },
  ]);

  labTest('each section of the page is run', async () => {
    expect(headingsOf(page)).toHaveLength(4);
  });
});
