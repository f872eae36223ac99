/** Faults of the networks: cut, one way, one of the two, flapping, isolated, slow. */
import { between, type Fault, type Kinds } from './fault.ts';
import type { NetworkName } from './network.ts';
import type { World } from './world.ts';

function cutForAWhile(
  world: World,
  { lastsMs }: Fault,
  networks: readonly NetworkName[],
  pairs: readonly string[],
): void {
  world.network.cut(networks, pairs);
  world.clock.after(lastsMs, () => world.network.mend(networks, pairs));
}

/** The cable of the host is the way to the reference address, too; where there is none this changes nothing. */
function withUplink(world: World, { host, lastsMs }: Fault): void {
  world.network.cutUplink(host);
  world.clock.after(lastsMs, () => world.network.mendUplink(host));
}

const both = ['admin', 'log'] as const;

function cutCable(world: World, fault: Fault): void {
  cutForAWhile(world, fault, both, between(fault.host, fault.other));
  withUplink(world, fault);
}

export const cables: Kinds = {
  cut: { cutsAdmin: true, waits: 'without-fallback', strike: cutCable },
  'short cut': { short: true, noSwitch: true, strike: cutCable },
  'one-way cut': {
    cutsAdmin: true,
    waits: 'without-fallback',
    strike: (world, fault) => {
      cutForAWhile(world, fault, both, [`${fault.host.id}>${fault.other.id}`]);
      withUplink(world, fault);
    },
  },
  'admin network cut': {
    cutsAdmin: true,
    bothReach: true,
    noSwitch: true,
    strike: (world, fault) => cutForAWhile(world, fault, ['admin'], between(fault.host, fault.other)),
  },
  'log network cut': {
    noSwitch: true,
    strike: (world, fault) => cutForAWhile(world, fault, ['log'], between(fault.host, fault.other)),
  },
  'flapping cable': {
    cutsAdmin: true,
    waits: 'without-fallback',
    strike: (world, fault) => {
      for (let at = 0; at < fault.lastsMs; at += 1000) {
        world.clock.after(at, () => cutCable(world, { ...fault, lastsMs: 500 }));
      }
    },
  },
  isolated: {
    cutsAdmin: true,
    waits: 'without-fallback',
    strike: (world, fault) => {
      const pairs = world.hosts.flatMap((it) => between(it, fault.host));
      withUplink(world, fault);
      cutForAWhile(world, fault, both, pairs);
    },
  },
  'slow network': {
    noSwitch: true,
    strike: (world, { dice, lastsMs }) => {
      world.network.slowMs = dice.between(50, 300);
      world.clock.after(lastsMs, () => {
        world.network.slowMs = 0;
      });
    },
  },
  'slow standby': {
    noSwitch: true,
    strike: (world, { host, dice, lastsMs }) => {
      host.lagMs = dice.between(200, 1500);
      world.clock.after(lastsMs, () => {
        host.lagMs = 0;
      });
    },
  },
};
