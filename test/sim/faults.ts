/** Faults of hosts, instances, controllers and disks; each for itself. */
import { type Fault, type Kinds, loseHost } from './fault.ts';
import type { Host, Shown } from './host.ts';
import type { Instance } from './instance.ts';
import { ask, stopAndStart } from './persons.ts';
import type { World } from './world.ts';

/** Longer than a scenario; it ends when everything is healed. */
const foreverMs = 600_000;

function freeze(world: World, { host, lastsMs }: Fault, shownBy: Shown = 'every clock'): void {
  if (!host.up || host.frozen) return;
  world.freeze(host, shownBy);
  world.clock.after(lastsMs, () => host.frozen && world.thaw(host));
}

function hang(world: World, { host, lastsMs }: Fault, what: Exclude<Instance['hung'], 'no'>): void {
  if (!host.up || !host.instance.running) return;
  host.instance.hung = what;
  const { startedAt } = host.instance;
  world.clock.after(lastsMs, () => {
    if (host.instance.startedAt === startedAt) host.instance.hung = 'no';
  });
}

export function failDisk(world: World, host: Host): void {
  host.instance.disk = 'failed';
  for (const part of ['data', 'transaction_log'] as const)
    world.happen(host, { kind: 'disk-check', part, ok: false, error: 'EIO' });
}

export function repairDisk(world: World, host: Host): void {
  if (host.instance.disk === 'ok') return;
  host.instance.disk = 'ok';
  for (const part of ['data', 'transaction_log'] as const)
    world.happen(host, { kind: 'disk-check', part, ok: true, error: '' });
}

function restartController(world: World, { host, dice }: Fault): void {
  if (!host.up) return;
  world.killController(host);
  world.startController(host, dice.between(300, 3000));
}

export const faults: Kinds = {
  'host crashes': {
    waits: 'without-fallback',
    strike: (world, { host, lastsMs }) => loseHost(world, host, lastsMs),
  },
  'host freezes': { waits: 'without-fallback', strike: (world, fault) => freeze(world, fault) },
  'host is suspended': {
    waits: 'without-fallback',
    strike: (world, fault) => freeze(world, fault, fault.dice.pick(['boot and wall', 'wall'] as const)),
  },
  'short freeze': { short: true, noSwitch: true, strike: (world, fault) => freeze(world, fault) },
  'clock jumps': {
    noSwitch: true,
    strike: (_, { host, dice }) => {
      host.wallOffset += dice.pick([-3_600_000, 3_600_000]);
    },
  },
  'instance killed': { strike: (world, { host }) => world.killInstance(host) },
  'instance killed, its start fails': {
    compound: true,
    strike: (world, { host, dice }) => {
      host.instance.brokenStarts = dice.between(1, 4);
      world.killInstance(host);
    },
  },
  'instance hangs': {
    waits: 'without-failover-action',
    strike: (world, fault) => hang(world, fault, 'instance'),
  },
  /** Load: it answers now and then, and always before its time is over. */
  'instance answers now and then': {
    noSwitch: 'unless-at-once',
    strike: (world, fault) => {
      // A look each second finds it in between.
      for (let at = 0; at < fault.lastsMs; at += 3000) {
        const lastsMs = fault.dice.between(1200, 1800);
        world.clock.after(at, () => hang(world, { ...fault, lastsMs }, 'instance'));
      }
    },
  },
  'instance hangs until somebody looks': {
    waits: 'without-failover-action',
    strike: (world, fault) => hang(world, { ...fault, lastsMs: foreverMs }, 'instance'),
  },
  /** Neither a query nor SIGKILL gets an answer; the receiver of the standby is what keeps it from acknowledging. */
  'disk stalls': {
    waits: 'without-failover-action',
    strike: (world, fault) => hang(world, fault, 'stalled'),
  },
  'disk stalls until somebody looks': {
    waits: 'without-failover-action',
    strike: (world, fault) => hang(world, { ...fault, lastsMs: foreverMs }, 'stalled'),
  },
  'postmaster hangs': {
    waits: 'without-failover-action',
    strike: (world, fault) => hang(world, fault, 'postmaster'),
  },
  'controller killed': { noSwitch: true, strike: restartController },
  'controller stands still': {
    noSwitch: true,
    strike: (world, { host, lastsMs }) => {
      if (!host.state) return;
      host.paused = true;
      world.clock.after(lastsMs, () => world.resume(host));
    },
  },
  'controller killed, its state file is torn': {
    noSwitch: true,
    strike: (world, fault) => {
      fault.host.torn = true;
      restartController(world, fault);
    },
  },
  'controller crashes between actions': {
    strike: (world, { host, dice }) => {
      host.crashAfter = dice.between(0, 12);
      // Something has to go on for actions to be done.
      if (dice.chance(0.5))
        ask(world, dice.pick(world.hosts), { kind: 'switch', force: false, noFencing: false });
      else world.killInstance(dice.pick(world.hosts));
    },
  },
  'disk fails': { strike: (world, { host }) => failDisk(world, host) },
  'disk is full': {
    // The server panics when it cannot write WAL; the check of the disk comes a little later.
    strike: (world, { host, dice }) => {
      host.instance.disk = 'failed';
      world.killInstance(host);
      world.later(host, dice.between(50, 1000), () => host.instance.disk === 'ok' || failDisk(world, host));
    },
  },
  'management directory is full': {
    compound: true,
    strike: (world, { host, dice, lastsMs }) => {
      host.full = true;
      world.clock.after(lastsMs, () => {
        host.full = false;
      });
      const victim = dice.pick(world.hosts);
      if (dice.chance(0.5)) stopAndStart(world, victim, 1500);
      else loseHost(world, victim, dice.between(500, 4000));
    },
  },
};
