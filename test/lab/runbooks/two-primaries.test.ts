/** The runbook of two primaries: both have taken writes while the network between them was cut, and no row of either is lost in the end. */
import { afterAll, beforeAll, expect } from 'vitest';
import type { FaultPair } from '../faults/support/pair.ts';
import { openPair } from '../faults/support/variants.ts';
import { describeLab, labTest } from '../harness/describe.ts';
import { until } from '../harness/run.ts';
import { Desk } from '../support/desk.ts';
import { type Server, sql, untilSql } from '../support/instance.ts';
import { headingsOf, runsSections } from '../support/runbook.ts';

const page = 'two-primaries.md';
const customers = "select string_agg(customer, ' ' order by customer) from orders";

describeLab(page, () => {
  let pair: FaultPair;
  let desk: Desk;
  let server1: Server;
  let server2: Server;
  beforeAll(async () => {
    pair = await openPair('plain');
    [server1, server2] = pair.servers;
    desk = new Desk(pair.cluster, { '192.0.2.100': server1.address, '192.0.2.110': server2.address });
    for (const { host } of pair.servers)
      await host.sh('install -d -o postgres -m 700 /backup', { check: true });
  });
  afterAll(() => pair?.close());

  /** One transaction for each, so that each takes a number and waits as a client would. */
  const order = async (server: Server, ...names: string[]): Promise<void> => {
    for (const name of names)
      await sql(server, `insert into orders (customer, amount) values ('${name}', 1)`, 'app');
  };

  /** Both have rows of their own; the 40 of server1 come to numbers that server2 gives away, too. */
  async function bothLead(): Promise<void> {
    await sql(server1, 'create table orders (id bigserial primary key, customer text, amount int)', 'app');
    await order(server1, 'old1', 'old2');
    await untilSql(server2, 'select count(*) from orders', '2', 'app');
    await server1.host.cut();
    await until(
      () => 'server2 does not take over',
      60_000,
      async () => ((await pair.takesWrites(server2)) ? true : undefined),
    );
    await sql(
      server1,
      "insert into orders (customer, amount) select 'cut1-' || n, n from generate_series(1, 40) n",
      'app',
    );
    await sql(server1, "update orders set amount = 7 where customer = 'old1'", 'app');
    await order(server2, 'now1', 'now2', 'now3', 'now4', 'now5');
    await sql(server2, "delete from orders where customer = 'old2'", 'app');
    await server1.host.heal();
    await until(
      () => 'they do not see that both lead',
      60_000,
      async () =>
        (await pair.mcCtl(server1, 'status')).stdout.includes('are both primary') ? true : undefined,
    );
  }

  runsSections(page, () => desk, [
    { heading: 'What status says', before: bothLead },
    { heading: 'Stop the clients' },
    { heading: 'Copy both' },
    { heading: 'Which server stays' },
    { heading: 'Stop the other one' },
    { heading: 'Make it a standby', exits: { 'pgduet rebuild server1 --check -i inventory.yml': 2 } },
    { heading: 'Start the kept copy, read-only' },
    { heading: 'Compare' },
    {
      heading: 'Take the rows over',
      after: async () => {
        const all = (await sql(server2, customers, 'app')).split(' ');
        const made = [
          ...Array.from({ length: 40 }, (_, at) => `cut1-${at + 1}`),
          ...['now1', 'now2', 'now3', 'now4', 'now5', 'old1'],
        ];
        expect(all).toEqual(expect.arrayContaining(made));
        expect(await sql(server2, 'select count(*) = count(distinct id) from orders', 'app')).toBe('t');
      },
    },
    { heading: 'The end' },
  ]);

  labTest('each section of the page is run, and the pair is whole', async () => {
    expect(headingsOf(page)).toHaveLength(10);
    await pair.untilSwitchable();
  });
});
