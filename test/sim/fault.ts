/**
 * What can go wrong, as a table: how it strikes, and what may be expected of the controllers then. The kinds stand in
 * faults.ts (hosts, instances, controllers, disks), cables.ts, persons.ts, schedules.ts and returns.ts.
 */
import type { Host } from './host.ts';
import type { Random } from './random.ts';
import type { World } from './world.ts';

export interface Fault {
  readonly kind: string;
  readonly host: Host;
  readonly other: Host;
  readonly at: number;
  readonly lastsMs: number;
  readonly dice: Random;
}

export interface Kind {
  readonly strike: (world: World, fault: Fault) => void;
  /** It loses the heartbeat between servers that live: with fallback a split is stated. */
  readonly cutsAdmin?: true;
  /** It loses only the heartbeat: both sides reach a reference address, which then tells neither that it is cut off. */
  readonly bothReach?: true;
  /** A person detaches a standby: if that is silent just then, the person has said that it is dead. */
  readonly detaches?: true;
  /** Somebody else confirms commits: in the moment in which that begins the primary must not fail as well. */
  readonly stranger?: true;
  /** Shorter than the time to give up. */
  readonly short?: true;
  /** L3: no reason for a switch, or only where an instance is given up at once (db_instance_timeout_action = failover). */
  readonly noSwitch?: true | 'unless-at-once';
  /** Writes may wait until it is over: always, or unless the policy lets a server decide for itself. */
  readonly waits?: 'always' | 'without-fallback' | 'without-failover-action';
  /** It strikes for the last time so long after it begins, although each of its faults is short. */
  readonly untilMs?: number;
  /** More than one fault, or a person's doing: safety holds, times and the number of switches are not judged. */
  readonly compound?: true;
}

export type Kinds = Readonly<Record<string, Kind>>;

/** Both directions of the cable between two hosts. */
export const between = (one: Host, other: Host): string[] => [
  `${one.id}>${other.id}`,
  `${other.id}>${one.id}`,
];

/** The server that is primary now, else the first one. */
export const primaryOf = (world: World): Host =>
  world.hosts.find((it) => it.up && it.instance.running && it.instance.role === 'primary') ??
  world.host('server1');

export const standbysOf = (world: World): Host[] => world.hosts.filter((it) => it !== primaryOf(world));

/** The power fails now and is back after so long. */
export function loseHost(world: World, host: Host, backMs: number): void {
  if (!host.up) return;
  world.crashHost(host);
  world.clock.after(backMs, () => host.up || world.bootHost(host));
}
