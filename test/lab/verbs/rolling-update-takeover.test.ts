/**
 * A rolling update of three servers waits for a person with one server down, and the primary's instance ends: the other standby takes over. What
 * is down comes back and gives the cluster its second copy; the former primary is a person's, who rebuilds it; then the update goes on to its end.
 */
import { afterAll, beforeAll, expect } from 'vitest';
import { describeLab, labTest } from '../harness/describe.ts';
import { until } from '../harness/run.ts';
import { type LabCluster, provisionedTrio } from '../support/cluster.ts';
import { expectExit, type Pgduet, pgduet, type Said, type StatusDocument } from '../support/pgduet.ts';
import type { Sheet } from './rolling-pair.ts';

/** A dozen steps on each of three hosts take long where much else runs. */
const longMs = 600_000;

describeLab('a takeover while a rolling update waits', () => {
  let trio: LabCluster;
  let patient: Pgduet;
  beforeAll(async () => {
    trio = await provisionedTrio();
    patient = pgduet(trio.lab, 300_000);
  });
  afterAll(() => trio?.close());

  const update = (...words: string[]): Promise<Said> =>
    patient(['rolling-update', '-i', trio.file, ...words, '--json']);
  const status = async (): Promise<StatusDocument> =>
    (await trio.run('status', '--json')).json<StatusDocument>();
  const done = (said: Said): readonly string[] =>
    said
      .json<Sheet>()
      .rows.flatMap(({ step, server, state }) => (state === 'done' ? [`${step} ${server}`] : []));

  labTest(
    'the server that is down comes back beside the lost one, and is not taken out twice',
    async () => {
      expectExit(await update('--reboot', '--pause', '--yes'), 2);
      await trio.primary.host.sh('pkill -9 -o -x postgres');
      await until(
        async () => `server3 does not take over:\n${(await trio.run('status')).all}`,
        60_000,
        async () => ((await status()).primary === 'server3' ? true : undefined),
        500,
      );
      const stopped = await update('--continue', '--yes');
      expectExit(stopped, 1);
      expect(stopped.all).toContain('server1 is not taken out: it does not follow server3');
      expect(stopped.all).toContain('pgduet rebuild server1');
      const first = ['out', 'stop', 'reboot', 'pause', 'proof', 'back', 'check'].map(
        (step) => `${step} server2`,
      );
      expect(done(stopped)).toEqual(first);
      const { servers } = await status();
      expect(servers.map(({ server, sync_state: sync }) => [server, sync])).toEqual([
        ['server1', null],
        ['server2', 'sync'],
        ['server3', null],
      ]);
    },
    longMs,
  );

  labTest(
    'the lost one is rebuilt, and the update goes on to its end',
    async () => {
      expectExit(await patient(['rebuild', 'server1', '-i', trio.file, '--yes']), 0);
      const second = await update('--continue', '--yes');
      expectExit(second, 2);
      expect(done(second).at(-1)).toBe('reboot server1');
      const third = await update('--continue', '--yes');
      expectExit(third, 2);
      expect(third.json<Sheet>().primary).not.toBe('server3');
      const last = await update('--continue', '--yes');
      expectExit(last, 0);
      expect(last.json<Sheet>()).toMatchObject({ state: 'done', primary: 'server1', left_out: [] });
      expect(done(last).filter((row) => row.startsWith('out '))).toEqual([
        'out server2',
        'out server1',
        'out server3',
      ]);
      expectExit(await trio.run('check'), 0);
    },
    longMs,
  );
});
