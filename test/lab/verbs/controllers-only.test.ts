/**
 * `pgduet teardown --controllers-only` on real hosts: a pair that pgduet made, while a client writes, behind a switch, interrupted and
 * continued. Both servers go on under units of their own, replication with them, also behind a reboot; nothing of the controllers is left.
 */
import { afterAll, beforeAll, expect } from 'vitest';
import { describeLab, labTest } from '../harness/describe.ts';
import type { Host } from '../harness/lab.ts';
import { until } from '../harness/run.ts';
import { dataDir, lockIsFree, mcDir, sql } from '../trouble/trouble.ts';
import { kept, startClient, TeardownPair, untilStatus } from './teardown-pair.ts';

const unit = 'postgresql_inst1';
/** What standbys log in with stays, too. */
const left = [...kept, '/var/lib/postgresql'];

/** The standby follows by what it has itself, and commits wait for it. */
async function expectReplicating(primary: Host, standby: Host): Promise<void> {
  for (const host of [primary, standby]) {
    await until(
      () => `${host.name} does not run under its unit`,
      30_000,
      async () => ((await host.sh(`systemctl is-active ${unit}`)).status === 0 ? true : undefined),
    );
    expect((await host.sh(`systemctl is-enabled ${unit}; ls -d ${mcDir}; pgrep -f '[m]c.cjs'`)).stdout).toBe(
      'enabled\n',
    );
  }
  let row = '';
  await until(
    () => `${standby.name} does not follow ${primary.name}: ${row}`,
    30_000,
    async () => {
      row = await sql(
        primary,
        "select application_name || ' ' || usename || ' ' || state || ' ' || sync_state from pg_stat_replication",
      );
      return row === `${standby.name} pgduet_repl streaming sync` ? true : undefined;
    },
  );
  expect(await sql(standby, 'select pg_is_in_recovery()')).toBe('t');
  expect(await sql(primary, 'select count(*) from pg_settings where pending_restart')).toBe('0');
  expect(
    await sql(primary, "select count(*) from pg_file_settings where error is not null or name ~ 'log_dir'"),
  ).toBe('0');
}

describeLab('teardown --controllers-only', () => {
  let torn: TeardownPair;
  let a: Host;
  let b: Host;
  beforeAll(async () => {
    torn = await TeardownPair.open();
    ({ a, b } = torn);
  });
  afterAll(() => torn?.close());

  const only = (...words: string[]) => torn.start('--controllers-only', ...words).ended;

  labTest('--check says it, changes nothing, and a standby that is missed is a refusal', async () => {
    const check = await only('--check');
    expect(check.status, check.stderr).toBe(2);
    expect(check.stdout).toContain(`make ${b.name} a plain server again, with one restart`);
    expect(check.stdout).toContain('All servers, their data');
    expect(check.stdout).not.toContain('delete the data');
    await torn.pair.isWhole(a, b);
    await b.sh(`runuser -u postgres -- mc_ctl stop -M ${mcDir}`, { check: true });
    const refused = await only('--yes');
    expect(refused.status, refused.stdout).toBe(5);
    expect(refused.stderr).toContain('SAF080');
    // Its unit starts it, which the administrator has no right to.
    const beside = await b.sh(`runuser -u postgres -- mc_ctl start -w -M ${mcDir}`);
    expect(beside.status, beside.stdout).toBe(1);
    expect(beside.stderr).toMatch(/As root: systemctl start mcoi_\w+\.service\n.*--without-unit/);
    await b.sh(`${beside.stderr.match(/systemctl start \S+/)?.[0]}`, { check: true });
    await untilStatus(a, 'switchable');
  });

  labTest('while a client writes: no row is lost, and both go on', async () => {
    const client = startClient(a);
    const ended = await only('--yes');
    await new Promise((resolve) => setTimeout(resolve, 300));
    const rows = await client.end();
    expect(ended.status, `${ended.stdout}\n${ended.stderr}`).toBe(0);
    await expectReplicating(a, b);
    for (const host of [a, b]) {
      const stored = new Set(
        JSON.parse(await sql(host, "select coalesce(json_agg(n), '[]') from written")) as number[],
      );
      expect(rows.filter((row) => !stored.has(row))).toEqual([]);
    }
    for (const host of [a, b]) await torn.expectNothingNamed(host, ...left);
    expect(await torn.runs(0, '--controllers-only', '--yes')).toMatchObject({ plan: [], changed: [] });
  });

  labTest('both hosts are booted: the standby follows as before', async () => {
    await Promise.all([a.reboot(), b.reboot()]);
    await expectReplicating(a, b);
  });

  labTest('behind a switch, and continued where it was killed', async () => {
    await torn.again();
    const switched = await torn.pair.run('switch', ['--yes']);
    expect(switched.status, switched.stderr).toBe(0);
    for (const words of [
      `stop the Mirroring Controller of ${a.name}`,
      `make ${a.name} a plain server again`,
    ]) {
      const run = torn.start('--controllers-only', '--yes', '--verbose');
      await run.said(words);
      run.child.kill('SIGKILL');
      await run.ended;
      await until(
        () => 'the lock is still held',
        30_000,
        async () => ((await lockIsFree(a)) ? true : undefined),
        50,
      );
    }
    const ended = await only('--yes');
    expect(ended.status, `${ended.stdout}\n${ended.stderr}`).toBe(0);
    await expectReplicating(b, a);
    expect((await a.sh(`ls ${dataDir}/pgduet.json`)).status).not.toBe(0);
  });
});
