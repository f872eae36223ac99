/**
 * Two runs at once on one pair: the lock lets one in, and the other one is reported by whom it was kept out.
 */
import { afterAll, beforeAll, expect } from 'vitest';
import { describeLab, labTest } from '../harness/describe.ts';
import { free } from './stopped.ts';
import { documentOf, mcDir, Trouble } from './trouble.ts';

describeLab('two runs at once', () => {
  let pair: Trouble;
  beforeAll(async () => {
    pair = await Trouble.open();
  });
  afterAll(() => pair?.lab.close());

  labTest(
    'two at once: one wins and comes to its end, the other one is told by whom it was kept out',
    async () => {
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
