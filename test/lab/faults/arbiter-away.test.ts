/**
 * A pair whose arbiter is switched off: nothing happens, and it is told; a failed instance is survived as ever; a lost host is left to
 * a person, as under `message`, until the arbiter is back.
 */
import { expect } from 'vitest';
import { labTest } from '../harness/describe.ts';
import { sleep, until } from '../harness/run.ts';
import { postmasterPid } from '../support/instance.ts';
import { findingsOf } from '../support/pgduet.ts';
import { describeFaults, expectSafe, faultCalled } from './support/faults.ts';
import { expectNothingLost, writing } from './support/late.ts';

/** Longer than a silent server is waited for. */
const longMs = 7000;

/** How long the servers are without it before more goes wrong. */
const awayMs = Math.max(longMs, Number(process.env.PGDUET_AWAY_MINUTES ?? 0) * 60_000);

describeFaults(
  'a pair whose arbiter is away',
  (broken) => {
    labTest(
      'writes go on and it is told; when the host of the primary is lost nobody takes over before the arbiter is back',
      async () => {
        const { pair } = broken;
        await pair.untilSwitchable();
        const pids = await Promise.all(pair.servers.map(postmasterPid));
        const from = Date.now();
        await pair.arbiter.powerOff();
        await sleep(awayMs - longMs);
        const scene = await writing(pair);
        const { primary, standby, client } = scene;
        await sleep(longMs);
        expect(await client.writesAgain(2000)).toBe(true);
        for (const server of pair.servers) {
          expect((await pair.mcCtl(server, 'status', '--arbiter')).stdout).toMatch(/arb1 .*offline/);
          expect((await pair.status(server))?.mirroring_status).toBe('switchable');
        }
        const found = findingsOf(await pair.cluster.check());
        expect(found.map(({ code }) => code)).toContain('ARB004');
        expect(await Promise.all(pair.servers.map(postmasterPid))).toEqual(pids);
        const numbers = (await pair.said(from)).map(({ number }) => number);
        expect(numbers).toContain('01136');
        for (const acted of ['01035', '01051', '01130']) expect(numbers).not.toContain(acted);

        await primary.host.powerOff();
        await sleep(longMs);
        expect(await pair.takesWrites(standby)).toBe(false);
        expect((await pair.said(from)).map(({ number }) => number)).toContain('01133');
        const alone = await pair.status(standby);
        expect(alone?.mirroring_status).not.toBe('switchable');
        expect(alone?.advice).toBeTruthy();

        await pair.arbiter.powerOn();
        await until(
          () => `${standby.id} has not become primary`,
          40_000,
          async () => ((await pair.takesWrites(standby)) ? true : undefined),
          100,
        );
        expect(await client.writesAgain(10_000)).toBe(true);
        await pair.makeWhole();
        await expectNothingLost(pair, scene);
      },
      awayMs + 180_000,
    );

    labTest('when the instance of the primary is killed the standby takes over, as ever', async () => {
      const name = 'arbiter off, then the postmaster killed, with an arbiter (primary)';
      const result = await broken.run(faultCalled(name));
      expectSafe(result);
      expect(result.oldPrimaryWrites).toBe(false);
    });
  },
  'arbiter',
);
