/**
 * Runs that do not come to their end: Ctrl-C and kill -9 at random moments. Afterwards the same command makes the pair whole,
 * whatever was left. The moments are the same in every test run: a seeded step of the run and some milliseconds behind it.
 */
import { afterAll, beforeAll, expect } from 'vitest';
import { describeLab, labTest } from '../harness/describe.ts';
import { sleep } from '../harness/run.ts';
import { interruptions, nearlyAll, seeded, seedOf } from '../support/random.ts';
import type { Ended, Run } from '../support/running.ts';
import { free, nothingHalfMadeRuns, quiet } from './stopped.ts';
import { lockIsFree, Trouble, wipe } from './trouble.ts';

/** About as many steps as a whole run has. */
const allSteps = 39;

interface Moment {
  readonly step: number;
  readonly delayMs: number;
}

/** Of each round: when a fresh run is stopped, the rounds dividing the run among them, and when the one that continues it. */
function momentsOf(seed: number): readonly (readonly Moment[])[] {
  const random = seeded(seedOf(seed));
  return Array.from({ length: interruptions }, (_, round) =>
    [1, 0.3].map((share) => ({
      step: Math.floor(((round + random()) / interruptions) * allSteps * share),
      delayMs: random() * 200,
    })),
  );
}

describeLab('a run that is interrupted', () => {
  let pair: Trouble;
  beforeAll(async () => {
    pair = await Trouble.open();
  });
  afterAll(() => pair?.lab.close());

  /** Starts the command and stops it at the moment; undefined when it was faster. */
  const stopAt = async (signal: NodeJS.Signals, { step, delayMs }: Moment): Promise<Run | undefined> => {
    const run = pair.start('provision', ['--yes']);
    if (!(await run.stepsDone(step))) return undefined;
    await sleep(delayMs);
    return run.child.exitCode === null && run.child.kill(signal) ? run : undefined;
  };

  /** Every run that was really stopped is handed over; the same command then makes the pair whole, each round anew. */
  const rounds = async (
    signal: NodeJS.Signals,
    seed: number,
    afterwards: (ended: Ended) => Promise<void>,
  ): Promise<void> => {
    let stopped = 0;
    for (const moments of momentsOf(seed)) {
      for (const moment of moments) {
        const ended = await (await stopAt(signal, moment))?.ended;
        if (ended === undefined || ended.status === 0) continue;
        stopped += 1;
        await afterwards(ended);
        for (const host of [pair.a, pair.b]) {
          await quiet(host);
          await nothingHalfMadeRuns(host);
        }
      }
      await pair.converges();
      await wipe(pair.a, pair.b);
    }
    expect(stopped).toBeGreaterThanOrEqual(nearlyAll(2 * interruptions));
  };

  labTest('Ctrl-C at random moments: exit 130 with an account, a free lock, and it goes on', () =>
    rounds('SIGINT', 20_260_801, async (ended) => {
      expect(ended, ended.stderr).toMatchObject({ status: 130 });
      expect(ended.stderr).toContain('RUN002');
      expect(ended.stderr).toContain('already changed: ');
      expect(ended.stderr).toContain('not done: ');
      for (const host of [pair.a, pair.b]) expect(await lockIsFree(host)).toBe(true);
    }),
  );

  labTest('kill -9 at random moments: the lock goes with the process, and it goes on', () =>
    rounds('SIGKILL', 1_234_567, async (ended) => {
      expect(ended.status).toBe(137);
      for (const host of [pair.a, pair.b]) await free(host);
    }),
  );

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
});
