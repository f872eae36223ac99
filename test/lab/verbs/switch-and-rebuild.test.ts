/**
 * `pgduet switch` and `pgduet rebuild` on one pair of real hosts, as a person uses them: there and back, after a crash of
 * the primary, with commits that stand on one server alone, and interrupted by kill -9. Each test leaves the pair whole.
 */
import { afterAll, beforeAll, expect } from 'vitest';
import { describeLab, labTest } from '../harness/describe.ts';
import type { Host } from '../harness/lab.ts';
import { until } from '../harness/run.ts';
import { dataDir, documentOf, lockIsFree, mcDir, mirroringStatus, sql, Trouble } from '../trouble/trouble.ts';

const untilStatus = (host: Host, wanted: string) =>
  until(
    () => `${host.name} does not say '${wanted}'`,
    30_000,
    async () => ((await mirroringStatus(host)) === wanted ? true : undefined),
    100,
  );

/** The postmaster of the primary dies; the controllers make the other server primary by themselves. */
async function crash(primary: Host, standby: Host): Promise<void> {
  await primary.sh(`kill -9 $(head -n 1 ${dataDir}/postmaster.pid)`, { check: true });
  await untilStatus(standby, 'switched');
}

/** What a rebuild may leave nowhere: the role and the rule of pg_rewind, a slot, a mark, a password file. */
async function expectNothingLeft(primary: Host, rebuilt: Host): Promise<void> {
  expect(await sql(primary, "select count(*) from pg_roles where rolname = 'pgduet_rewind'")).toBe('0');
  expect(await sql(primary, 'select count(*) from pg_replication_slots')).toBe('0');
  const left = await Promise.all(
    [primary, rebuilt].map((host) =>
      host.sh(
        `grep -l pgduet_rewind ${dataDir}/pg_hba.conf; ls ${mcDir}/*.making ${mcDir}/*.rewind-pass 2>/dev/null`,
      ),
    ),
  );
  expect(left.map(({ stdout }) => stdout)).toEqual(['', '']);
}

describeLab('switch and rebuild', () => {
  let pair: Trouble;
  let a: Host;
  let b: Host;
  beforeAll(async () => {
    pair = await Trouble.open();
    ({ a, b } = pair);
    await pair.converges();
    // One tablespace, since a rebuild has to take what stands outside of the data directory along.
    await Promise.all([a, b].map((host) => host.sh('install -d -o postgres -m 700 /space', { check: true })));
    await sql(a, "create tablespace space location '/space'");
  });
  afterAll(() => pair?.lab.close());

  /** Runs a verb that has to end with this status; returns its document. */
  async function expectRun(status: number, verb: string, ...args: string[]) {
    const ended = await pair.run(verb, [...args, '--yes', '--json']);
    expect(ended.status, `${ended.stdout}\n${ended.stderr}`).toBe(status);
    return documentOf(ended);
  }

  labTest('switch: refused as long as no standby is in sync, and nothing is touched', async () => {
    await b.sh('systemctl stop mcoi_inst1', { check: true });
    const before = await sql(a, 'select pg_postmaster_start_time()');
    const document = await expectRun(5, 'switch');
    expect(document.diagnostics.map(({ code }) => code)).toEqual(['SAF010']);
    expect(await sql(a, 'select pg_postmaster_start_time()')).toBe(before);
    await b.sh('systemctl start mcoi_inst1', { check: true });
    await untilStatus(a, 'switchable');
  });

  labTest('switch: there, again without effect, and a long transaction is named before it', async () => {
    await sql(a, 'create table kept tablespace space as select 1 as n');
    const session = a.sh("psql -X -p 27500 -c 'begin; select pg_sleep(120)'", { user: 'postgres' });
    await until(
      () => 'the transaction is not named',
      30_000,
      async () =>
        (await pair.run('switch', ['--check'])).stdout.includes('rolled back: process') ? true : undefined,
      500,
    );
    const ended = await pair.run('switch', ['--yes']);
    expect(ended.status, ended.stderr).toBe(0);
    expect(ended.stderr).toContain(`${b.name} is primary, with timeline 2`);
    expect(ended.stderr).toContain(`${a.name} streaming sync from ${a.address}`);
    expect(ended.stderr).toMatch(/The switch took [\d.]+ s/);
    expect((await session).status).not.toBe(0);
    await pair.isWhole(b, a);
    expect(await sql(a, 'select n from kept')).toBe('1');
    const again = await expectRun(0, 'switch', '--to', b.name);
    expect(again).toMatchObject({ primary: b.name, plan: [] });
  });

  labTest('rebuild: the primary is refused, and a standby that streams is left alone', async () => {
    const document = await expectRun(5, 'rebuild', b.name);
    expect(document.diagnostics.map(({ code }) => code)).toEqual(['SAF012']);
    expect(await expectRun(0, 'rebuild', a.name)).toMatchObject({ plan: [] });
  });

  labTest('rebuild: a former primary that crashed is rewound, and can be switched back to', async () => {
    await crash(b, a);
    await sql(a, 'create table after_failover as select 2 as n');
    const ended = await pair.run('rebuild', [b.name, '--yes']);
    expect(ended.status, ended.stderr).toBe(0);
    expect(ended.stderr).toContain(`pg_rewind of ${dataDir}`);
    expect(ended.stderr).not.toContain('base backup to');
    await pair.isWhole(a, b);
    await expectNothingLeft(a, b);
    expect(await sql(b, 'select n from after_failover')).toBe('2');
    expect(await expectRun(0, 'switch', '--to', b.name)).toMatchObject({ primary: b.name });
    await pair.isWhole(b, a);
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
    const check = await pair.run('rebuild', [b.name, '--check']);
    expect(check.stdout).toMatch(new RegExp(`[12] commits are on ${b.name} alone: ${a.name} never got them`));

    const held = b.sh(
      `until [ -e ${mcDir}/${b.name}.making ] && pkill -STOP -x pg_rewind; do sleep 0.005; done`,
    );
    const run = pair.start('rebuild', [b.name, '--yes']);
    await Promise.race([held, run.ended]);
    expect(run.child.kill('SIGKILL'), run.stderr).toBe(true);
    await run.ended;
    await b.sh('pkill -CONT -x "pg_rewind|runuser"');
    await until(
      () => 'the lock is still held',
      10_000,
      async () => ((await lockIsFree(b)) ? true : undefined),
      50,
    );
    // Nothing half-made is ever started.
    await b.sh('systemctl start mcoi_inst1');
    expect((await b.sh('pgrep -x postgres')).stdout).toBe('');

    const ended = await pair.run('rebuild', [b.name, '--yes']);
    expect(ended.status, ended.stderr).toBe(0);
    expect(ended.stderr).toContain('an interrupted rewind left an unfinished one');
    await pair.isWhole(a, b);
    await expectNothingLeft(a, b);
    expect(await sql(b, "select count(*) from pg_tables where tablename = 'alone'")).toBe('0');
    // What was put aside is a whole server that can still be asked.
    const kept = await b.sh(
      `d=$(ls -d ${dataDir}.before-rebuild-*); cd /; pg=/usr/lib/postgresql/15/bin
$pg/postgres --single -D $d -c synchronous_standby_names= -c logging_collector=off postgres 2>/dev/null <<'SQL'
select answer from alone
SQL`,
      { user: 'postgres' },
    );
    expect(kept.stdout).toContain('answer = "42"');
  });

  labTest('rebuild --copy: a standby is copied anew although it streams', async () => {
    const ended = await pair.run('rebuild', [b.name, '--copy', '--yes']);
    expect(ended.status, ended.stderr).toBe(0);
    expect(ended.stderr).toContain(`base backup to ${dataDir}`);
    await pair.isWhole(a, b);
    await expectNothingLeft(a, b);
  });
});
