/**
 * A standby is in maintenance, and what goes wrong meanwhile: the primary dies, the host sleeps through the begin or the end, somebody forces a
 * takeover. In: dice. Out: kinds of faults, and what must never happen because of them (M).
 */
import type { Decision } from '../../src/controller/core/decide.ts';
import type { ControlRequest } from '../../src/controller/core/event.ts';
import { type Fault, type Kinds, loseHost, primaryOf, standbysOf } from './fault.ts';
import type { Host } from './host.ts';
import { ask, force, switchover } from './persons.ts';
import type { World } from './world.ts';

const begin = (server: string): ControlRequest => ({
  kind: 'maintenance-begin',
  server,
  who: 'a person',
  reason: '',
  untilWall: null,
  replace: false,
  alone: true,
});
const end = (server: string): ControlRequest => ({ kind: 'maintenance-end', server, who: 'a person' });

/** As its controller remembers, or would. */
const isOut = ({ state, file, torn }: Host, id: string): boolean =>
  (state ?? (torn ? null : file))?.maintenance?.[id]?.stage === 'open';

/** Whoever ends it asks as long as somebody holds it for open: the primary first, then one server after the other, which pass it on. */
export function endMaintenance(world: World, asked: readonly Host[] = []): void {
  const open = world.hosts.filter(({ id }) => world.hosts.some((it) => isOut(it, id)));
  if (open.length === 0) return;
  const primary = primaryOf(world);
  for (const { id } of open) {
    world.checkers.maintenance.over(id);
    // Its record of a forced takeover is lost, and by those of the others it leads nobody: the person who has forced it says so again.
    const leads = primary.id === id && primary.state?.maintenance?.[id]?.stage === 'open';
    const [next = primary] = asked;
    ask(world, leads ? primary : next, leads ? { kind: 'start', force: true } : end(id));
  }
  const rest = asked.length > 0 ? asked.slice(1) : world.hosts;
  world.clock.after(700, () => endMaintenance(world, rest));
}

/** By its maintenance, which somebody asks for on any server; what follows comes at any moment. */
const maintained = (strike: (world: World, fault: Fault, host: Host, primary: Host) => void) =>
  ({
    compound: true,
    untilMs: 9000,
    strike: (world: World, fault: Fault) => {
      const primary = primaryOf(world);
      const host = fault.dice.pick(standbysOf(world));
      if (!host) return;
      const asked = fault.dice.chance(0.7) ? primary : fault.dice.pick(world.hosts);
      if (asked) ask(world, asked, begin(host.id));
      strike(world, fault, host, primary);
    },
  }) as const;

export const maintenanceKinds: Kinds = {
  'a standby is put into maintenance, and the primary dies': maintained(
    (world, { dice, lastsMs }, _, primary) => {
      world.clock.after(dice.between(1, 4000), () => loseHost(world, primary, 2000 + lastsMs));
    },
  ),
  'a standby in maintenance is rebooted, and the primary dies': maintained(
    (world, { dice, lastsMs }, host, primary) => {
      world.clock.after(dice.between(1, 3000), () => loseHost(world, host, dice.between(300, 4000)));
      world.clock.after(dice.between(1, 6000), () => loseHost(world, primary, 2000 + lastsMs));
    },
  ),
  /** It may not have heard of it, nor of the primary that came meanwhile. */
  'a standby in maintenance sleeps through a switch': maintained((world, { dice }, host, primary) => {
    world.clock.after(dice.between(1, 2500), () => loseHost(world, host, 4000));
    world.clock.after(dice.between(2500, 3500), () => ask(world, primary, switchover));
    world.clock.after(dice.between(4000, 7000), () => endMaintenance(world));
  }),
  'a maintenance ends, and the primary dies': maintained((world, { dice, lastsMs }, host, primary) => {
    const endsMs = dice.between(2500, 4500);
    world.clock.after(endsMs, () => endMaintenance(world));
    if (dice.chance(0.5)) world.clock.after(2000, () => loseHost(world, host, dice.between(500, 3000)));
    world.clock.after(endsMs + dice.between(1, 1500), () => loseHost(world, primary, 2000 + lastsMs));
  }),
  'the primary is lost, and a person forces the one in maintenance': maintained(
    (world, { dice }, host, primary) => {
      world.clock.after(dice.between(2000, 3000), () => loseHost(world, primary, 6000));
      if (dice.chance(0.5)) world.clock.after(2500, () => world.killInstance(host));
      world.clock.after(dice.between(3200, 4000), () => {
        world.checkers.maintenance.wanted(host.id);
        ask(world, host, { kind: 'start', force: true });
        world.clock.after(dice.between(500, 2000), () => ask(world, host, force));
      });
    },
  ),
  /** Its instance is promoted by nobody; its record is torn, so that it knows of no maintenance before it hears somebody. */
  'the record of a standby in maintenance is torn': maintained((world, { dice, lastsMs }, host, primary) => {
    world.clock.after(dice.between(2000, 3000), () => {
      world.crashHost(host);
      host.torn = true;
      world.clock.after(dice.between(200, 2000), () => host.up || world.bootHost(host));
    });
    world.clock.after(dice.between(2500, 6000), () => loseHost(world, primary, 2000 + lastsMs));
  }),
};

/** M: what a server in maintenance is kept from, by what the persons were told. */
export class MaintenanceChecker {
  readonly #fail: (text: string) => void;
  /** It was said that it has begun, and nobody has asked for its end since. */
  readonly #begun = new Set<string>();
  /** A person has decided about it. */
  readonly #wanted = new Set<string>();

  constructor(fail: (text: string) => void) {
    this.#fail = fail;
  }

  over(id: string): void {
    this.#begun.delete(id);
  }

  /** A record was torn: what nobody remembers any more is over. */
  torn(hosts: readonly Host[]): void {
    for (const id of this.#begun) if (!hosts.some((it) => isOut(it, id))) this.over(id);
  }

  wanted(id: string): void {
    this.#wanted.add(id);
    this.over(id);
  }

  decided(id: string, { state, actions }: Decision): void {
    for (const it of actions) {
      const said = it.kind === 'reply' && it.ok && /^(\w+) is in maintenance; /.exec(it.text)?.[1];
      if (said && !this.#wanted.has(said)) this.#begun.add(said);
    }
    if (state.own.role === 'primary' && state.sync?.primary === id && !state.giving) {
      const out = state.sync.eligible.find((it) => this.#begun.has(it));
      if (out !== undefined) this.#fail(`M: ${id} calls ${out} eligible, which is in maintenance`);
    }
    const waitedFor = state.change?.to.find((it) => this.#begun.has(it));
    if (waitedFor !== undefined)
      this.#fail(`M: commits of ${id} are to wait for ${waitedFor}, which is in maintenance`);
    if (this.#wanted.has(id) || state.maintenance?.[id]?.stage !== 'open') return;
    if (state.takeover && state.takeover.kind !== 'force')
      this.#fail(`M: ${id} takes over by itself, and is in maintenance`);
    if (actions.some((it) => it.kind === 'start-instance'))
      this.#fail(`M: the controller of ${id} starts its instance, and is in maintenance`);
  }
}
