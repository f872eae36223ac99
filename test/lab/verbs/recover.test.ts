/**
 * `pgduet recover` behind a power cut of all servers: after one failover, by the commands of its runbook; after two, killed twice in the middle; and after a split with
 * rows on both, which it refuses. Nobody starts a controller at boot here, so that nothing is settled before.
 */
import { afterAll, beforeAll, expect } from 'vitest';
import type { FaultPair } from '../faults/support/pair.ts';
import { openPair } from '../faults/support/variants.ts';
import { describeLab, labTest } from '../harness/describe.ts';
import { until } from '../harness/run.ts';
import { Desk } from '../support/desk.ts';
import { type Server, sql } from '../support/instance.ts';
import { expectExit, type RunDocument, type StatusDocument } from '../support/pgduet.ts';
import { headingsOf, runsSections } from '../support/runbook.ts';
import { Run } from '../support/running.ts';

const page = 'all-servers-down.md';
const unit = 'mcoi_inst1';
const rows = "select string_agg(word, ' ' order by word) from kept";

interface Recovered extends RunDocument {
  readonly timeline: number | null;
  readonly alone: readonly {
    readonly server: string;
    readonly fork: string | null;
    readonly holds: string;
  }[];
}

describeLab('recover', () => {
  let pair: FaultPair;
  let desk: Desk;
  let server1: Server;
  let server2: Server;
  beforeAll(async () => {
    pair = await openPair('plain');
    [server1, server2] = pair.servers;
    desk = new Desk(pair.cluster);
    await sql(server1, 'create table kept (word text)', 'app');
  });
  afterAll(() => pair?.close());

  const keep = (server: Server, word: string) => sql(server, `insert into kept values ('${word}')`, 'app');
  const atBoot = (word: 'enable' | 'disable') =>
    Promise.all(pair.servers.map(({ host }) => host.sh(`systemctl -q ${word} ${unit}`, { check: true })));
  const untilLeads = (server: Server) =>
    until(
      () => `${server.id} does not take over`,
      60_000,
      async () => ((await pair.takesWrites(server)) ? true : undefined),
    );
  const off = (...servers: readonly Server[]) => Promise.all(servers.map(({ host }) => host.powerOff()));
  const on = (...servers: readonly Server[]) => Promise.all(servers.map(({ host }) => host.powerOn()));
  const runs = async ({ host }: Server): Promise<boolean> =>
    (await host.sh('pgrep -u postgres -x postgres')).status === 0;
  const recover = (...more: string[]) => pair.cluster.run('recover', ...more);

  /** The primary loses power, the other one takes over and gets a row, then that one loses power, too. */
  async function failOver(
    from: Server,
    to: Server,
    word: string,
    meanwhile = async (): Promise<void> => undefined,
  ): Promise<void> {
    await keep(from, `${word}-before`);
    await atBoot('disable');
    await meanwhile();
    await from.host.powerOff();
    await untilLeads(to);
    await keep(to, `${word}-behind`);
    await to.host.powerOff();
    // Not before: what was on its way would arrive.
    await from.host.heal();
    await on(from, to);
    await atBoot('enable');
  }

  /** A commit that still waits for the standby when the power goes: its client was told nothing. */
  async function waits(server: Server): Promise<void> {
    const { id, host } = server;
    await host.sh(`kill -STOP $(head -n 1 /mcdir/inst1/${id}.pid)`, { check: true });
    await host.cut();
    const insert = `runuser -u postgres -- psql -Xqp 27500 -d app -c "insert into kept values ('waits')"`;
    expect((await host.sh(`timeout 3 ${insert}`)).status).toBe(124);
    // It waits for the standby, with its commit on the disk.
    const waiting = "select count(*) from pg_stat_activity where wait_event = 'SyncRep'";
    expect(await sql(server, waiting)).toBe('1');
  }

  runsSections(page, () => desk, [
    {
      heading: 'What is there',
      before: () => failOver(server1, server2, 'one'),
      exits: { 'pgduet status -i inventory.yml': 1 },
    },
    {
      heading: 'Which one holds everything',
      exits: { 'pgduet recover --check -i inventory.yml': 2 },
      after: async () => {
        expect(await Promise.all([server1, server2].map(runs))).toEqual([false, false]);
        const others = await pair.cluster.run('provision', '--check');
        expectExit(others, 5);
        expect(others.stderr).toContain('pgduet recover');
      },
    },
    {
      heading: 'Start it',
      after: async () => {
        expect(await sql(server2, rows, 'app')).toBe('one-before one-behind');
        expect(await runs(server1)).toBe(false);
        const again = await recover('--yes', '--json');
        expectExit(again, 0);
        const document = again.json<Recovered>();
        expect(document).toMatchObject({ primary: 'server2', changed: [], timeline: 2 });
        expect(document.alone).toMatchObject([{ server: 'server1', fork: expect.stringMatching('/') }]);
      },
    },
    { heading: 'Make the other one a standby again' },
  ]);

  labTest('each section of the page is run, and the pair is whole', async () => {
    expect(headingsOf(page)).toHaveLength(4);
    await pair.untilSwitchable();
  });

  labTest('behind a second failover, killed twice in the middle', async () => {
    await failOver(server2, server1, 'two', () => waits(server2));
    const status = (await pair.cluster.run('status', '--json')).json<StatusDocument>();
    expect(status.servers.map(({ timeline, at_least }) => [timeline, at_least])).toEqual([
      [3, true],
      [2, true],
    ]);
    const shown = await recover('--check', '--json');
    expectExit(shown, 2);
    expect(shown.json<Recovered>()).toMatchObject({
      primary: 'server1',
      timeline: 3,
      alone: [
        {
          server: 'server2',
          holds: expect.stringMatching(
            /\d+ commits? after \S+; acknowledged to nobody who waited for a standby$/,
          ),
        },
      ],
    });
    expectExit(await recover('server9', '--yes'), 3);
    const first = new Run(['recover', '-i', pair.cluster.file, '--yes']);
    await first.said(' to change');
    first.child.kill('SIGKILL');
    await first.ended;
    const second = new Run(['recover', '-i', pair.cluster.file, '--yes', '--verbose']);
    await second.said('server1: start');
    second.child.kill('SIGKILL');
    await second.ended;
    await expect.poll(() => recover('--yes').then(({ status }) => status), { timeout: 30_000 }).toBe(0);
    expect(await sql(server1, rows, 'app')).toBe('one-before one-behind two-before two-behind');
    expect(await runs(server2)).toBe(false);
    expectExit(await pair.cluster.run('rebuild', server2.id, '--yes'), 0);
    await pair.untilSwitchable();
  });

  labTest('a host that is down keeps all of it from starting; another run at once, and Ctrl-C', async () => {
    await atBoot('disable');
    await off(server1, server2);
    await on(server1);
    const refused = await recover('--yes');
    expectExit(refused, 4);
    expect(refused.stderr).toContain('server2');
    expect(await runs(server1)).toBe(false);
    await on(server2);
    await atBoot('enable');
    const ended = new Run(['recover', '-i', pair.cluster.file, '--yes', '--verbose']);
    await ended.said('server1: start');
    // Another one at once is told who is at work.
    expectExit(await recover('--yes'), 6);
    ended.child.kill('SIGINT');
    expect((await ended.ended).status).toBe(130);
    await expect.poll(() => recover('--yes').then(({ status }) => status), { timeout: 30_000 }).toBe(0);
    await pair.untilSwitchable();
  });

  labTest('a split with rows on both is refused, with what one of them alone holds', async () => {
    await atBoot('disable');
    await server1.host.cut();
    await untilLeads(server2);
    await until(
      () => 'server1 does not go on alone',
      60_000,
      async () => ((await sql(server1, 'show synchronous_standby_names')) === '' ? true : undefined),
    );
    for (const word of ['cut1', 'cut2', 'cut3']) await keep(server1, word);
    await keep(server2, 'now1');
    await off(server1, server2);
    await server1.host.heal();
    await on(server1, server2);
    const refused = await recover('--yes', '--json');
    expectExit(refused, 5);
    const [told] = refused.json<Recovered>().diagnostics;
    expect(told).toMatchObject({ code: 'SAF091', host: 'server1' });
    const plain = await recover('--check');
    expectExit(plain, 5);
    expect(plain.stderr).toMatch(/server1 alone: \d+ commits after/);
    expect(plain.all).toContain('server2 comes behind all others, and is not proven to hold everything');
    expect(plain.all).not.toMatch(/, and holds everything|pgduet rebuild server1/);
    expect(await Promise.all([server1, server2].map(runs))).toEqual([false, false]);
  });
});
