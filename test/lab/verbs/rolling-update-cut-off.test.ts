/** `pgduet rolling-update` of a pair in the middle of a command: killed, asked to stop, the host switched off. The command goes on, and runs once. */
import { expect } from 'vitest';
import { describeLab, labTest } from '../harness/describe.ts';
import { until } from '../harness/run.ts';
import { expectExit } from '../support/pgduet.ts';
import { Run } from '../support/running.ts';
import { append, rollingPair, type Sheet } from './rolling-pair.ts';

describeLab('a rolling update of a pair that is cut off', () => {
  const { pair, update, ran } = rollingPair();

  labTest('killed in the middle of a command: that goes on to its end, and runs once', async () => {
    const run = new Run([
      'rolling-update',
      '-i',
      pair().file,
      '--command',
      `sleep 4; ${append}`,
      '--alone',
      '--yes',
    ]);
    await until(
      () => `the command was not begun:\n${run.stderr}`,
      60_000,
      async () => ((await pair().hosts[1]?.sh('pgrep -f "^sleep 4$"'))?.status === 0 ? true : undefined),
      100,
    );
    run.child.kill('SIGKILL');
    await run.ended;
    const done = await update('--continue', '--yes');
    expectExit(done, 0);
    expect([await ran(0), await ran(1)]).toEqual([1, 1]);
  });

  labTest(
    'a person asks to stop in the middle of a command: that is said, and the command goes on',
    async () => {
      await Promise.all(pair().hosts.map((host) => host.sh('rm -f /root/ran', { check: true })));
      const run = new Run([
        'rolling-update',
        '-i',
        pair().file,
        '--command',
        `sleep 5; ${append}`,
        '--alone',
        '--yes',
        '--json',
      ]);
      await until(
        () => `the command was not begun:\n${run.stderr}`,
        60_000,
        async () => ((await pair().hosts[1]?.sh('pgrep -f "^sleep 5$"'))?.status === 0 ? true : undefined),
        100,
      );
      run.child.kill('SIGINT');
      const stopped = await run.ended;
      expect(stopped.status, stopped.stderr).toBe(130);
      expect(JSON.parse(stopped.stdout)).toMatchObject({
        state: 'failed',
        diagnostics: [{ code: 'RUN002' }],
      });
      const done = await update('--continue', '--yes');
      expectExit(done, 0);
      expect([await ran(0), await ran(1)]).toEqual([1, 1]);
    },
  );

  labTest('its host is switched off in the middle of a command: that is not run again unasked', async () => {
    const run = new Run([
      'rolling-update',
      '-i',
      pair().file,
      '--command',
      `${append}; sleep 30`,
      '--alone',
      '--yes',
    ]);
    await until(
      () => `the command was not begun:\n${run.stderr}`,
      60_000,
      async () => ((await ran(1)) === 2 ? true : undefined),
      100,
    );
    await pair().hosts[1]?.powerOff();
    run.child.kill('SIGINT');
    await run.ended;
    await pair().hosts[1]?.powerOn();
    const unsure = await update('--continue', '--yes');
    expectExit(unsure, 1);
    expect(unsure.all).toContain('nobody knows how the command of server2 ended');
    expect(await ran(1)).toBe(2);
    const ended = await update('--continue', '--done', '--skip', 'server1', '--yes');
    expectExit(ended, 0);
    expect(ended.json<Sheet>()).toMatchObject({ state: 'done', primary: 'server1', left_out: ['server1'] });
    expect([await ran(0), await ran(1)]).toEqual([1, 2]);
  });
});
