/** What persons do: switch, detach, failover off and on, stop and start of one server or of all, and a rebuild. */
import type { ControlRequest } from '../../src/controller/core/event.ts';
import { presentCore } from './core.ts';
import { type Kinds, primaryOf } from './fault.ts';
import type { Host } from './host.ts';
import type { World } from './world.ts';

export function ask(world: World, host: Host, request: ControlRequest): boolean {
  if (!host.up || host.frozen || !host.state) return false;
  world.asked += 1;
  if (host.core === presentCore)
    world.checkers.requests.asked(host, world.asked, request.kind, world.clock.now);
  world.happen(host, { kind: 'control', id: world.asked, request });
  return true;
}

export const switchover: ControlRequest = { kind: 'switch', force: false, noFencing: false };
export const slowly = (maxWaitMs: number): ControlRequest => ({
  kind: 'switch',
  force: false,
  noFencing: false,
  maxWaitMs,
});
export const force: ControlRequest = { kind: 'switch', force: true, noFencing: false };
export const detach: ControlRequest = { kind: 'detach', noFencing: false };

/** mc_ctl start, once the stop has come to its end: not before it, and not for a server that has stayed. */
function startLater(world: World, host: Host, afterMs: number, stopped: readonly Host[]): void {
  world.clock.after(afterMs, () => {
    if (stopped.some((it) => it.state?.stop)) startLater(world, host, 500, stopped);
    else if (host.up && !host.state) world.startController(host, 10);
  });
}

/** mc_ctl stop, and mc_ctl start after a while. */
export function stopAndStart(world: World, host: Host, afterMs: number): void {
  if (ask(world, host, { kind: 'stop', all: false, mcOnly: false, force: false }))
    startLater(world, host, afterMs, [host]);
}

/** mc_ctl stop -a, then mc_ctl start everywhere, in any order. */
function stopAll(world: World, host: Host, afterMs: number): void {
  if (!ask(world, host, { kind: 'stop', all: true, mcOnly: false, force: false })) return;
  for (const it of world.hosts) startLater(world, it, afterMs + world.random.between(0, 800), world.hosts);
}

/** A server becomes a new copy of the primary and is started as its standby. */
export function rebuild(world: World, host: Host, primary: Host): void {
  world.tell(`a person rebuilds ${host.id} as a standby of ${primary.id}`);
  const { instance } = host;
  // A fence may have switched it off after everything else was healed.
  if (!host.up) world.bootHost(host);
  world.killController(host);
  instance.wal = [...primary.instance.wal];
  instance.role = 'standby';
  instance.timeline = primary.instance.timeline;
  instance.history = primary.instance.history;
  instance.source = primary.id;
  instance.fileNames = world.namesFor(host);
  instance.brokenStarts = 0;
  // Whoever rebuilds a server that a fence has shut off switches it on first.
  if (host.up) world.startController(host, 10);
  else world.bootHost(host);
}

export const persons: Kinds = {
  switch: { strike: (world, { host }) => void ask(world, host, switchover) },
  'switch --force': { strike: (world, { host }) => void ask(world, host, force) },
  detach: { detaches: true, noSwitch: true, strike: (world, { host }) => void ask(world, host, detach) },
  'stop and start of one server': {
    noSwitch: true,
    waits: 'always',
    strike: (world, { host, lastsMs }) => stopAndStart(world, host, 1500 + lastsMs),
  },
  'controller alone stopped and started': {
    noSwitch: true,
    strike: (world, { host, lastsMs }) => {
      ask(world, host, { kind: 'stop', all: false, mcOnly: true, force: false });
      startLater(world, host, 1500 + lastsMs, [host]);
    },
  },
  'terminated by systemd': {
    noSwitch: true,
    waits: 'always',
    strike: (world, { host, lastsMs }) => {
      if (host.up && !host.frozen) world.happen(host, { kind: 'terminate' });
      startLater(world, host, 1500 + lastsMs, [host]);
    },
  },
  'stop -a and start': {
    noSwitch: true,
    waits: 'always',
    strike: (world, { host, lastsMs }) => stopAll(world, host, 2500 + lastsMs),
  },
  'failover off, the primary fails, failover on': {
    compound: true,
    noSwitch: true,
    strike: (world, { host, dice }) => {
      ask(world, host, { kind: 'set-failover', enabled: false });
      const primary = primaryOf(world);
      world.clock.after(dice.between(400, 1200), () => world.killInstance(primary));
    },
  },
};
