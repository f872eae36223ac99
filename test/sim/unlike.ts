/**
 * How a server can be unlike the others of its world: other times, as while `heartbeat:` is being changed, a clock that runs at
 * another rate, the controller of the last release. In: dice. Out: plain data, and what goes wrong because of other times.
 */
import type { ServerConf } from '../../src/controller/config.ts';
import { type Fault, type Kinds, loseHost, primaryOf, standbysOf } from './fault.ts';
import type { Host } from './host.ts';
import type { Random } from './random.ts';
import { type TimesWord, timesOf } from './times.ts';
import type { World } from './world.ts';

export interface Unlike {
  readonly times?: TimesWord;
  /** So many of its milliseconds go by in one of the world. */
  readonly rate?: number;
  /** It has the controller of the last release, with this policy: that knows neither a register nor duties. */
  readonly released?: 'fallback' | 'message' | 'command';
}

/** What its file says differently. */
export const confOf = ({ times = 'usual', released }: Unlike): Partial<ServerConf> => ({
  ...timesOf[times],
  ...(released ? { heartbeatErrorAction: released } : {}),
});

/** One server has other times than the rest, or each has those that chance gives it. */
export function withTimes(random: Random, servers: number): Unlike[] {
  const words = ['patient', 'patient', 'brisk', 'usual'] as const;
  const odd = random.between(0, servers - 1);
  const one = random.pick(['patient', 'brisk'] as const);
  const all = random.chance(0.3);
  return Array.from({ length: servers }, (_, at) => ({
    times: all ? random.pick(words) : at === odd ? one : 'usual',
  }));
}

export const withClocks = (random: Random, servers: number): Unlike[] =>
  Array.from({ length: servers }, () => ({ rate: random.pick([0.99, 1, 1.01]) }));

/** Somebody writes the file of a server anew, and its controller reads it. */
function change(world: World, host: Host, times: TimesWord): void {
  if (!host.up) return;
  world.tell(`the times of ${host.id} are ${times}`);
  world.setUnlike(host, { ...host.unlike, times });
}

const others = (times: TimesWord = 'usual'): readonly TimesWord[] =>
  (['usual', 'patient', 'brisk'] as const).filter((it) => it !== times);

/** As it is brought to all: one server after the other, in the order of the inventory or the other way. */
function changeAll(world: World, { dice }: Fault): void {
  const times = dice.pick(['usual', 'patient'] as const);
  const hosts = dice.chance(0.5) ? world.hosts : [...world.hosts].reverse();
  hosts.forEach((host, at) => {
    world.clock.after(at * dice.between(100, 2500), () => change(world, host, times));
  });
}

/** Struck only where servers have other times. */
export const timesKinds: Kinds = {
  'the times of a server change': {
    noSwitch: true,
    strike: (world, { host, dice }) => change(world, host, dice.pick(others(host.unlike.times))),
  },
  'the times of all change, and the primary dies': {
    compound: true,
    strike: (world, fault) => {
      changeAll(world, fault);
      const primary = primaryOf(world);
      world.clock.after(fault.dice.between(10, 5000), () => loseHost(world, primary, 6000 + fault.lastsMs));
    },
  },
  'the times of all change, and a host stands still': {
    compound: true,
    strike: (world, fault) => {
      changeAll(world, fault);
      world.clock.after(fault.dice.between(10, 4000), () => {
        const { host, dice } = fault;
        world.freeze(host, dice.pick(['every clock', 'boot and wall', 'wall'] as const));
        world.clock.after(dice.between(500, 6000), () => host.frozen && world.thaw(host));
      });
    },
  },
  /** The standby counts on the time that its primary told before the pause. */
  'the primary waits less long while a standby stands still, and dies': {
    compound: true,
    untilMs: 14_000,
    strike: (world, { dice }) => {
      const primary = primaryOf(world);
      const standby = dice.pick(standbysOf(world));
      for (const it of [primary, standby]) change(world, it, 'patient');
      world.clock.after(1500, () => {
        world.clock.after(dice.between(10, 800), () => change(world, primary, 'usual'));
        standStill(world, standby, primary, dice);
      });
    },
  },
  /** It waits longer than the other one, which has gone on alone meanwhile. */
  'a standby that waits long stands still, and the primary dies': {
    compound: true,
    untilMs: 12_000,
    strike: (world, { dice }) => {
      const primary = primaryOf(world);
      const standby = dice.pick(standbysOf(world));
      change(world, primary, 'usual');
      change(world, standby, 'patient');
      world.clock.after(1500, () => standStill(world, standby, primary, dice));
    },
  },
};

/** For longer than the primary waits, and less long than the standby does; what the primary has told meanwhile is lost with its connections. */
function standStill(world: World, standby: Host, primary: Host, dice: Random): void {
  world.freeze(standby, dice.pick(['every clock', 'boot and wall', 'wall'] as const));
  const lastsMs = dice.between(3000, 3600);
  world.clock.after(lastsMs, () => standby.frozen && world.thaw(standby));
  world.clock.after(lastsMs - dice.between(500, 1200), () => loseHost(world, primary, 20_000));
}
