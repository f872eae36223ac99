/**
 * `pgduet teardown` that is killed behind every one of its steps while the standby becomes the server to stay, and one that
 * finds a primary waiting for the word of a standby that is gone.
 */
import { afterAll, beforeAll, expect } from 'vitest';
import { describeLab, labTest } from '../harness/describe.ts';
import type { Host } from '../harness/lab.ts';
import { until } from '../harness/run.ts';
import { mcDir, type Trouble } from '../trouble/trouble.ts';
import { expectDone, killedAtEveryStep, killedMs, openPair, pullPlug } from './killed-teardown.ts';

describeLab('teardown, killed, keeping the other server', () => {
  let pair: Trouble;
  let a: Host;
  let b: Host;
  beforeAll(async () => {
    pair = await openPair();
    ({ a, b } = pair);
  });
  afterAll(() => pair?.lab.close());

  labTest('a primary that waits for the word of a standby that is gone is started', async () => {
    await b.sh('systemctl disable -q mcoi_inst1', { check: true });
    await Promise.all([a, b].map(pullPlug));
    let said = '';
    await until(
      () => `it does not wait:\n${said}`,
      30_000,
      async () => {
        said = (await a.sh(`mc_ctl status -M ${mcDir} 2>&1`, { user: 'postgres' })).stdout;
        return said.includes('abnormal(postmaster)') ? true : undefined;
      },
      200,
    );
    // It waits for a person, and not for a time that passes.
    expect((await a.sh('sleep 8; pgrep -cx postgres')).stdout.trim(), said).toBe('0');
    const ended = await pair.run('teardown', ['--yes']);
    expect(ended.status, `${ended.stdout}\n${ended.stderr}`).toBe(0);
    await expectDone(pair, a, b);
  });

  labTest(
    'killed behind every step, the standby stays',
    async () => {
      await pair.cluster.reset();
      const rounds = await killedAtEveryStep(pair, ['--keep', b.name], async () => undefined);
      expect(rounds).toBeGreaterThan(8);
      await expectDone(pair, b, a);
    },
    killedMs,
  );
});
