/**
 * `pgduet teardown` on real hosts: what it says before, a client that writes meanwhile, either server kept, a run that is
 * killed. Nothing is lost, and nothing is left.
 */
import { afterAll, beforeAll, expect } from 'vitest';
import { describeLab, labTest } from '../harness/describe.ts';
import type { Host } from '../harness/lab.ts';
import { until } from '../harness/run.ts';
import { dataDir, lockIsFree, mcDir, sql } from '../trouble/trouble.ts';
import { expectSingle, kept, startClient, TeardownPair } from './teardown-pair.ts';

describeLab('teardown', () => {
  let torn: TeardownPair;
  let a: Host;
  let b: Host;
  beforeAll(async () => {
    torn = await TeardownPair.open();
    ({ a, b } = torn);
  });
  afterAll(() => torn?.close());

  labTest(
    '--check names what is deleted with its size and system identifier, and changes nothing',
    async () => {
      const system = await sql(a, 'select system_identifier from pg_control_system()');
      const state = () =>
        Promise.all(
          [a, b].map((host) =>
            host.sh(
              `cat ${dataDir}/*.conf /etc/services; ls -la ${mcDir}/*.conf /etc/systemd/system; head -n 1 ${dataDir}/postmaster.pid`,
            ),
          ),
        );
      const was = (await state()).map(({ stdout }) => stdout);
      const check = await torn.start('--check').ended;
      expect(check.status, check.stderr).toBe(2);
      expect(check.stdout).toContain(
        `delete the data of ${b.name} in ${dataDir} (system identifier ${system})`,
      );
      expect(check.stdout).toMatch(new RegExp(`data directory ${dataDir}, [\\d.]+ MB`));
      expect(check.stdout).toMatch(/tablespace in \/space\/PG_15_\d+, /);
      expect(check.stdout).toContain(`make ${a.name} a single server again, with one restart`);
      expect(check.stdout).toContain(
        'The packages, and the user that owns the instance, stay on every host.',
      );
      expect((await state()).map(({ stdout }) => stdout)).toEqual(was);
    },
  );

  labTest('the primary stays while a client writes: no row lost, nothing left', async () => {
    const client = startClient(a);
    const ended = await torn.start('--yes').ended;
    const seen = client.count();
    await new Promise((resolve) => setTimeout(resolve, 300));
    const rows = await client.end();
    expect(ended.status, `${ended.stdout}\n${ended.stderr}`).toBe(0);
    expect(ended.stderr).toContain(`Take a backup of ${a.name} now`);
    expect(rows.length).toBeGreaterThan(seen);
    const found = await sql(a, "select coalesce(json_agg(n), '[]') from written");
    const stored = new Set(JSON.parse(found) as number[]);
    expect(rows.filter((row) => !stored.has(row))).toEqual([]);
    await expectSingle(a);
    await torn.expectNothingLeft(a, ...kept);
    await torn.expectNothingLeft(b);
  });

  labTest('a second run finds nothing to do, and the server survives a reboot', async () => {
    expect(await torn.runs(0, '--yes')).toMatchObject({ plan: [], changed: [], kept: a.name });
    await a.reboot();
    await expectSingle(a);
    expect(await torn.runs(0, '--yes')).toMatchObject({ plan: [], kept: a.name });
  });

  labTest('the standby stays: it becomes primary first, and a killed run is continued', async () => {
    await torn.again();
    const system = await sql(a, 'select system_identifier from pg_control_system()');
    const check = await torn.start('--keep', b.name, '--check').ended;
    expect(check.stdout).toContain(`make ${b.name} primary; ${a.name} follows it`);
    expect(check.stdout).toContain(
      `delete the data of ${a.name} in ${dataDir} (system identifier ${system})`,
    );
    const client = startClient(b);
    const run = torn.start('--keep', b.name, '--yes');
    await run.said('delete the data in');
    run.child.kill('SIGKILL');
    await run.ended;
    await until(
      () => 'the lock is still held',
      10_000,
      async () => ((await lockIsFree(a)) ? true : undefined),
      50,
    );
    const document = await torn.runs(0, '--keep', b.name, '--yes');
    expect(document.kept).toBe(b.name);
    const rows = await client.end();
    expect(rows.length).toBeGreaterThan(0);
    const stored = new Set(
      JSON.parse(await sql(b, "select coalesce(json_agg(n), '[]') from written")) as number[],
    );
    expect(rows.filter((row) => !stored.has(row))).toEqual([]);
    await expectSingle(b);
    await torn.expectNothingLeft(b, ...kept);
    await torn.expectNothingLeft(a);
    expect(await torn.runs(0, '--yes')).toMatchObject({ plan: [], kept: b.name });
  });
});
