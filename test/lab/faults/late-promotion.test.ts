/**
 * A standby whose replay stands still, on a real pair: a switch is given up before it costs anybody a write, and a promotion that was
 * asked for ends only with a proof. Nothing that was acknowledged is lost, and there are never two primaries.
 */
import { afterAll, beforeAll, expect } from 'vitest';
import { describeLab, labTest } from '../harness/describe.ts';
import { built } from '../support/pgduet.ts';
import { expectNothingLost, lateForMoreThanAMinute, promoting, stuck } from './support/late.ts';
import type { FaultPair } from './support/pair.ts';
import { replay } from './support/processes.ts';
import { openPair } from './support/variants.ts';

describeLab('replay that stands still, on_heartbeat_loss: fallback', () => {
  let pair: FaultPair;
  beforeAll(async () => {
    built();
    pair = await openPair('plain');
  });
  afterAll(() => pair?.close());

  labTest('a promotion hangs for longer than a minute, and ends with one primary', () =>
    lateForMoreThanAMinute(pair),
  );

  labTest('a switch is given up in time, and writes never stop', async () => {
    const it = await stuck(pair);
    const { status, stderr } = await pair.mcCtl(it.primary, 'switch', '--max-wait', '3');
    expect(status, stderr).toBe(1);
    expect(stderr).toMatch(/still has \d+ MB of WAL to replay/);
    await replay(it.standby, 'CONT');
    await pair.untilSwitchable();
    expect(await pair.roles()).toEqual({ primary: it.primary, standby: it.standby });
    process.stdout.write(
      `longest write gap of a switch that is given up: ${Math.round(it.longestGapMs())} ms\n`,
    );
    await expectNothingLost(pair, it);
  });

  for (const from of ['primary', 'standby'] as const)
    labTest(`switch --abort on the ${from} gives the role back`, async () => {
      const it = await promoting(pair);
      const { status, stdout, stderr } = await pair.mcCtl(it[from], 'switch', '--abort');
      expect(status, stderr).toBe(0);
      expect(stdout).toContain(`${it.standby.id} has not become primary`);
      expect(await it.client.writesAgain(30_000)).toBe(true);
      await pair.untilSwitchable();
      expect(await pair.roles()).toEqual({ primary: it.primary, standby: it.standby });
      await expectNothingLost(pair, it);
    });
});
