/**
 * Disks of a real pair that are full: of the data of the primary, and of the management directory of each side while roles
 * change. Nothing that was acknowledged is lost, the status says what is the matter, and with room all goes on by itself.
 */
import { afterAll, beforeAll, expect } from 'vitest';
import { describeLab, labTest } from '../harness/describe.ts';
import { sleep, until } from '../harness/run.ts';
import type { Server } from '../support/instance.ts';
import { built, findingsOf } from '../support/pgduet.ts';
import { expectNothingLost, type Writing, writing } from './support/late.ts';
import type { FaultPair } from './support/pair.ts';
import { signalPostmaster } from './support/processes.ts';
import { openPair } from './support/variants.ts';

const unwritten = 'its state file cannot be written';

describeLab('a primary whose disk of the data is full', () => {
  let pair: FaultPair;
  beforeAll(async () => {
    built();
    pair = await openPair('disks');
  });
  afterAll(() => pair?.close());

  labTest('writes fail and nothing is lost; status and check say it; with room it goes on', async () => {
    await pair.untilSwitchable();
    const it = await writing(pair);
    const { primary, standby, client } = it;
    await primary.host.fillDisk('/database');
    await until(
      () => `no write fails: ${client.errors}`,
      30_000,
      () => (client.errors.includes('No space left on device') ? true : undefined),
    );
    await untilStatusSays(pair, primary, 'full(data)');
    await untilStatusSays(pair, standby, `a disk of ${primary.id} is full (data)`);
    const found = findingsOf(await pair.cluster.check()).map(({ code, host }) => `${code} ${host}`);
    expect(found).toContain(`DIR006 ${primary.id}`);
    expect(await pair.roles()).toEqual({ primary, standby });
    await primary.host.freeDisk('/database');
    expect(await client.writesAgain(20_000)).toBe(true);
    await until(
      () => 'the disk is called full although it has room',
      20_000,
      async () => ((await pair.mcCtl(primary, 'status')).stdout.includes('full') ? undefined : true),
    );
    await pair.untilSwitchable();
    expect(await pair.roles()).toEqual({ primary, standby });
    await expectNothingLost(pair, it);
  });
});

describeLab('a management directory that is full', () => {
  let pair: FaultPair;
  beforeAll(async () => {
    built();
    pair = await openPair('management');
  });
  afterAll(() => pair?.close());

  /** This side has no room from now on. */
  async function without(side: 'primary' | 'standby'): Promise<Writing> {
    await pair.untilSwitchable();
    const it = await writing(pair);
    await it[side].host.fillDisk('/mcdir');
    return it;
  }

  /** With room. */
  async function goesOn(side: 'primary' | 'standby', it: Writing): Promise<void> {
    await it[side].host.freeDisk('/mcdir');
    expect(await it.client.writesAgain(30_000), it.client.errors.slice(-500)).toBe(true);
    await pair.untilSwitchable();
    await pair.roles();
    await expectNothingLost(pair, it);
  }

  labTest('of the primary, while the standby goes away and comes back', async () => {
    const it = await without('primary');
    await signalPostmaster(it.standby, 'KILL');
    await untilStatusSays(pair, it.primary, unwritten);
    // It has told nobody that it goes on alone, and it does not.
    const before = it.client.rows.length;
    await sleep(4000);
    expect(it.client.rows.length).toBe(before);
    const started = await pair.mcCtl(it.standby, 'start', '-W');
    expect(started.status, started.stderr).toBe(0);
    await goesOn('primary', it);
  });

  labTest('of the standby, while its instance goes away and comes back', async () => {
    const it = await without('standby');
    await signalPostmaster(it.standby, 'KILL');
    expect(await it.client.writesAgain(20_000, Date.now() + 1000), it.client.errors.slice(-500)).toBe(true);
    await pair.mcCtl(it.standby, 'start', '-W');
    await untilStatusSays(pair, it.standby, unwritten);
    await it.standby.host.freeDisk('/mcdir');
    await pair.mcCtl(it.standby, 'start', '-W');
    await goesOn('standby', it);
  });

  for (const side of ['standby', 'primary'] as const)
    labTest(`of the ${side}, while a person switches: that is refused, and writes go on`, async () => {
      const it = await without(side);
      await untilStatusSays(pair, it.primary, `${it[side].id} can write down nothing that it decides`);
      const { status, stdout, stderr } = await pair.mcCtl(it.primary, 'switch', '--max-wait', '5');
      expect(status, stdout + stderr).toBe(1);
      expect(stdout + stderr).toContain('can write down nothing that it decides');
      expect(await it.client.writesAgain(5000), it.client.errors.slice(-500)).toBe(true);
      expect(await pair.roles()).toEqual({ primary: it.primary, standby: it.standby });
      await goesOn(side, it);
      const again = await pair.mcCtl(it.primary, 'switch');
      expect(again.status, again.stdout + again.stderr).toBe(0);
    });
});

/** `mc_ctl status` of this server. */
async function untilStatusSays(pair: FaultPair, server: Server, wanted: string): Promise<void> {
  let last = '';
  await until(
    () => `${server.id} does not say '${wanted}': ${last}`,
    20_000,
    async () => {
      last = (await pair.mcCtl(server, 'status')).stdout;
      return last.includes(wanted) ? true : undefined;
    },
  );
}
