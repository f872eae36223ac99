/**
 * Runs that are stopped at the worst moments: in the middle of initdb and of a base backup, by kill -9, by a host that loses
 * its power. What is left is explained, never started, and made anew by the same command.
 */
import { afterAll, beforeAll, expect } from 'vitest';
import { describeLab, labTest } from '../harness/describe.ts';
import { sleep } from '../harness/run.ts';
import type { Run } from '../support/running.ts';
import { free, nothingHalfMadeRuns, quiet } from './stopped.ts';
import { dataDir, mcDir, sql, Trouble } from './trouble.ts';

describeLab('a run that is stopped at the worst moment', () => {
  let pair: Trouble;
  beforeAll(async () => {
    pair = await Trouble.open();
  });
  afterAll(() => pair?.lab.close());

  labTest(
    'kill -9 in the middle of initdb: the unfinished instance is explained, never started, made anew',
    async () => {
      const { a } = pair;
      const held = a.sh(
        'until pkill -STOP -x initdb; do sleep 0.005; done; sleep 0.2; pkill -CONT -x "initdb|runuser"; sleep 0.1; pkill -STOP -x initdb',
      );
      const run = pair.start('provision', ['--yes']);
      await held;
      run.child.kill('SIGKILL');
      await run.ended;
      await free(a);
      await quiet(a);
      expect((await a.sh(`cat ${mcDir}/${a.name}.making`)).stdout).toBe('initdb');
      expect((await a.sh(`ls ${dataDir}`)).stdout).toContain('PG_VERSION');
      const check = await pair.run('check');
      expect(check.status).toBe(2);
      expect(check.stdout).toContain('an interrupted initdb left an unfinished one');
      expect((await pair.run('status')).stdout).toContain('unfinished (initdb)');
      await nothingHalfMadeRuns(a);
      await pair.converges();
    },
  );

  labTest(
    'kill -9 in the middle of a base backup: the half copy is explained, never started, made anew',
    async () => {
      const { a, b } = pair;
      await sql(
        a,
        'create table big as select repeat(md5(i::text), 30) as t from generate_series(1, 150000) i',
      );
      await b.sh(`systemctl stop mcoi_inst1; rm -rf ${dataDir} ${mcDir}/${b.name}.system`, { check: true });
      const run = await heldCopy(pair);
      run.child.kill('SIGKILL');
      await run.ended;
      await free(b);
      await quiet(b);
      expect((await b.sh(`cat ${mcDir}/${b.name}.making`)).stdout).toBe('copy');
      const check = await pair.run('check');
      expect(check.status).toBe(2);
      expect(check.stdout).toContain('an interrupted copy left an unfinished one');
      await nothingHalfMadeRuns(b);
      await pair.converges();
    },
  );

  labTest(
    'the host loses its power in the middle of a base backup: the half copy is not started at boot',
    async () => {
      const { a, b } = pair;
      await b.sh(`systemctl stop mcoi_inst1; rm -rf ${dataDir} ${mcDir}/${b.name}.system`, { check: true });
      const run = await heldCopy(pair);
      const boots = b.boots;
      await b.sh('systemctl reboot -ff');
      const ended = await run.ended;
      expect(ended, ended.stderr).toMatchObject({ status: 4 });
      expect(ended.stderr).toContain('CON007');
      expect(ended.stderr).toContain(`'${b.name}'`);
      expect(ended.stderr).toContain(`broke off: base backup to ${dataDir}`);
      expect(ended.stderr).toContain('not done: ');
      // Its controller cannot ask anybody who is primary: the worst moment to start what looks like a primary.
      await a.cut();
      await b.untilBoots(boots + 1);
      await sleep(7000);
      await nothingHalfMadeRuns(b);
      await a.heal();
      await pair.converges();
      expect(await sql(b, 'select count(*) from big')).toBe('150000');
    },
  );

  labTest(
    "the primary's host reboots in the middle of a base backup: exit 1 or 4, then it goes on",
    async () => {
      const { a, b } = pair;
      await b.sh(`systemctl stop mcoi_inst1; rm -rf ${dataDir} ${mcDir}/${b.name}.system`, { check: true });
      const run = await heldCopy(pair);
      const boots = a.boots;
      await a.sh('systemctl reboot -ff');
      await b.sh('sleep 0.5; pkill -CONT -x "pg_basebackup|runuser"');
      const ended = await run.ended;
      expect([1, 4]).toContain(ended.status);
      expect(ended.stderr).toContain(a.name);
      expect(ended.stderr).toContain('base backup');
      await a.untilBoots(boots + 1);
      await nothingHalfMadeRuns(b);
      await pair.converges();
      expect(await sql(b, 'select count(*) from big')).toBe('150000');
    },
  );
});

/** A provision whose base backup to the second host stands still in the middle. (runuser stops with what it runs.) */
async function heldCopy(pair: Trouble): Promise<Run> {
  const { b } = pair;
  const held = b.sh(
    `until pkill -STOP -x pg_basebackup; do sleep 0.005; done
n=0; until [ -e ${dataDir}/PG_VERSION ] || [ $n -gt 50 ]; do pkill -CONT -x 'pg_basebackup|runuser'; sleep 0.03; pkill -STOP -x pg_basebackup; n=$((n + 1)); done`,
  );
  const run = pair.start('provision', ['--yes']);
  await heldBefore(run, held);
  return run;
}

/** Waits until the run is held, but not when it has ended before. */
const heldBefore = (run: Run, held: Promise<unknown>): Promise<unknown> =>
  Promise.race([
    held,
    run.ended.then((ended) => {
      throw new Error(`the run ended before it could be held (${ended.status}):\n${ended.stderr}`);
    }),
  ]);
