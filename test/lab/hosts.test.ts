/**
 * Rounds with hosts as people have them (test/hosts), with seeds that follow the commit: as many as fit in the time. In: PGDUET_SEED moves the
 * seeds. What fails names the command that repeats it.
 */
import { execFileSync } from 'node:child_process';
import { expect } from 'vitest';
import { catalogue } from '../hosts/catalogue.ts';
import { told } from '../hosts/cli.ts';
import { draw } from '../hosts/draw.ts';
import { runRound } from '../hosts/round.ts';
import { Summary } from '../hosts/summary.ts';
import { describeLab, labTest } from './harness/describe.ts';
import { built } from './support/pgduet.ts';
import { seedOf } from './support/random.ts';

const budgetMs = 90_000;
const commit = execFileSync('git', ['rev-parse', 'HEAD'], { encoding: 'utf8' });
const first = seedOf(Number.parseInt(commit.slice(0, 8), 16));

describeLab('hosts that nobody wrote by hand', () => {
  labTest(
    `rounds from seed ${first} on are right (npm run test:hosts -- --rounds 5 --seed ${first})`,
    async () => {
      built();
      const summary = new Summary();
      const end = Date.now() + budgetMs;
      for (let seed = first; Date.now() < end; seed += 1) {
        const result = await runRound(draw(seed, catalogue));
        summary.add(result);
        expect(result.wrong, told(result, seed)).toEqual([]);
      }
      console.log(summary.lines().join('\n'));
      expect(summary.rounds).toBeGreaterThan(0);
    },
    3_600_000,
  );
});
