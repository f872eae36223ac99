/**
 * Runs that do not come to their end: Ctrl-C and kill -9 at random moments and at the worst ones, and two at once.
 * Afterwards the same command makes the pair whole, whatever was left. The moments are the same in every test run:
 * a seeded step of the run and some milliseconds behind it.
 */
import { afterAll, beforeAll, expect } from 'vitest';
import { describeLab, labTest } from '../harness/describe.ts';
import type { Host } from '../harness/lab.ts';
import { sleep, until } from '../harness/run.ts';
import { dataDir, documentOf, lockIsFree, mcDir, type Run, seeded, sql, Trouble, wipe } from './trouble.ts';

/** About as many steps as a whole run has. */
const allSteps = 39;

/** Nothing of pgduet works on the host any more. */
const quiet = (host: Host) =>
  until(
    () => `something of the run still works on ${host.name}`,
    3000,
    async () =>
      (await host.sh('pgrep -x "initdb|pg_basebackup|pg_receivewal|dd"')).stdout === '' ? true : undefined,
  );

const free = (host: Host) =>
  until(
    () => `the lock on ${host.name} is still held`,
    3000,
    async () => ((await lockIsFree(host)) ? true : undefined),
  );

/** No server ever runs on what was not finished. */
const nothingHalfMadeRuns = async (host: Host) => {
  const answer = await host.sh(
    `if [ -e ${mcDir}/${host.name}.making ] && pgrep -x postgres >/dev/null; then pgrep -ax postgres; fi`,
  );
  expect(answer.stdout).toBe('');
};

describeLab('a run that is interrupted', () => {
  let pair: Trouble;
  beforeAll(async () => {
    pair = await Trouble.open();
  });
  afterAll(() => pair?.lab.close());

  /** Starts the command and stops it at the moment; false when it was faster. */
  const stopAt = async (signal: NodeJS.Signals, step: number, delayMs: number): Promise<Run | undefined> => {
    const run = pair.start('provision', ['--yes']);
    if (!(await run.stepsDone(step))) return undefined;
    await sleep(delayMs);
    return run.child.exitCode === null && run.child.kill(signal) ? run : undefined;
  };

  const rounds = 5;
  labTest('Ctrl-C at ten random moments: exit 130 with an account, a free lock, and it goes on', async () => {
    const random = seeded(20_260_801);
    let stopped = 0;
    for (let round = 0; round < rounds; round += 1) {
      for (const _ of ['fresh', 'continued']) {
        const step = Math.floor(((round + random()) / rounds) * allSteps * (_ === 'fresh' ? 1 : 0.3));
        const run = await stopAt('SIGINT', step, random() * 200);
        if (!run) continue;
        const ended = await run.ended;
        if (ended.status === 0) continue;
        stopped += 1;
        expect(ended, ended.stderr).toMatchObject({ status: 130 });
        expect(ended.stderr).toContain('RUN002');
        expect(ended.stderr).toContain('already changed: ');
        expect(ended.stderr).toContain('not done: ');
        for (const host of [pair.a, pair.b]) {
          expect(await lockIsFree(host)).toBe(true);
          await quiet(host);
          await nothingHalfMadeRuns(host);
        }
      }
      await pair.converges();
      await wipe(pair.a, pair.b);
    }
    expect(stopped).toBeGreaterThanOrEqual(8);
  });

  labTest('kill -9 at ten random moments: the lock goes with the process, and it goes on', async () => {
    const random = seeded(1_234_567);
    let stopped = 0;
    for (let round = 0; round < rounds; round += 1) {
      for (const _ of ['fresh', 'continued']) {
        const step = Math.floor(((round + random()) / rounds) * allSteps * (_ === 'fresh' ? 1 : 0.3));
        const run = await stopAt('SIGKILL', step, random() * 200);
        if (!run) continue;
        stopped += (await run.ended).status === 137 ? 1 : 0;
        for (const host of [pair.a, pair.b]) {
          await free(host);
          await quiet(host);
          await nothingHalfMadeRuns(host);
        }
      }
      await pair.converges();
      await wipe(pair.a, pair.b);
    }
    expect(stopped).toBeGreaterThanOrEqual(8);
  });

  labTest('Ctrl-C while a host does not answer ends at once with 130', async () => {
    await pair.b.cut();
    const run = pair.start('provision', ['--yes', '--verbose']);
    await run.said(`${pair.b.name}: connecting`);
    await sleep(200);
    run.child.kill('SIGINT');
    const ended = await run.ended;
    await pair.b.heal();
    expect(ended, ended.stderr).toMatchObject({ status: 130 });
    expect(ended.stderr).toContain('RUN002');
    expect(ended.stderr).not.toContain('CON001');
  });

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
      await b.sh(`systemctl stop mcoi_inst1; rm -rf ${dataDir}`, { check: true });
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
      await b.sh(`systemctl stop mcoi_inst1; rm -rf ${dataDir}`, { check: true });
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
      await b.sh(`systemctl stop mcoi_inst1; rm -rf ${dataDir}`, { check: true });
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

  labTest(
    'two at once: one wins and comes to its end, the other one is told by whom it was kept out',
    async () => {
      await wipe(pair.a, pair.b);
      const runs = [
        pair.start('provision', ['--yes', '--json']),
        pair.start('provision', ['--yes', '--json']),
      ];
      const ended = await Promise.all(runs.map((run) => run.ended));
      expect(ended.map(({ status }) => status).sort()).toEqual([0, 6]);
      const winner = runs[ended.findIndex(({ status }) => status === 0)];
      const loser = ended.find(({ status }) => status === 6);
      const diagnostics = loser ? documentOf(loser).diagnostics : [];
      expect(new Set(diagnostics.map(({ code }) => code))).toEqual(new Set(['RUN001']));
      expect(JSON.stringify(diagnostics)).toContain(`pgduet provision, process ${winner?.child.pid}`);
      await pair.isWhole(pair.a, pair.b);
    },
  );

  labTest(
    'a run that waits for an answer holds the lock; another one is refused until it is gone',
    async () => {
      await pair.b.sh(`rm ${mcDir}/network.conf`);
      const asking = pair.ask();
      await asking.said('[y/N]');
      const second = await pair.fails(6);
      expect(second.diagnostics[0]).toMatchObject({ code: 'RUN001', host: pair.a.name });
      expect(second.diagnostics[0]?.evidence?.join()).toMatch(/held by: .*pgduet provision, process \d+/);
      // Looking is free for everyone.
      expect((await pair.run('check')).status).toBe(2);
      asking.child.kill('SIGKILL');
      await asking.ended;
      await free(pair.a);
      await pair.converges();
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
