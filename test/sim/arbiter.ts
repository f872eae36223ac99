/**
 * A third host with a cell, and what goes wrong with it. Its judgement is the real one; its disk, its clock and its cables are a
 * model. The last write survives its crash, as on a real one, or the disk is an older one, or a new one.
 */
import { type ArbiterState, arbiterHears, startArbiter } from '../../src/controller/core/arbiter.ts';
import type { Cell, ServerView } from '../../src/controller/core/view.ts';
import { between, type Fault, type Kinds, loseHost, primaryOf, standbysOf } from './fault.ts';
import type { Host } from './host.ts';
import { ask, detach, force, stopAndStart, switchover } from './persons.ts';
import { Random } from './random.ts';
import type { World } from './world.ts';

export const arbiterLine = { id: 'arbiter', host: 'arbiter', port: 1 };
const patienceMs = 1200;

export class SimArbiter {
  readonly id = arbiterLine.id;
  readonly #world: World;
  #state: ArbiterState | null = null;
  /** What its disk holds, and what it held before each write. */
  #file: Cell | null = null;
  readonly #older: (Cell | null)[] = [];
  /** To whom each term was given in truth, also where the disk does not know it any more. */
  readonly #given = new Map<string, string>();
  #incarnation = 0;
  #frozen = false;
  #inbox: (() => void)[] = [];

  constructor(world: World) {
    this.#world = world;
  }

  get up(): boolean {
    return this.#state !== null;
  }

  start(): void {
    if (this.#state) return;
    this.#incarnation += 1;
    const { now } = this.#world.clock;
    const incarnation = `arbiter-${this.#incarnation}`;
    this.#state = startArbiter({
      id: this.id,
      version: '0',
      incarnation,
      cell: this.#file,
      at: now,
      patienceMs,
    });
    this.#write(this.#state.cell);
    this.#world.tell('the arbiter starts');
  }

  #write(cell: Cell): void {
    if (cell === this.#file) return;
    this.#older.push(this.#file);
    this.#file = cell;
  }

  stop(): void {
    if (this.#state) this.#world.tell('the arbiter is gone');
    this.#state = null;
    this.#frozen = false;
    this.#inbox = [];
  }

  /** Its disk is a new one, or as it was some writes ago. */
  loseMemory(writesAgo: number | null): void {
    this.stop();
    this.#file = writesAgo === null ? null : (this.#older.at(-writesAgo) ?? null);
    this.#world.tell(`the disk of the arbiter is ${writesAgo === null ? 'empty' : 'an older one'}`);
  }

  freeze(): void {
    this.#world.tell('the arbiter freezes');
    this.#frozen = true;
  }

  thaw(): void {
    this.#frozen = false;
    const waiting = this.#inbox;
    this.#inbox = [];
    for (const run of waiting) run();
  }

  /** A memory that was put back and hears nobody who knows better gives a term away twice: that is stated. */
  #note({ id, term, holder }: Cell): void {
    const key = `${term} of ${id}`;
    const known = this.#given.get(key);
    if (holder === null) this.#given.delete(key);
    else this.#given.set(key, holder);
    if (known === undefined || holder === null || known === holder) return;
    this.#world.tell(
      'the arbiter gives a term away that it does not know to be gone: nothing is promised any more',
    );
    this.#world.checkers.splitAllowed = true;
  }

  /** A heartbeat of a server has arrived. */
  hear(from: Host, view: ServerView, answer: (to: Host, state: ArbiterState) => void): void {
    if (this.#frozen) {
      this.#inbox.push(() => this.hear(from, view, answer));
      return;
    }
    if (!this.#state) return;
    const before = this.#state.cell;
    this.#state = arbiterHears(this.#state, view, this.#world.clock.now);
    const { cell } = this.#state;
    this.#write(cell);
    this.#note(cell);
    if (cell !== before)
      this.#world.tell(`the arbiter: term ${cell.term} is ${cell.holder ?? 'given back'}, ${cell.id}`);
    answer(from, this.#state);
  }
}

const cutFrom = (world: World, hosts: readonly Host[], lastsMs: number): void => {
  const pairs = hosts.flatMap((it) => [`${it.id}>arbiter`, `arbiter>${it.id}`]);
  world.network.cut(['admin'], pairs);
  world.clock.after(lastsMs, () => world.network.mend(['admin'], pairs));
};

const restart = (world: World, { lastsMs }: Fault): void => {
  world.arbiter?.stop();
  world.clock.after(lastsMs, () => world.arbiter?.start());
};

/** Kinds for worlds with an arbiter: alone, nothing may happen; with another fault nothing may be lost. */
export const arbiterKinds: Kinds = {
  'arbiter crashes': { noSwitch: true, strike: restart },
  'arbiter freezes': {
    noSwitch: true,
    strike: (world, { lastsMs }) => {
      world.arbiter?.freeze();
      world.clock.after(lastsMs, () => world.arbiter?.thaw());
    },
  },
  'arbiter with an empty disk': {
    noSwitch: true,
    strike: (world, fault) => {
      world.arbiter?.loseMemory(null);
      world.clock.after(fault.lastsMs, () => world.arbiter?.start());
    },
  },
  'arbiter cut from one': {
    noSwitch: true,
    strike: (world, { host, lastsMs }) => cutFrom(world, [host], lastsMs),
  },
  'arbiter cut from all': {
    noSwitch: true,
    strike: (world, { lastsMs }) => cutFrom(world, world.hosts, lastsMs),
  },
  'arbiter hears one, and is not heard': {
    noSwitch: true,
    strike: (world, { host, lastsMs }) => {
      world.network.cut(['admin'], [`arbiter>${host.id}`]);
      world.clock.after(lastsMs, () => world.network.mend(['admin'], [`arbiter>${host.id}`]));
    },
  },
  'cut, and the arbiter restarts': {
    compound: true,
    strike: (world, fault) => {
      const pairs = between(fault.host, fault.other);
      world.network.cut(['admin', 'log'], pairs);
      world.clock.after(fault.dice.between(1500, 4000), () =>
        restart(world, { ...fault, lastsMs: fault.dice.between(50, 2500) }),
      );
      world.clock.after(2500 + fault.lastsMs, () => world.network.mend(['admin', 'log'], pairs));
    },
  },
  'cut, and the arbiter hears only one after the other': {
    compound: true,
    strike: (world, { dice, lastsMs }) => {
      const primary = primaryOf(world);
      const standby = dice.pick(standbysOf(world));
      const pairs = between(primary, standby);
      world.network.cut(['admin', 'log'], pairs);
      const [first, second] = dice.chance(0.5) ? [primary, standby] : [standby, primary];
      cutFrom(world, [first], dice.between(1500, 4500));
      world.clock.after(dice.between(1500, 4500), () => cutFrom(world, [second], dice.between(500, 4000)));
      world.clock.after(2500 + lastsMs, () => world.network.mend(['admin', 'log'], pairs));
    },
  },
  'arbiter away, then the primary dies': {
    compound: true,
    strike: (world, { dice, lastsMs }) => {
      const primary = primaryOf(world);
      world.arbiter?.stop();
      const deathMs = dice.between(100, 3000);
      world.clock.after(deathMs, () => loseHost(world, primary, 2000 + lastsMs));
      world.clock.after(deathMs + dice.between(500, 5000), () => world.arbiter?.start());
    },
  },
  'primary dies, and then the new one, while the arbiter loses its disk': {
    compound: true,
    strike: (world, { dice, lastsMs }) => {
      const primary = primaryOf(world);
      loseHost(world, primary, 3000 + lastsMs);
      world.clock.after(dice.between(2000, 5000), () => {
        world.arbiter?.loseMemory(dice.chance(0.5) ? null : dice.between(1, 3));
        world.arbiter?.start();
      });
      world.clock.after(dice.between(4000, 7000), () => {
        const newer = primaryOf(world);
        if (newer !== primary) loseHost(world, newer, lastsMs);
      });
    },
  },
  /** Partitions of every shape, in one direction or both, of every pair. */
  'every link flaps by itself': {
    compound: true,
    strike: (world, { dice }) => {
      const places = [...world.hosts.map((it) => it.id), 'arbiter'];
      const links = places.flatMap((one) =>
        places.filter((other) => other !== one).map((other) => `${one}>${other}`),
      );
      for (const link of links) {
        for (let at = dice.between(0, 1500); at < 9000; at += dice.between(300, 3000)) {
          const isCut = dice.chance(0.5);
          world.clock.after(at, () =>
            isCut
              ? world.network.cut(['admin', 'log'], [link])
              : world.network.mend(['admin', 'log'], [link]),
          );
        }
      }
    },
    untilMs: 9500,
  },
  /** At any moment of it, or just when the receiver of the role has begun to take it. */
  'a cut in the middle of a switch': {
    compound: true,
    untilMs: 9000,
    strike: (world, { dice, lastsMs }) => {
      const primary = primaryOf(world);
      const pairs = standbysOf(world).flatMap((it) => between(primary, it));
      ask(world, primary, switchover);
      const cut = (): void => {
        world.network.cut(['admin', 'log'], pairs);
        if (dice.chance(0.3)) cutFrom(world, [dice.pick(world.hosts)], dice.between(300, 3000));
        world.clock.after(2500 + lastsMs, () => world.network.mend(['admin', 'log'], pairs));
      };
      const late = dice.between(0, 40);
      const watch = (leftMs: number): void => {
        if (world.hosts.some((it) => it.state?.takeover)) world.clock.after(late, cut);
        else if (leftMs > 0) world.clock.after(1, () => watch(leftMs - 1));
      };
      if (dice.chance(0.5)) watch(3000);
      else world.clock.after(dice.between(10, 1800), cut);
    },
  },
  /** For a moment the standby hears that it may not take over, while the register has its question. */
  'the register is away and the cable cut, then the primary is stopped': {
    compound: true,
    untilMs: 12_000,
    strike: (world, { dice, lastsMs }) => {
      const primary = primaryOf(world);
      const pairs = standbysOf(world).flatMap((it) => between(primary, it));
      world.arbiter?.stop();
      world.network.cut(['admin', 'log'], pairs);
      const stopMs = dice.between(3000, 4500);
      world.clock.after(stopMs, () => stopAndStart(world, primary, dice.between(1500, 3000)));
      world.clock.after(stopMs + dice.between(-100, 400), () => world.network.mend(['admin', 'log'], pairs));
      world.clock.after(stopMs + dice.between(300, 2500), () => {
        world.network.cut(['admin', 'log'], pairs);
        world.arbiter?.start();
      });
      world.clock.after(stopMs + 4000 + lastsMs, () => world.network.mend(['admin', 'log'], pairs));
      // It may lose its record while it is cut off, before it is stopped or since. Dice of its own, so that all else stays.
      const own = new Random(lastsMs);
      if (own.chance(0.3))
        world.clock.after(own.between(100, stopMs + 1000), () => {
          primary.torn = true;
          world.killController(primary);
          world.startController(primary, own.between(100, 1000));
        });
    },
  },
  /** A yes arrives when it was given back already, and the term is another one's. */
  'the arbiter answers late, and the cable flaps': {
    compound: true,
    untilMs: 14_000,
    strike: (world, { dice }) => {
      const pairs = standbysOf(world).flatMap((it) => between(primaryOf(world), it));
      for (let at = 0; at < 12_000; ) {
        world.clock.after(at, () => {
          world.network.cut(['admin', 'log'], pairs);
          world.network.lateMs = dice.between(0, 3000);
        });
        at += dice.between(2100, 4500);
        world.clock.after(at, () => world.network.mend(['admin', 'log'], pairs));
        at += dice.between(50, 700);
      }
    },
  },
  /** A question that was asked in vain, and taken back, must not stand in the way of the next switch. */
  'the standby is silent while the arbiter is away, and later the role is handed over': {
    untilMs: 9000,
    strike: (world, { dice }) => {
      const pairs = standbysOf(world).flatMap((it) => between(primaryOf(world), it));
      world.arbiter?.stop();
      world.network.cut(['admin', 'log'], pairs);
      const healMs = dice.between(2800, 4000);
      world.clock.after(healMs, () => world.network.mend(['admin', 'log'], pairs));
      world.clock.after(healMs + 200, () => dice.chance(0.5) && world.arbiter?.start());
      world.clock.after(healMs + dice.between(2500, 4500), () => {
        if (dice.chance(0.5)) ask(world, primaryOf(world), switchover);
        else world.killInstance(primaryOf(world));
      });
    },
  },
  'a forced switch to a standby that is out, and a cut in the middle of it': {
    compound: true,
    untilMs: 12_000,
    strike: (world, { dice, lastsMs }) => {
      const primary = primaryOf(world);
      ask(world, primary, detach);
      world.clock.after(dice.between(500, 1500), () => {
        ask(world, primary, force);
        world.clock.after(dice.between(100, 900), () => {
          const pairs = standbysOf(world).flatMap((it) => between(primary, it));
          world.network.cut(['admin', 'log'], pairs);
          world.clock.after(4000 + lastsMs, () => world.network.mend(['admin', 'log'], pairs));
        });
      });
    },
  },
};
