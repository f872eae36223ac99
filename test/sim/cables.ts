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

const both = ['admin', 'log'] as const;

function cutCable(world: World, fault: Fault): void {
  cutForAWhile(world, fault, both, between(fault.host, fault.other));
}

export const cables: Kinds = {
  cut: { cutsAdmin: true, waits: 'without-fallback', strike: cutCable },
  'short cut': { short: true, noSwitch: true, strike: cutCable },
  'one-way cut': {
    cutsAdmin: true,
    waits: 'without-fallback',
    strike: (world, fault) => cutForAWhile(world, fault, both, [`${fault.host.id}>${fault.other.id}`]),
  },
  'admin network cut': {
    cutsAdmin: true,
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
    strike: (world, { host, other, lastsMs }) => {
      for (let at = 0; at < lastsMs; at += 1000) {
        world.clock.after(at, () => world.network.cut(both, between(host, other)));
        world.clock.after(at + 500, () => world.network.mend(both, between(host, other)));
      }
    },
  },
  isolated: {
    cutsAdmin: true,
    waits: 'without-fallback',
    strike: (world, fault) => {
      const { host, lastsMs } = fault;
      world.network.noUplink.add(host.id);
      world.clock.after(lastsMs, () => world.network.noUplink.delete(host.id));
      const pairs = world.hosts.flatMap((it) => between(it, host));
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
