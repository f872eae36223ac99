/**
 * The two networks between the hosts: they delay, reorder and cut, each direction by itself. Heartbeats and requests of
 * the controllers travel over `admin`, WAL over `log`. Out: happenings at the other end, or none.
 */
import { arbiterView } from '../../src/controller/core/arbiter.ts';
import type { PeerRequest } from '../../src/controller/core/event.ts';
import type { ServerView } from '../../src/controller/core/view.ts';
import type { Host } from './host.ts';
import type { World } from './world.ts';

export type NetworkName = 'admin' | 'log';

const refusalMs = 2;
const requestTimeoutMs = 4000;
const brokenAfterMs = 1000;

export class Network {
  readonly #world: World;
  /** One direction of a cable: "server1>server2". */
  readonly #cuts: Readonly<Record<NetworkName, Set<string>>> = { admin: new Set(), log: new Set() };
  /** The reference address answers whoever reaches it. */
  gateway = true;
  /** Hosts whose way to it is cut, and those that it ever was of. */
  readonly #noUplink = new Set<string>();
  readonly lostUplink = new Set<string>();
  /** Requests of controllers that wait for their answer. */
  readonly #asked = new Map<
    number,
    { readonly from: Host; readonly asked: number; readonly incarnation: number }
  >();
  #requests = 0;
  slowMs = 0;
  /** What the arbiter answers is so much later. */
  lateMs = 0;

  constructor(world: World) {
    this.#world = world;
  }

  cut(networks: readonly NetworkName[], pairs: readonly string[]): void {
    for (const network of networks) for (const pair of pairs) this.#cuts[network].add(pair);
  }

  mend(networks: readonly NetworkName[], pairs: readonly string[]): void {
    for (const network of networks) for (const pair of pairs) this.#cuts[network].delete(pair);
  }

  heal(): void {
    this.#cuts.admin.clear();
    this.#cuts.log.clear();
    this.#noUplink.clear();
    this.gateway = this.#world.settings.references !== 'never';
    this.slowMs = 0;
    this.lateMs = 0;
  }

  cutUplink(host: Host): void {
    this.#noUplink.add(host.id);
    this.lostUplink.add(host.id);
  }

  mendUplink(host: Host): void {
    this.#noUplink.delete(host.id);
  }

  reachesGateway = (host: Host): boolean => this.gateway && !this.#noUplink.has(host.id);

  /** Nothing of the path is cut, in the direction from `from` to `to`. */
  passes(from: Host, to: Host, network: NetworkName): boolean {
    const cuts = this.#cuts[network];
    return cuts.size === 0 || !cuts.has(`${from.id}>${to.id}`);
  }

  connected = (one: Host, other: Host, network: NetworkName): boolean =>
    other.up && this.passes(one, other, network) && this.passes(other, one, network);

  #delay(): number {
    const { random } = this.#world;
    return random.between(1, 15) + (random.chance(0.05) ? random.between(20, 200) : 0) + this.slowMs;
  }

  /**
   * What waits for a host that stands still: everything arrives when it goes on; what is old is lost with its connection; or what
   * was sent before the connection broke waits in the buffer, and only what came later is lost.
   */
  #isLost(to: Host, sentAt: number): boolean {
    const { clock, settings } = this.#world;
    if (clock.now - sentAt <= brokenAfterMs) return false;
    return settings.seed % 3 === 1 || (settings.seed % 3 === 2 && sentAt - to.frozenAt > brokenAfterMs);
  }

  send(from: Host, to: Host, view: ServerView, answered: boolean): void {
    if (!this.passes(from, to, 'admin')) return;
    const world = this.#world;
    const { incarnation } = from;
    const target = to.incarnation;
    const sentAt = world.clock.now;
    world.later(to, this.#delay(), () => {
      if (!this.passes(from, to, 'admin') || this.#isLost(to, sentAt)) return;
      const alive = (): boolean => from.incarnation === incarnation && from.state !== null;
      if (!to.state) {
        if (!this.passes(to, from, 'admin')) return;
        const refuse = (): void => world.happen(from, { kind: 'peer-refused', peer: to.id });
        world.later(from, refusalMs, () => alive() && refuse());
        return;
      }
      if (to.incarnation !== target) return;
      const answers = answered && !to.paused && to.turns?.standsStill === false;
      const back = world.random.chance(0.2) && answers ? to.core.view(to.state) : null;
      world.happen(to, { kind: 'heard', peer: from.id, view });
      if (back && alive()) this.send(to, from, back, false);
    });
  }

  /** What a server tells its arbiter, and what that answers. */
  tellArbiter(from: Host, view: ServerView): void {
    const world = this.#world;
    const { arbiter, clock } = world;
    const { incarnation } = from;
    const open = (pair: string): boolean => !this.#cuts.admin.has(pair);
    // The last release does not know what an arbiter is.
    if (!arbiter || from.unlike.released || !open(`${from.id}>arbiter`)) return;
    clock.after(this.#delay(), () => {
      if (!open(`${from.id}>arbiter`)) return;
      arbiter.hear(from, view, (to, state) => {
        const told = arbiterView(state);
        if (open(`arbiter>${to.id}`))
          world.later(to, this.#delay() + this.lateMs, () => {
            if (to.incarnation === incarnation && open(`arbiter>${to.id}`))
              world.happen(to, { kind: 'arbiter-heard', arbiter: arbiter.id, view: told });
          });
      });
    });
  }

  /** A controller asks another one; without an answer in time it is told so. */
  ask(from: Host, to: Host, asked: number, request: PeerRequest): void {
    const world = this.#world;
    this.#requests += 1;
    const id = this.#requests;
    this.#asked.set(id, { from, asked, incarnation: from.incarnation });
    world.later(to, this.#delay(), () => {
      if (this.passes(from, to, 'admin') && to.state)
        world.happen(to, { kind: 'peer-request', peer: from.id, id, request });
    });
    world.later(from, requestTimeoutMs, () => this.#settle(to.id, id, false, 'no answer in time'));
  }

  answer(from: Host, id: number, ok: boolean, text: string): void {
    const asked = this.#asked.get(id);
    if (!asked) return;
    this.#world.later(asked.from, this.#delay(), () => {
      if (this.passes(from, asked.from, 'admin')) this.#settle(from.id, id, ok, text);
    });
  }

  #settle(peer: string, id: number, ok: boolean, text: string): void {
    const asked = this.#asked.get(id);
    this.#asked.delete(id);
    if (asked && asked.from.incarnation === asked.incarnation)
      this.#world.happen(asked.from, { kind: 'peer-reply', peer, id: asked.asked, ok, text });
  }
}
