/**
 * A person makes a server primary that lacks what the former one has acknowledged, and later it looks as if nothing were missing: the server that had confirmed it
 * was made a new copy, and may have taken over since; or the former one counts on nobody any more. In: a trio that is in sync, or a pair. Out: when it is over.
 */
import type { Host } from './host.ts';
import { ask, force, rebuild } from './persons.ts';
import type { Random } from './random.ts';
import type { World } from './world.ts';

const plan = (world: World, steps: readonly (readonly [number, () => void])[]): void => {
  for (const [ms, run] of steps) world.clock.after(ms, run);
};

function down(world: World, hosts: readonly Host[]): void {
  for (const host of hosts) world.crashHost(host);
}

/** Its instance is started and made primary, whatever it lacks. */
function lead(world: World, host: Host, fromMs: number): readonly (readonly [number, () => void])[] {
  return [
    [fromMs, () => void ask(world, host, { kind: 'start', force: true })],
    [fromMs + 1200, () => void ask(world, host, force)],
  ];
}

/** The one that was away is forced; the one that had confirmed everything becomes its copy, and takes over from it. */
export function bySuccessor(world: World, dice: Random): number {
  const [first, one, other] = servers(world, dice);
  plan(world, [
    [100, () => world.crashHost(other)],
    [5500, () => down(world, [first, one])],
    [5600, () => world.bootHost(other)],
    ...lead(world, other, 7000),
    [10_500, () => world.bootHost(one)],
    [10_500, () => rebuild(world, one, other)],
    [19_000, () => world.crashHost(other)],
  ]);
  return 24_500;
}

/** One of two confirms everything, the other one is forced, and the first becomes its copy. */
export function byCopy(world: World, dice: Random): number {
  const [first, one, other] = servers(world, dice);
  plan(world, [
    [10, () => void Object.assign(other, { lagMs: 60_000 })],
    [1200, () => down(world, [first, one])],
    ...lead(world, other, 3500),
    [7500, () => world.bootHost(one)],
    [7500, () => rebuild(world, one, other)],
  ]);
  return 9500;
}

/** Of a pair: the standby was stopped, so that nobody may take over, nothing was written since, and then a person forces it. */
export function byStop(world: World): number {
  const [first, other] = world.hosts;
  if (!first || !other) throw new Error('it takes two servers');
  world.replication.quiet = true;
  plan(world, [
    [100, () => void ask(world, other, { kind: 'stop', all: false, mcOnly: false, force: false })],
    [4000, () => world.crashHost(first)],
    [4500, () => world.startController(other, 10)],
    ...lead(world, other, 6500),
  ]);
  return 9500;
}

function servers(world: World, dice: Random): readonly [Host, Host, Host] {
  const [first, ...rest] = world.hosts;
  const [one, other] = dice.chance(0.5) ? rest : rest.reverse();
  if (!first || !one || !other) throw new Error('it takes three servers');
  return [first, one, other];
}
