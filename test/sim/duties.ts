/**
 * What each server of a trio may do, and what goes wrong because of it: a duty that changes at a bad moment, the only candidate that
 * is lost, a person who wants a server all the same. Struck only where there are duties. In: dice. Out: duties, and kinds of faults.
 */
import { between, type Fault, type Kinds, loseHost, primaryOf, standbysOf } from './fault.ts';
import type { Host } from './host.ts';
import { ask } from './persons.ts';
import type { Random } from './random.ts';
import type { World } from './world.ts';

export interface SimDuty {
  readonly takeover?: 'allowed' | 'never';
  readonly takeoverPriority?: number;
  readonly replication?: 'synchronous' | 'asynchronous';
}

/** By the place of the server; the first one is primary in the beginning. */
export type Duties = readonly SimDuty[];

const never: SimDuty = { takeover: 'never' };
const asynchronous: SimDuty = { replication: 'asynchronous' };
const preferred: SimDuty = { takeoverPriority: 200 };

export const isFree = ({ takeover, replication }: SimDuty): boolean =>
  takeover !== 'never' && replication !== 'asynchronous';

/** One of two standbys is not like the other. Three servers that answer on a silence all vote. */
export function dutiesOf(random: Random, allVote: boolean): Duties {
  const words = allVote ? [never, preferred] : [never, asynchronous, preferred];
  const word = random.pick(words);
  return random.chance(0.5) ? [{}, word, {}] : [{}, {}, word];
}

/** Somebody writes the file of a server anew, and its controller reads it. */
function change(world: World, host: Host, duty: SimDuty): void {
  world.tell(`the duty of ${host.id} is ${JSON.stringify(duty)}`);
  world.setDuty(host, duty);
}

const losePrimary = (world: World, { dice, lastsMs }: Fault, afterMs: number): void => {
  const primary = primaryOf(world);
  world.clock.after(afterMs, () => loseHost(world, primary, 4000 + lastsMs + dice.between(0, 500)));
};

const bound = (world: World): Host | undefined => standbysOf(world).find((it) => !isFree(it.duty));

/** The primary may not know of it yet, or not have told it back. */
const changed = (duty: (fault: Fault) => SimDuty, whose: (world: World, fault: Fault) => Host | undefined) =>
  ({
    compound: true,
    strike: (world: World, fault: Fault) => {
      const host = whose(world, fault);
      if (!host) return;
      if (fault.dice.chance(0.3)) world.network.cut(['admin'], [`${host.id}>${primaryOf(world).id}`]);
      change(world, host, duty(fault));
      losePrimary(world, fault, fault.dice.between(1, 2500));
    },
  }) as const;

export const dutyKinds: Kinds = {
  'a standby is to take nothing over any more, and the primary dies': changed(
    ({ dice }) => dice.pick([never, asynchronous]),
    (world, { dice }) => dice.pick(standbysOf(world)),
  ),
  'a standby may take over again, and the primary dies': changed(
    () => ({}),
    (world) => bound(world),
  ),
  'priorities change, and the primary dies': changed(
    ({ dice }) => ({ takeoverPriority: dice.pick([50, 300]) }),
    (world, { dice }) => dice.pick(standbysOf(world).filter((it) => isFree(it.duty))),
  ),
  /** The primary does not hear of it any more, so that it is called eligible still; the other one does. */
  'the better candidate is to take nothing over any more, unheard, and the primary dies': {
    compound: true,
    untilMs: 9500,
    strike: (world, { dice }) => {
      const primary = primaryOf(world);
      const [better, other] = standbysOf(world)
        .filter((it) => isFree(it.duty))
        .sort((one, its) => (its.duty.takeoverPriority ?? 100) - (one.duty.takeoverPriority ?? 100));
      if (!better || !other) return;
      world.network.cut(['admin'], [`${better.id}>${primary.id}`]);
      change(world, better, never);
      world.clock.after(dice.between(1, 600), () => loseHost(world, primary, 30_000));
      world.clock.after(9000, () => world.checkers.nobodyWaits(other, better));
    },
  },
  /** Meanwhile commits wait for the one that does not take over; the candidate is back, and proven or not. */
  'the candidate is away, then the primary dies': {
    compound: true,
    untilMs: 8500,
    strike: (world, fault) => {
      const candidate = standbysOf(world).find((it) => isFree(it.duty));
      if (candidate) loseHost(world, candidate, 3000 + fault.lastsMs / 2);
      losePrimary(world, fault, 3000 + fault.dice.between(0, 5000));
    },
  },
  'the one that takes nothing over is ahead, and the primary dies': {
    compound: true,
    untilMs: 11_000,
    strike: (world, fault) => {
      const primary = primaryOf(world);
      const candidates = standbysOf(world).filter((it) => isFree(it.duty));
      for (const it of candidates) it.lagMs = 300;
      const [candidate] = candidates;
      const ahead = bound(world);
      const afterMs = fault.dice.between(500, 1500);
      world.clock.after(afterMs, () => loseHost(world, primary, 30_000));
      if (candidate && ahead)
        world.clock.after(afterMs + 9000, () => world.checkers.nobodyWaits(candidate, ahead));
    },
  },
  'a person names the one that takes nothing over': {
    compound: true,
    strike: (world, { dice }) => {
      const to = bound(world)?.id;
      if (to === undefined) return;
      const isForced = dice.chance(0.5);
      if (isForced) world.checkers.wanted(to);
      ask(world, dice.pick(world.hosts), { kind: 'switch', force: isForced, noFencing: false, to });
    },
  },
};

/** Who is waited for receives nothing any more, for as long as this; an asynchronous copy goes on to. */
function starve(world: World, lastsMs: number): void {
  const primary = primaryOf(world);
  const pairs = standbysOf(world)
    .filter((it) => it.duty.replication !== 'asynchronous')
    .flatMap((it) => between(it, primary));
  world.network.cut(['log'], pairs);
  world.clock.after(lastsMs, () => world.network.mend(['log'], pairs));
}

/** Struck only where there is a copy: it holds what was acknowledged to nobody, and the new primary does not. */
export const copyKinds: Kinds = {
  'the copy alone receives, and the primary dies': {
    compound: true,
    untilMs: 9000,
    strike: (world, { dice, lastsMs }) => {
      const primary = primaryOf(world);
      const afterMs = dice.between(300, 2500);
      starve(world, afterMs + dice.between(0, 800));
      world.clock.after(afterMs, () => {
        if (dice.chance(0.3)) world.killInstance(primary);
        else loseHost(world, primary, 2000 + 4 * lastsMs);
      });
    },
  },
  'the copy alone receives, and the role is handed over': {
    compound: true,
    untilMs: 9000,
    strike: (world, { dice }) => {
      starve(world, dice.between(300, 2500));
      const primary = primaryOf(world);
      world.clock.after(dice.between(10, 2000), () => {
        ask(world, primary, { kind: 'switch', force: false, noFencing: false });
      });
    },
  },
  'the copy is ahead of the new primary, and that dies, too': {
    compound: true,
    untilMs: 14_000,
    strike: (world, { dice, lastsMs }) => {
      const primary = primaryOf(world);
      const afterMs = dice.between(300, 1500);
      starve(world, afterMs);
      world.clock.after(afterMs, () => loseHost(world, primary, 2000 + 2 * lastsMs));
      world.clock.after(afterMs + dice.between(2500, 7000), () => {
        const newer = primaryOf(world);
        if (newer !== primary) loseHost(world, newer, 1000 + lastsMs);
      });
    },
  },
};
