/**
 * Receivers that are no servers of the cluster, and that PostgreSQL takes for standbys: under a name that a person has put
 * into synchronous_standby_names, or under the name of a standby. The moment in which one comes is not judged.
 */
import { between, type Fault, type Kinds, loseHost, primaryOf, standbysOf } from './fault.ts';
import type { Host } from './host.ts';
import type { Guest } from './instance.ts';
import { ask, force, switchover } from './persons.ts';
import { Random } from './random.ts';
import type { World } from './world.ts';

/** Longer than it takes until the controllers have looked, and have told each other. */
const knownAfterMs = [2600, 3600] as const;

/** The standbys receive nothing any more, or late; then the primary dies. */
function fallBehind(world: World, primary: Host, { dice, lastsMs }: Fault): void {
  for (const standby of standbysOf(world)) {
    if (dice.chance(0.5)) world.network.cut(['log'], between(primary, standby));
    else standby.lagMs = 20_000;
  }
  world.clock.after(dice.between(300, 2500), () => loseHost(world, primary, 4000 + lastsMs));
}

/** It comes from elsewhere or from the address of its standby, by dice of its own. */
function clone({ settings }: World, { id }: Host): Guest {
  const sameAddress = new Random(7 * settings.seed + 3).chance(0.5);
  return { name: id, confirms: true, ...(sameAddress ? { address: id } : {}) };
}

/** Everything is put right: nobody else receives, and only servers are named. */
export function sendAway(world: World, { instance }: Host): void {
  const ours = (name: string): boolean => world.hosts.some((it) => it.id === name);
  instance.guests = [];
  instance.guestConfirmed.clear();
  instance.fileNames = instance.fileNames.filter(ours);
  instance.names = instance.names.filter(ours);
  instance.waitsFor = instance.waitsFor.filter(ours);
}

export const strangers: Kinds = {
  'a foreign name is in force, then the primary dies': {
    compound: true,
    stranger: true,
    strike: (world, fault) => {
      const primary = primaryOf(world);
      world.replication.nameByHand(primary, [...primary.instance.names, 'archive']);
      world.replication.receive(primary, { name: 'archive', confirms: true });
      world.clock.after(fault.dice.between(...knownAfterMs), () => fallBehind(world, primary, fault));
    },
  },
  'a clone streams beside its standby, then the primary dies': {
    compound: true,
    stranger: true,
    strike: (world, fault) => {
      const primary = primaryOf(world);
      world.replication.receive(primary, clone(world, fault.dice.pick(standbysOf(world))));
      world.clock.after(fault.dice.between(...knownAfterMs), () => fallBehind(world, primary, fault));
    },
  },
  /** The row of the clone is the only one, and the last word of the standby is that it receives WAL. */
  'a clone streams beside its standby, which stops short, then the primary dies': {
    compound: true,
    stranger: true,
    strike: (world, { dice, lastsMs }) => {
      const primary = primaryOf(world);
      const standby = dice.pick(standbysOf(world));
      world.replication.receive(primary, clone(world, standby));
      world.clock.after(dice.between(...knownAfterMs), () => {
        world.network.cut(['log'], between(primary, standby));
        standby.paused = standby.state !== null;
        world.clock.after(dice.between(900, 1900), () => world.resume(standby));
        world.clock.after(dice.between(1200, 2600), () => loseHost(world, primary, 4000 + lastsMs));
      });
    },
  },
  /** Meanwhile there is time to call another standby eligible, which is a little behind in the end. */
  'of a clone and its standby the clone is left, then the primary dies': {
    compound: true,
    stranger: true,
    strike: (world, { dice, lastsMs }) => {
      const primary = primaryOf(world);
      const standbys = standbysOf(world);
      const standby = dice.pick(standbys);
      const deadMs = dice.between(3000, 4100);
      world.replication.receive(primary, clone(world, standby));
      world.clock.after(dice.between(1300, 1800), () => {
        world.network.cut(['log'], between(primary, standby));
        standby.paused = standby.state !== null;
        world.clock.after(dice.between(3000, 5000), () => world.resume(standby));
        world.clock.after(deadMs - 800, () => {
          for (const each of standbys) world.network.cut(['log'], between(primary, each));
        });
        world.clock.after(deadMs, () => loseHost(world, primary, 4000 + lastsMs));
      });
    },
  },
  'a clone streams in place of its standby, then the primary dies': {
    compound: true,
    stranger: true,
    strike: (world, { dice, lastsMs }) => {
      const primary = primaryOf(world);
      const standby = dice.pick(standbysOf(world));
      world.network.cut(['log'], between(primary, standby));
      world.replication.receive(primary, clone(world, standby));
      world.clock.after(dice.between(2600, 4200), () => loseHost(world, primary, 4000 + lastsMs));
    },
  },
  /** Only its address tells that the receiver is another one's; docs/promises.md says what is not seen. */
  'a clone streams in place of a standby that is not heard, then the primary dies': {
    compound: true,
    stranger: true,
    strike: (world, { dice, lastsMs }) => {
      const primary = primaryOf(world);
      const standby = dice.pick(standbysOf(world));
      const backMs = dice.between(2600, 5000);
      world.network.cut(['log'], between(primary, standby));
      if (dice.chance(0.3)) loseHost(world, standby, backMs);
      else standby.paused = standby.state !== null;
      world.clock.after(backMs, () => world.resume(standby));
      world.clock.after(dice.between(50, 1500), () =>
        world.replication.receive(primary, { name: standby.id, confirms: true }),
      );
      world.clock.after(dice.between(4200, 5600), () => loseHost(world, primary, 4000 + lastsMs));
    },
  },
  /** The receiver never confirms; a switch is made, or is given up, in its time. */
  'a receiver holds up the shutdown of a switch': {
    compound: true,
    strike: (world, { dice, lastsMs }) => {
      const primary = primaryOf(world);
      const stays = dice.pick(['until ended', 'for ever'] as const);
      world.replication.receive(primary, { name: 'cdc', confirms: false, stays });
      ask(world, primary, dice.chance(0.8) ? switchover : force);
      if (world.hosts.length > 2 || dice.chance(0.5)) return;
      // Meanwhile it is taken for dead, by the policy or by a person.
      const standby = dice.pick(standbysOf(world));
      const cable = between(primary, standby);
      const cutMs = dice.between(100, 2500);
      // One of the two hosts loses its cable, and with that the way to everything else.
      const cutOff = dice.pick([primary, standby]);
      world.clock.after(cutMs, () => {
        world.network.cut(['admin', 'log'], cable);
        world.network.cutUplink(cutOff);
      });
      world.clock.after(
        cutMs + dice.between(2000, 3500),
        () => primary.state?.giving && ask(world, standby, force),
      );
      world.clock.after(6000 + lastsMs, () => {
        world.network.mend(['admin', 'log'], cable);
        world.network.mendUplink(cutOff);
      });
    },
    cutsAdmin: true,
  },
  /** Its walsender has not noticed yet, and stands beside the new one. */
  'a receiver connects again': {
    noSwitch: true,
    strike: (world, { dice, lastsMs }) => {
      const { instance } = primaryOf(world);
      const { id } = dice.pick(standbysOf(world));
      const dead = { name: id, confirms: false };
      world.replication.receive(primaryOf(world), dead);
      world.clock.after(lastsMs, () => {
        instance.guests = instance.guests.filter((it) => it !== dead);
      });
    },
  },
};
