/**
 * Faults that come one after the other in the order that a rule of the core was made for, and faults in the middle of
 * an action. Safety is judged; how long it takes is not.
 */
import { between, type Fault, type Kinds, loseHost, primaryOf, standbysOf } from './fault.ts';
import { ask, detach, force, slowly, stopAndStart, switchover } from './persons.ts';
import { Random } from './random.ts';
import type { World } from './world.ts';

/** Makes the controllers do something: a switch, a standby that goes and comes back, a standby that receives nothing. */
function provoke(world: World, { dice }: Fault): void {
  const primary = primaryOf(world);
  const standby = dice.pick(standbysOf(world));
  switch (dice.pick(['switch', 'restart', 'log network'] as const)) {
    case 'switch':
      ask(world, primary, switchover);
      return;
    case 'restart':
      stopAndStart(world, standby, dice.between(400, 1200));
      return;
    case 'log network':
      world.network.cut(['log'], between(primary, standby));
      world.clock.after(dice.between(2500, 5000), () =>
        world.network.mend(['log'], between(primary, standby)),
      );
      return;
  }
}

function doomEverybody(world: World, { dice, lastsMs }: Fault, what: 'host' | 'instance'): void {
  const action = dice.pick([
    'set-names',
    'set-names',
    'promote',
    'cut-receiver',
    'stop-instance',
    'follow',
    'start-instance',
    'checkpoint',
  ] as const);
  const doom = { action, what, times: dice.between(1, 2), afterMs: dice.between(0, 250), backMs: lastsMs };
  for (const it of world.hosts) it.doom = { ...doom };
}

const powerFails = {
  compound: true,
  strike: (world: World, fault: Fault) => {
    doomEverybody(world, fault, 'host');
    provoke(world, fault);
  },
} as const;

export const schedules: Kinds = {
  'power fails during an action': powerFails,
  'power fails during another action': powerFails,
  'instance killed during an action': {
    compound: true,
    strike: (world, fault) => {
      doomEverybody(world, fault, 'instance');
      provoke(world, fault);
    },
  },
  'power fails on one after the other': {
    compound: true,
    strike: (world, { host, other, dice }) => {
      const [first, second] = dice.chance(0.5) ? [host, other] : [other, host];
      if (first.up) world.crashHost(first);
      world.clock.after(dice.between(2500, 4000), () => {
        if (second.up) world.crashHost(second);
        world.clock.after(dice.between(10, 300), () => first.up || world.bootHost(first));
      });
    },
  },
  'one-way cut, then the power fails': {
    compound: true,
    cutsAdmin: true,
    strike: (world, { dice }) => {
      const primary = primaryOf(world);
      world.network.cut(['admin', 'log'], [`${primary.id}>${standbysOf(world)[0]?.id}`]);
      world.network.cutUplink(primary);
      world.clock.after(dice.between(2300, 3300), () => primary.up && world.crashHost(primary));
    },
  },
  /** The primary goes on alone while nobody can tell the standby; then the standby's controller finds it dead. */
  'standby out while its controller is away, then the primary dies': {
    compound: true,
    strike: (world, { dice, lastsMs }) => {
      const primary = primaryOf(world);
      const standby = dice.pick(standbysOf(world));
      world.killController(standby);
      world.network.cut(['log'], between(primary, standby));
      const deathMs = dice.between(3000, 5500);
      world.clock.after(deathMs, () => loseHost(world, primary, 4000 + lastsMs));
      world.clock.after(
        deathMs + dice.between(-200, 500),
        () => standby.up && world.startController(standby, 10),
      );
    },
  },
  /**
   * The primary goes on alone while the standby stands still, and is dead when that goes on. A wall clock that is set back in that moment
   * hides what it alone would show; dice of its own, so that all else stays.
   */
  'standby stands still, then the primary dies': {
    compound: true,
    strike: (world, { dice, lastsMs }) => {
      const primary = primaryOf(world);
      const standby = dice.pick(standbysOf(world));
      const shownBy = dice.pick(['every clock', 'boot and wall', 'wall'] as const);
      world.freeze(standby, shownBy);
      if (shownBy === 'wall' && new Random(lastsMs).chance(0.6)) standby.wallOffset -= 3_600_000;
      const deathMs = dice.between(3500, 5500);
      world.clock.after(deathMs, () => loseHost(world, primary, 4000 + lastsMs));
      world.clock.after(deathMs + dice.between(-100, 500), () => standby.frozen && world.thaw(standby));
    },
  },
  /** What was acknowledged while the standby was out is still on its way to it when the primary dies. */
  'standby comes back slowly, then the primary dies': {
    compound: true,
    strike: (world, { dice, lastsMs }) => {
      const primary = primaryOf(world);
      const standby = dice.pick(standbysOf(world));
      standby.lagMs = dice.chance(0.5) ? dice.between(100, 500) : dice.between(800, 3000);
      stopAndStart(world, standby, dice.between(500, 1500));
      const deathMs = dice.between(1500, 6000);
      world.clock.after(deathMs, () => loseHost(world, primary, 4000 + lastsMs));
    },
  },
  /** Who is told that it may take over must stand in the file of the primary, or that would not ask for it later. */
  'full while a standby is attached, then the power fails on one after the other': {
    compound: true,
    untilMs: 18_500,
    strike: (world, { dice, lastsMs }) => {
      const primary = primaryOf(world);
      const standby = dice.pick(standbysOf(world));
      stopAndStart(world, standby, dice.between(2600, 3200));
      world.clock.after(dice.between(2000, 2500), () => {
        primary.full = true;
      });
      const deathMs = dice.between(6500, 8000);
      world.clock.after(deathMs, () => {
        if (dice.chance(0.7)) primary.full = false;
        if (primary.up) world.crashHost(primary);
      });
      const secondMs = deathMs + dice.between(3000, 5000);
      world.clock.after(secondMs, () => {
        if (standby.up) world.crashHost(standby);
        world.clock.after(dice.between(10, 300), () => primary.up || world.bootHost(primary));
        world.clock.after(4000 + lastsMs, () => standby.up || world.bootHost(standby));
      });
    },
  },
  /** A promotion that was asked for comes when everything is replayed, however long that takes, and whatever is told of it. */
  'standby replays slowly, and is to become primary': {
    compound: true,
    detaches: true,
    strike: (world, { dice, lastsMs }) => {
      const primary = primaryOf(world);
      const standby = dice.pick(standbysOf(world));
      for (const { instance } of standbysOf(world)) {
        instance.replayed = instance.wal.length;
        instance.replaysUntil = world.clock.now + dice.between(1500, 6000);
      }
      const what = dice.pick(['switch', 'instance', 'host', 'freeze'] as const);
      world.clock.after(dice.between(100, 1200), () => {
        if (what === 'switch') ask(world, primary, slowly(dice.between(500, 6000)));
        else if (what === 'instance') world.killInstance(primary);
        else if (what === 'host') loseHost(world, primary, 1000 + lastsMs);
        else {
          world.freeze(primary, 'every clock');
          world.clock.after(2500 + lastsMs, () => primary.frozen && world.thaw(primary));
        }
      });
      const then = dice.pick(['nothing', 'abort', 'controller', 'host', 'detach'] as const);
      world.clock.after(dice.between(1500, 5000), () => {
        if (then === 'abort') ask(world, dice.pick(world.hosts), { kind: 'abort-switch' });
        else if (then === 'detach') ask(world, primary, detach);
        else if (then === 'host') loseHost(world, standby, 500 + lastsMs);
        else if (then === 'controller' && standby.up) {
          world.killController(standby);
          world.startController(standby, dice.between(200, 2500));
        }
      });
    },
  },
  /** It streams and is heard, and yet must not take over. */
  'standby detached and slow, then the primary dies': {
    detaches: true,
    compound: true,
    strike: (world, { dice, lastsMs }) => {
      const primary = primaryOf(world);
      for (const it of standbysOf(world)) it.lagMs = dice.between(200, 1500);
      ask(world, primary, detach);
      world.clock.after(dice.between(1000, 3000), () => loseHost(world, primary, 4000 + lastsMs));
    },
  },
  /** The old primary comes back when the instance of the new one is down, although its controller is there. */
  'primary dies, then the instance of the new one, then the old one returns': {
    compound: true,
    strike: (world, { dice }) => {
      const primary = primaryOf(world);
      const backMs = dice.between(4000, 5000);
      loseHost(world, primary, backMs);
      world.clock.after(backMs - dice.between(0, 400), () => {
        const newer = primaryOf(world);
        if (newer === primary || newer.instance.role !== 'primary') return;
        newer.instance.brokenStarts = 3;
        world.killInstance(newer);
      });
    },
  },
  /** A shutdown that does not get as far as its checkpoint proves nothing. */
  'primary killed while it is stopped for a switch': {
    detaches: true,
    compound: true,
    strike: (world, { dice }) => {
      const primary = primaryOf(world);
      const late = dice.pick(standbysOf(world));
      late.lagMs = dice.pick([0, 500, 1500]);
      if (dice.chance(0.5)) ask(world, primary, detach);
      primary.doom = {
        action: 'stop-instance',
        what: 'instance',
        times: 1,
        afterMs: dice.between(1, 1500),
        backMs: 0,
      };
      primary.stopsMs = 1500;
      world.clock.after(dice.between(300, 1500), () =>
        ask(world, primary, dice.chance(0.6) ? force : switchover),
      );
    },
  },
  /** Nobody can take over, so the primary has to come back by itself. */
  'instance of a primary killed that is alone': {
    detaches: true,
    untilMs: 2000,
    strike: (world, { dice }) => {
      const primary = primaryOf(world);
      ask(world, primary, detach);
      primary.instance.brokenStarts = dice.pick([0, 0, 1]);
      world.clock.after(dice.between(500, 2000), () => world.killInstance(primary));
    },
  },
  'candidate fails during a switch': {
    compound: true,
    strike: (world, { dice }) => {
      const primary = primaryOf(world);
      ask(world, primary, switchover);
      const standby = dice.pick(standbysOf(world));
      world.clock.after(dice.between(10, 2500), () =>
        dice.chance(0.7) ? world.killInstance(standby) : loseHost(world, standby, 3000),
      );
    },
  },
  'primary dies, a person forces the switch': {
    compound: true,
    strike: (world, { dice, lastsMs }) => {
      const standby = dice.pick(standbysOf(world));
      loseHost(world, primaryOf(world), lastsMs);
      world.clock.after(dice.between(200, 3000), () => ask(world, standby, force));
    },
  },
  /** Without its file the primary has forgotten how often it has promised something. */
  'state file of the primary torn, the standby goes, the primary dies': {
    detaches: true,
    compound: true,
    strike: (world, { dice, lastsMs }) => {
      const primary = primaryOf(world);
      const standby = dice.pick(standbysOf(world));
      primary.torn = true;
      world.killController(primary);
      world.startController(primary, dice.between(100, 600));
      const goesMs = dice.between(1500, 2500);
      world.clock.after(goesMs, () => {
        if (dice.chance(0.5)) world.network.cut(['log'], between(primary, standby));
        else ask(world, primary, detach);
      });
      world.clock.after(goesMs + dice.between(600, 3500), () => loseHost(world, primary, 4000 + lastsMs));
    },
  },
};
