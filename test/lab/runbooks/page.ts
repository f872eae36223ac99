/**
 * The runbook of a host that is gone, on a pair to which a client writes all the time. In: a page, and what happens to the hosts. Out: tests, and
 * that nothing that was acknowledged is lost. It must never say what a page says.
 */
import { afterAll, beforeAll, expect } from 'vitest';
import { expectNothingLost, type Writing, writing } from '../faults/support/late.ts';
import type { FaultPair } from '../faults/support/pair.ts';
import { openPair } from '../faults/support/variants.ts';
import { describeLab, labTest } from '../harness/describe.ts';
import { Desk } from '../support/desk.ts';
import type { Server } from '../support/instance.ts';
import { runsSections, type Section } from '../support/runbook.ts';

export interface Scene {
  pair: FaultPair;
  it: Writing;
  server1: Server;
  server2: Server;
}

const status = 'pgduet status -i inventory.yml';
export const unreached = { [status]: 4 };

/** A pair whose sections are run one behind the other; nothing that was acknowledged is lost. */
export function describePage(
  page: string,
  variant: 'plain' | 'message',
  sections: (scene: () => Scene) => readonly Section[],
): void {
  describeLab(`${page}, ${variant}`, () => {
    let scene: Scene;
    let desk: Desk;
    beforeAll(async () => {
      const pair = await openPair(variant);
      desk = new Desk(pair.cluster);
      scene = { pair, it: await writing(pair), server1: pair.cluster.primary, server2: pair.cluster.standby };
    });
    afterAll(async () => {
      scene?.it.client.stop();
      await scene?.pair.close();
    });
    runsSections(
      page,
      () => desk,
      sections(() => scene),
    );
    labTest('no acknowledged row is lost', () => expectNothingLost(scene.pair, scene.it));
  });
}

export const writes = async ({ it }: Scene): Promise<void> =>
  expect(await it.client.writesAgain(30_000), it.client.errors.slice(-500)).toBe(true);
