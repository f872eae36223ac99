/**
 * A standby whose replay stands still, on a real pair: a switch is given up before it costs anybody a write, and a promotion that was
 * asked for ends only with a proof. Nothing that was acknowledged is lost, and there are never two primaries.
 */
import { afterAll, beforeAll, expect } from 'vitest';
import { describeLab, labTest } from '../harness/describe.ts';
import { sleep, until } from '../harness/run.ts';
import type { Server } from '../support/instance.ts';
import { built } from '../support/pgduet.ts';
import { expectNothingLost, type Writing, writing } from './support/late.ts';
import type { FaultPair } from './support/pair.ts';
import { replay, signalPostmaster } from './support/processes.ts';
import { openPair, type Variant } from './support/variants.ts';

/** In order, where no instance runs. */
const restart = ({ host, unit }: Server) => host.sh(`systemctl restart ${unit}`, { check: true });
/** systemd starts it again; the instance goes on. */
const killController = ({ host, unit }: Server) =>
  host.sh(`systemctl kill --kill-who=main --signal=KILL ${unit}`, { check: true });

for (const variant of ['plain', 'message'] as const satisfies Variant[])
  describeLab(
    `replay that stands still, on_heartbeat_loss: ${variant === 'message' ? 'message' : 'fallback'}`,
    () => {
      let pair: FaultPair;
      beforeAll(async () => {
        built();
        pair = await openPair(variant);
      });
      afterAll(() => pair?.close());

      /** Both servers, the client that writes, and a standby whose replay stands still. */
      async function stuck(): Promise<Writing> {
        await pair.untilSwitchable();
        const it = await writing(pair);
        await replay(it.standby, 'STOP');
        return it;
      }

      /** The postmaster of the primary is killed, and the standby has asked its instance to become primary. */
      async function promoting(): Promise<Writing> {
        const it = await stuck();
        await sleep(1500);
        await signalPostmaster(it.primary, 'KILL');
        await untilReplayIsTold(pair, it.standby, it.standby);
        return it;
      }

      labTest('a promotion hangs for longer than a minute, and ends with one primary', async () => {
        const it = await promoting();
        const { primary, standby } = it;
        const end = Date.now() + 66_000;
        await restart(primary);
        await sleep(5000);
        await killController(standby);
        for (; Date.now() < end; await sleep(2000)) {
          expect(await Promise.all(pair.servers.map((server) => pair.takesWrites(server)))).not.toContain(
            true,
          );
          expect(await pair.takesWrites(primary)).toBe(null);
        }
        await untilReplayIsTold(pair, standby, primary);
        await replay(standby, 'CONT');
        await until(
          () => `${standby.id} does not become primary`,
          20_000,
          async () => ((await pair.takesWrites(standby)) === true ? true : undefined),
        );
        expect(await it.client.writesAgain(20_000)).toBe(true);
        expect(await pair.takesWrites(primary)).toBe(null);
        const late = await pair.mcCtl(standby, 'switch', '--abort');
        expect(late.status).toBe(1);
        expect(late.stderr).toContain(`no switch is under way; ${standby.id} is primary`);
        await pair.makeWhole();
        expect(await pair.roles()).toEqual({ primary: standby, standby: primary });
        await expectNothingLost(pair, it);
      });

      if (variant === 'message') return;
      labTest('a switch is given up in time, and writes never stop', async () => {
        const it = await stuck();
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
          const it = await promoting();
          const { status, stdout, stderr } = await pair.mcCtl(it[from], 'switch', '--abort');
          expect(status, stderr).toBe(0);
          expect(stdout).toContain(`${it.standby.id} has not become primary`);
          expect(await it.client.writesAgain(30_000)).toBe(true);
          await pair.untilSwitchable();
          expect(await pair.roles()).toEqual({ primary: it.primary, standby: it.standby });
          await expectNothingLost(pair, it);
        });
    },
  );

/** `mc_ctl status` of one server shows what is left to replay on the standby. */
async function untilReplayIsTold(pair: FaultPair, standby: Server, asked: Server): Promise<void> {
  let last = '';
  await until(
    () => `${asked.id} does not tell what ${standby.id} has to replay: ${last}`,
    20_000,
    async () => {
      last = (await pair.mcCtl(asked, 'status')).stdout;
      return /\d (bytes|MB) of WAL are left to replay/.test(last) ? true : undefined;
    },
    200,
  );
  expect(last).toContain(`${standby.id} is taking over`);
}
