/**
 * `pgduet switch` and `pgduet rebuild` on one pair of real hosts, as a person uses them: there and back, after a crash of
 * the primary, with commits that stand on one server alone, and interrupted by kill -9. Each test leaves the pair whole.
 */
import { afterAll, beforeAll, expect } from 'vitest';
import { describeLab, labTest } from '../harness/describe.ts';
import { until } from '../harness/run.ts';
import { type LabCluster, provisionedPair } from '../support/cluster.ts';
import { type Server, sql, untilMirroring } from '../support/instance.ts';
import { dataDir, managementDir } from '../support/inventory.ts';
import { expectRowsTravel, expectStreaming, expectSwitchable } from '../support/multiplexed.ts';
import { expectExit, type RunDocument, type Said } from '../support/pgduet.ts';
import { Run } from '../support/running.ts';
import { lockIsFree } from '../trouble/trouble.ts';

const untilStatus = (server: Server, wanted: string) => untilMirroring(server, wanted, 30_000);

/** The postmaster of the primary dies; the controllers make the other server primary by themselves. */
async function crash(primary: Server, standby: Server): Promise<void> {
  await primary.host.sh(`kill -9 $(head -n 1 ${dataDir}/postmaster.pid)`, { check: true });
  await untilStatus(standby, 'switched');
}

/** What a rebuild may leave nowhere: the role and the rule of pg_rewind, a slot, a mark, a password file. */
async function expectNothingLeft(primary: Server, rebuilt: Server): Promise<void> {
  expect(await sql(primary, "select count(*) from pg_roles where rolname = 'pgduet_rewind'")).toBe('0');
  expect(await sql(primary, 'select count(*) from pg_replication_slots')).toBe('0');
  const left = await Promise.all(
    [primary, rebuilt].map(({ host }) =>
      host.sh(
        `grep -l pgduet_rewind ${dataDir}/pg_hba.conf; ls ${managementDir}/*.making ${managementDir}/*.rewind-pass 2>/dev/null`,
      ),
    ),
  );
  expect(left.map(({ stdout }) => stdout)).toEqual(['', '']);
}

describeLab('switch and rebuild', () => {
  let pair: LabCluster;
  let a: Server;
  let b: Server;
  beforeAll(async () => {
    pair = await provisionedPair();
    [a, b] = [pair.primary, pair.standby];
    // One tablespace, with a blank in its path, since a rebuild has to take what stands outside of the data directory along.
    await Promise.all(
      [a, b].map(({ host }) => host.sh('install -d -o postgres -m 700 "/my space"', { check: true })),
    );
    await sql(a, "create tablespace space location '/my space'");
  });
  afterAll(() => pair?.close());

  /** Runs a verb that has to end with this status; returns its document. */
  async function expectRun(status: number, verb: string, ...args: string[]): Promise<RunDocument> {
    const said = await pair.run(verb, ...args, '--yes', '--json');
    expectExit(said, status);
    return said.json<RunDocument>();
  }

  /** Runs a verb that has to succeed. */
  async function succeeds(verb: string, ...args: string[]): Promise<Said> {
    const said = await pair.run(verb, ...args, '--yes');
    expectExit(said, 0);
    return said;
  }

  async function expectWhole(primary: Server, standby: Server): Promise<void> {
    const cluster = { primary, standbys: [standby], version: pair.version };
    await expectStreaming(cluster);
    await expectSwitchable(cluster);
    expect(await sql(primary, 'select count(*) from pg_replication_slots')).toBe('0');
    await expectRowsTravel(cluster);
  }

  labTest('switch: refused as long as no standby is in sync, and nothing is touched', async () => {
    await b.host.sh('systemctl stop mcoi_inst1', { check: true });
    const before = await sql(a, 'select pg_postmaster_start_time()');
    const document = await expectRun(5, 'switch');
    expect(document.diagnostics.map(({ code }) => code)).toEqual(['SAF010']);
    expect(await sql(a, 'select pg_postmaster_start_time()')).toBe(before);
    await b.host.sh('systemctl start mcoi_inst1', { check: true });
    await untilStatus(a, 'switchable');
  });

  labTest('switch: there, again without effect, and a long transaction is named before it', async () => {
    await sql(a, 'create table kept tablespace space as select 1 as n');
    const session = a.host.sh("psql -X -p 27500 -c 'begin; select pg_sleep(120)'", { user: 'postgres' });
    await until(
      () => 'the transaction is not named',
      30_000,
      async () =>
        (await pair.run('switch', '--check')).stdout.includes('rolled back: process') ? true : undefined,
      500,
    );
    const ended = await succeeds('switch');
    expect(ended.stderr).toContain(`${b.id} is primary, with timeline 2`);
    expect(ended.stderr).toContain(`${a.id} streaming sync from ${a.address}`);
    expect(ended.stderr).toMatch(/The switch took [\d.]+ s/);
    expect((await session).status).not.toBe(0);
    await expectWhole(b, a);
    expect(await sql(a, 'select n from kept')).toBe('1');
    const again = await expectRun(0, 'switch', '--to', b.id);
    expect(again).toMatchObject({ primary: b.id, plan: [] });
  });

  labTest('rebuild: the primary is refused, and a standby that streams is left alone', async () => {
    const document = await expectRun(5, 'rebuild', b.id);
    expect(document.diagnostics.map(({ code }) => code)).toEqual(['SAF012']);
    expect(await expectRun(0, 'rebuild', a.id)).toMatchObject({ plan: [] });
  });

  labTest('rebuild: a former primary that crashed is rewound, and can be switched back to', async () => {
    await crash(b, a);
    await sql(a, 'create table after_failover as select 2 as n');
    const ended = await succeeds('rebuild', b.id);
    expect(ended.stderr).toContain(`pg_rewind of ${dataDir}`);
    expect(ended.stderr).not.toContain('base backup to');
    await expectWhole(a, b);
    await expectNothingLeft(a, b);
    expect(await sql(b, 'select n from after_failover')).toBe('2');
    expect(await expectRun(0, 'switch', '--to', b.id)).toMatchObject({ primary: b.id });
    await expectWhole(b, a);
  });

  labTest('rebuild: commits that stand on one server alone are kept, whatever interrupts it', async () => {
    // The standby hears nothing any more, and a client that does not wait for it commits.
    await sql(a, "alter system set primary_conninfo = ''");
    await sql(a, 'select pg_reload_conf()');
    await until(
      () => 'the standby still receives',
      5000,
      async () => ((await sql(a, 'select count(*) from pg_stat_wal_receiver')) === '0' ? true : undefined),
      10,
    );
    await sql(
      b,
      'set synchronous_commit = local; create table alone tablespace space as select 42 as answer',
    );
    await crash(b, a);
    await sql(a, 'alter system reset primary_conninfo');
    const check = await pair.run('rebuild', b.id, '--check');
    expect(check.stdout).toMatch(new RegExp(`[12] commits are on ${b.id} alone: ${a.id} never got them`));

    const held = b.host.sh(
      `until [ -e ${managementDir}/${b.id}.making ] && pkill -STOP -x pg_rewind; do sleep 0.005; done`,
    );
    const run = new Run(['rebuild', '-i', pair.file, b.id, '--yes']);
    await Promise.race([held, run.ended]);
    expect(run.child.kill('SIGKILL'), run.stderr).toBe(true);
    await run.ended;
    await b.host.sh('pkill -CONT -x "pg_rewind|runuser"');
    await until(
      () => 'the lock is still held',
      10_000,
      async () => ((await lockIsFree(b.host)) ? true : undefined),
      50,
    );
    // Nothing half-made is ever started.
    await b.host.sh('systemctl start mcoi_inst1');
    expect((await b.host.sh('pgrep -x postgres')).stdout).toBe('');

    const ended = await succeeds('rebuild', b.id);
    expect(ended.stderr).toContain('an interrupted rewind left an unfinished one');
    await expectWhole(a, b);
    await expectNothingLeft(a, b);
    expect(await sql(b, "select count(*) from pg_tables where tablename = 'alone'")).toBe('0');
    // What was put aside is a whole server that can still be asked.
    const kept = await b.host.sh(
      `d=$(ls -d ${dataDir}.before-rebuild-*); cd /; pg=/usr/lib/postgresql/15/bin
$pg/postgres --single -D $d -c synchronous_standby_names= -c logging_collector=off postgres 2>/dev/null <<'SQL'
select answer from alone
SQL`,
      { user: 'postgres' },
    );
    expect(kept.stdout).toContain('answer = "42"');
  });

  labTest('rebuild --copy: a standby is copied anew although it streams', async () => {
    const ended = await succeeds('rebuild', b.id, '--copy');
    expect(ended.stderr).toContain(`base backup to ${dataDir}`);
    await expectWhole(a, b);
    await expectNothingLeft(a, b);
  });

  // The names line is the controller's own then, with its comment behind it.
  labTest(
    'an editor gives the configuration other line ends while a standby is out: all of it goes on',
    async () => {
      await b.host.sh('systemctl stop mcoi_inst1', { check: true });
      await untilStatus(a, 'not-switchable');
      await until(
        () => 'commits still wait for the standby',
        30_000,
        async () => ((await sql(a, 'show synchronous_standby_names')) === '' ? true : undefined),
        200,
      );
      for (const { host } of [a, b])
        await host.sh(`sed -i 's/$/\\r/' ${dataDir}/postgresql.conf`, { check: true });
      await sql(a, 'select pg_reload_conf()');
      await b.host.sh('systemctl start mcoi_inst1', { check: true });
      await untilStatus(a, 'switchable');
      const conf = await a.host.sh(
        `grep -c '^synchronous_standby_names' ${dataDir}/postgresql.conf; grep -c $(printf '\\r') ${dataDir}/postgresql.conf`,
      );
      const [names, lines] = conf.stdout.trim().split('\n').map(Number);
      expect(names).toBe(1);
      expect(lines).toBeGreaterThan(10);
      expectExit(await pair.run('check'), 0);
      await succeeds('switch');
      await expectWhole(b, a);
      await succeeds('switch');
      await expectWhole(a, b);
      expectExit(await pair.run('check'), 0);
      // A block that is written again is one.
      const blocks = await a.host.sh(`grep -c 'pgduet' ${dataDir}/postgresql.conf`);
      expectExit(await pair.run('provision', '--yes'), 0);
      expect((await a.host.sh(`grep -c 'pgduet' ${dataDir}/postgresql.conf`)).stdout).toBe(blocks.stdout);
    },
  );
});
