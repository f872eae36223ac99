/**
 * Roles that are not what they should be: two primaries, none, or the other way round; and small damage beside them.
 * Nothing may be touched that could hold the only copy of a commit. In: one pair, made whole again after each.
 */
import { afterAll, beforeAll, expect } from 'vitest';
import { describeLab, labTest } from '../harness/describe.ts';
import { until } from '../harness/run.ts';
import { plainSettings } from '../support/inventory.ts';
import { bin, dataDir, documentOf, fingerprint, mcDir, sql, Trouble } from './trouble.ts';

/** What pgduet and the instance are reported by: none of it may change when a run is refused. */
const configuration = (trouble: Trouble) =>
  Promise.all(
    [trouble.a, trouble.b].map((host) =>
      fingerprint(
        host,
        `${dataDir}/postgresql.conf`,
        `${dataDir}/pg_hba.conf`,
        `${dataDir}/standby.signal`,
        `${mcDir}/network.conf`,
        `${mcDir}/${host.name}.conf`,
        '/var/lib/postgresql/.pgpass',
        '/etc/systemd/system/mcoi_inst1.service',
      ),
    ),
  );

describeLab('roles that are not as they should be', () => {
  let pair: Trouble;
  beforeAll(async () => {
    pair = await Trouble.provisioned();
  });
  afterAll(() => pair?.lab.close());

  labTest(
    'someone edits postgresql.conf between look and write: the edit stays, and the next run takes it in',
    async () => {
      const { a } = pair;
      // No restart: before that the primary would be looked at anew, and the edit would be seen.
      const settings = { ...plainSettings, work_mem: '7MB' };
      const inventory = pair.write('memory.yml', { postgres: { settings } });
      const asking = pair.ask(inventory);
      await asking.said('[y/N]');
      await a.sh(`echo "log_min_duration_statement = '3s' # by hand" >>${dataDir}/postgresql.conf`, {
        check: true,
      });
      asking.child.stdin?.write('y\n');
      const ended = await asking.ended;
      expect(ended.status).toBe(1);
      expect(ended.stdout).toContain('was changed by someone else');
      expect((await a.sh(`tail -n 1 ${dataDir}/postgresql.conf`)).stdout).toContain('# by hand');
      await pair.converges(inventory);
      expect((await a.sh(`cat ${dataDir}/postgresql.conf`)).stdout).toContain('# by hand');
      expect(await sql(a, 'show work_mem')).toBe('7MB');
      await pair.converges();
    },
  );

  labTest("a wrong password in the standby's password file is seen and repaired", async () => {
    const { a, b } = pair;
    await b.sh("sed -i 's/:[^:]*$/:not-the-password/' /var/lib/postgresql/.pgpass", { check: true });
    await b.sh('pkill -f "postgres: [w]alreceiver"', { check: true });
    await until(
      () => 'the standby is still connected',
      20_000,
      async () => ((await sql(a, 'select count(*) from pg_stat_replication')) === '0' ? true : undefined),
    );
    const check = await pair.run('check');
    expect(check.status).toBe(2);
    expect(check.stdout).toMatch(/PWD002 .*\.pgpass/);
    const told = await pair.run('check', ['--diff', '--json']);
    for (const text of [check.stdout, told.stdout, told.stderr])
      expect(text).not.toContain('not-the-password');
    await pair.converges();
  });

  labTest(
    'two primaries: every verb but status stops with the evidence, and nothing is changed',
    async () => {
      const { a, b } = pair;
      // A controller would see the newer primary and stop the older one at once.
      for (const host of [a, b])
        await host.sh(`mc_ctl stop -M ${mcDir} --mc-only`, { user: 'postgres', check: true });
      await b.sh(`${bin}/pg_ctl -s -w promote -D ${dataDir}`, { user: 'postgres', check: true });
      const before = await configuration(pair);
      const document = await pair.fails(5);
      expect(document.diagnostics.map(({ code }) => code)).toEqual(['SAF003']);
      const [diagnostic] = document.diagnostics;
      const [told] = (await pair.tells(5)).filter(({ code }) => code === 'SAF003');
      for (const what of [diagnostic?.what, told?.what])
        expect(what).toBe(`${a.name} and ${b.name} are both primary`);
      for (const evidence of [diagnostic?.evidence?.join('; '), told?.found])
        expect(evidence).toMatch(
          new RegExp(`${a.name}: running, in production, timeline 1.*; ${b.name}: running, .*timeline [12]`),
        );
      const status = await pair.run('status');
      expect(status.status).toBe(1);
      expect(status.stdout).toContain(`${a.name} and ${b.name} are both primary`);
      expect(await configuration(pair)).toEqual(before);
      // The way out that the message names: the one that shall not be primary is stopped and emptied.
      await b.sh(`${bin}/pg_ctl -s -w stop -D ${dataDir}`, { user: 'postgres', check: true });
      await b.sh(`rm -rf ${dataDir} ${mcDir}/${b.name}.system`, { check: true });
      await pair.converges();
    },
  );

  labTest(
    "no primary: with the primary's data gone nothing is made anew; with it back, all goes on",
    async () => {
      const { a, b } = pair;
      await sql(a, 'create table only_here as select 1 as n');
      await a.sh(`systemctl stop mcoi_inst1; mv ${dataDir} /database/moved`, { check: true });
      const before = await configuration(pair);
      const document = await pair.fails(5);
      expect(document.diagnostics.map(({ code }) => code)).toEqual(['SAF004']);
      expect(document.diagnostics[0]?.evidence?.join()).toContain(`${b.name}: running`);
      const [told] = (await pair.tells(5)).filter(({ code }) => code === 'SAF004');
      expect(told?.found).toContain(`${b.name}: running`);
      expect((await pair.run('status')).stdout).toContain('no primary runs');
      expect(await configuration(pair)).toEqual(before);
      await a.sh(`mv /database/moved ${dataDir}`, { check: true });
      await pair.converges();
      expect(await sql(b, 'select n from only_here')).toBe('1');
    },
  );

  labTest(
    'roles the other way round: the former primary is refused as it stands; emptied, it becomes a standby',
    async () => {
      const { a, b } = pair;
      await a.sh('systemctl stop mcoi_inst1', { check: true });
      await b.sh(`${bin}/pg_ctl -s -w promote -D ${dataDir}`, { user: 'postgres', check: true });
      const before = await fingerprint(a, dataDir);
      const document = await pair.fails(5);
      expect(document.diagnostics.map(({ code, host }) => [code, host])).toEqual([['SAF007', a.name]]);
      expect(document.diagnostics[0]?.evidence).toContain('state: shut down');
      const [told] = (await pair.tells(5)).filter(({ code }) => code === 'SAF007');
      expect(told).toMatchObject({ host: a.name, found: expect.stringContaining('state: shut down') });
      expect(await fingerprint(a, dataDir)).toBe(before);
      const status = await pair.run('status', ['--json']);
      expect(JSON.parse(status.stdout)).toMatchObject({ primary: b.name });
      await a.sh(`rm -rf ${dataDir}`, { check: true });
      // Nothing is made where data was recorded: its disk might not be mounted.
      expect((await pair.fails(5)).diagnostics.map(({ code, host }) => [code, host])).toEqual([
        ['SAF008', a.name],
      ]);
      await a.sh(`rm ${mcDir}/${a.name}.system`, { check: true });
      const ended = await pair.run('provision', ['--yes', '--json']);
      expect(ended, ended.stderr).toMatchObject({ status: 0 });
      expect(documentOf(ended).primary).toBe(b.name);
      await pair.isWhole(b, a);
      const check = await pair.run('check');
      expect(check.stdout).toMatch(
        new RegExp(`declared +${a.name} is primary\n +found +${b.name} is primary`),
      );
    },
  );
});
