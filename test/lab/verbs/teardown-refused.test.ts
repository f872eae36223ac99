/**
 * `pgduet teardown` where a server has data that must not be deleted: a former primary, a standby that is ahead.
 */
import { afterAll, beforeAll, expect } from 'vitest';
import { describeLab, labTest } from '../harness/describe.ts';
import type { Host } from '../harness/lab.ts';
import { dataDir, sql } from '../trouble/trouble.ts';
import { expectSingle, kept, TeardownPair, untilStatus } from './teardown-pair.ts';

describeLab('teardown of data that nobody else has', () => {
  let torn: TeardownPair;
  let a: Host;
  let b: Host;
  beforeAll(async () => {
    torn = await TeardownPair.open();
    ({ a, b } = torn);
  });
  afterAll(() => torn?.close());

  labTest(
    'a former primary is refused, and nothing is touched; with --keep-data its data stays',
    async () => {
      await torn.again();
      await a.sh(`kill -9 $(head -n 1 ${dataDir}/postmaster.pid)`, { check: true });
      await untilStatus(b, 'switched');
      const was = await sql(b, 'select pg_postmaster_start_time()');
      const refused = await torn.runs(5, '--yes');
      expect(refused.diagnostics.map(({ code }) => code)).toContain('SAF020');
      expect(refused.text).toContain('it was primary, and has not been made a standby since');
      expect(await sql(b, 'select pg_postmaster_start_time()')).toBe(was);
      expect((await b.sh('systemctl is-active mcoi_inst1')).stdout.trim()).toBe('active');

      expect(await torn.runs(0, '--keep-data', '--yes')).toMatchObject({ kept: b.name });
      await expectSingle(b);
      await torn.expectNothingLeft(b, ...kept);
      await torn.expectNothingLeft(a, ...kept);
      expect((await a.sh(`cat ${dataDir}/PG_VERSION`)).stdout.trim()).toBe('15');
      expect(await torn.runs(0, '--keep-data', '--yes')).toMatchObject({ plan: [], kept: b.name });
    },
  );

  labTest('a standby whose data is ahead is refused', async () => {
    await torn.again();
    // The standby stops with all that the primary has; then the primary goes back to an older state of itself.
    await a.sh('systemctl stop mcoi_inst1; cp -a /database /database.old', { check: true });
    await a.sh('systemctl start mcoi_inst1', { check: true });
    await untilStatus(a, 'switchable');
    await sql(a, 'create table later as select generate_series(1, 20000) as n; checkpoint');
    await b.sh('systemctl stop mcoi_inst1', { check: true });
    await a.sh(
      'systemctl stop mcoi_inst1; rm -rf /database; mv /database.old /database; systemctl start mcoi_inst1',
      {
        check: true,
      },
    );
    const refused = await torn.runs(5, '--yes');
    expect(refused.diagnostics.map(({ code }) => code)).toEqual(['SAF020']);
    expect(refused.text).toContain('it is ahead');
    expect((await b.sh(`cat ${dataDir}/PG_VERSION`)).stdout.trim()).toBe('15');
  });
});
