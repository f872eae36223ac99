/** A cluster of two versions in the simulated world: the core of the last release beside the present one. */
import { describe, expect, it } from 'vitest';
import { presentCore, releasedCore } from './core.ts';
import type { Host } from './host.ts';
import { planOf } from './plan.ts';
import type { Plan } from './planned.ts';
import { runPlan, type Versions } from './scenario.ts';
import { failsInLastRelease } from './unlike-plan.ts';
import type { World } from './world.ts';

const old = releasedCore;

const onlyOld = (...ids: readonly string[]): Versions => ({
  begin: (world) => {
    for (const id of ids) world.host(id).core = old;
  },
  goOn: () => undefined,
});

function renew(world: World, host: Host): void {
  world.killController(host);
  host.core = presentCore;
  world.startController(host, 200);
}

const onlyReleased: Versions = {
  begin: (world) => {
    for (const host of world.hosts) host.core = old;
  },
  goOn: () => undefined,
};

/** As provision brings it: the controllers of the standbys are started anew, one after the other, and the primary's last. */
const upgraded: Versions = {
  begin: onlyReleased.begin,
  goOn: (world) => {
    [...world.hosts].reverse().forEach((host, index) => {
      world.later(host, 1200 * index + 100, () => renew(world, host));
    });
  },
};

/** One fault each: times and safety hold for one, and the second one may be the version. */
const plans = Array.from({ length: Number(process.env.MIXED_SEEDS ?? 150) }, (_, index) =>
  planOf(index + 1),
).filter(
  ({ settings, duties, unlike, faults: [only, second] }) =>
    // The last release knows neither a register nor duties, so that there are none beside it.
    settings.register === 'none' &&
    !duties &&
    !unlike &&
    only &&
    !second &&
    !failsInLastRelease.has(only.kind),
);

describe('a cluster of two versions loses nothing, and is switchable', () => {
  it.each([
    // The released one answers otherwise where a reference address never does, and gives a stalled disk up later.
    ['where the primary has the released one', onlyOld('server1'), /^(C|L1):/],
    // What the released one declines is no proof: the primary waits for a person, or for the new program there.
    ['where a standby has the released one', onlyOld('server2'), /^L1:/],
    // A controller that is away when it happens is a second fault.
    ['while all get the present one, the primary last', upgraded, /^L[13]:/],
  ])('%s', (_, versions, notJudged) => {
    const failed = plans.flatMap((plan) => {
      const run = (its: Versions) => runPlan({ ...plan, aftermath: 'nothing' }, false, its).violations;
      const judged = run(versions).filter((it) => !notJudged.test(it));
      // Where the released one alone fails, too, nothing is learned of two.
      if (judged.length > 0 && run(onlyReleased).some((it) => it[0] === judged[0]?.[0])) return [];
      return judged.length > 0 ? [`seed ${plan.settings.seed}: ${judged[0]}`] : [];
    });
    expect(failed).toEqual([]);
  });
});

/** Found as seed 3985: a detach whose fence comes late, and an instance that is killed meanwhile. */
const refused: Plan = {
  settings: {
    seed: 3985,
    servers: 2,
    policy: 'message',
    references: 'none',
    arbitration: 'well',
    fencing: 'late',
    timeoutAction: 'failover',
    register: 'none',
  },
  faults: [
    { kind: 'instance of a primary killed that is alone', host: 0, other: 1, afterMs: 1107, lastsMs: 1970 },
  ],
  aftermath: 'nothing',
};

it('a role that the released one has refused comes back when that server gets the present one', () => {
  const begin = onlyOld('server2').begin;
  const renewed: Versions = {
    begin,
    goOn: (world) => world.clock.after(9500, () => renew(world, world.host('server2'))),
  };
  const waits = (it: string): boolean => it.startsWith('L1: no commit was acknowledged for 16');
  expect(runPlan(refused, false, { begin, goOn: () => undefined }).violations.filter(waits)).toHaveLength(1);
  expect(runPlan(refused, false, renewed).violations).toEqual([]);
});
