/**
 * What must never happen, judged from outside: from commits, promotions and what the instances could do, not from what
 * the controllers believe. In: the world. Out: violations, as sentences.
 */
import type { Host, World } from './world.ts';

export class Checkers {
  readonly #world: World;
  readonly violations: string[] = [];
  readonly acks: { readonly commit: number; readonly by: string; readonly at: number }[] = [];
  readonly promotions: { readonly id: string; readonly at: number }[] = [];
  /** A split is stated for this world: policy fallback, and its network was cut. */
  splitAllowed = false;
  #split = false;

  constructor(world: World) {
    this.#world = world;
  }

  #violate(text: string): void {
    this.#world.tell(`VIOLATION ${text}`);
    if (this.violations.length < 5) this.violations.push(text);
  }

  acknowledged(host: Host, commit: number): void {
    this.acks.push({ commit, by: host.id, at: this.#world.clock.now });
  }

  /** S1: whoever is promoted holds every commit that was acknowledged. */
  promoted(host: Host): void {
    this.#world.tell(`${host.id}: promoted to timeline ${host.instance.timeline}`);
    this.promotions.push({ id: host.id, at: this.#world.clock.now });
    this.#missing(host, 'is promoted');
  }

  /** S4: a former primary never comes up beside a newer one. */
  started(host: Host): void {
    const { role, timeline } = host.instance;
    if (role !== 'primary' || this.splitAllowed) return;
    const newer = this.#world.hosts.find(
      (it) =>
        it.up && it.instance.running && it.instance.role === 'primary' && it.instance.timeline > timeline,
    );
    if (newer) this.#violate(`S4: ${host.id} starts as primary although ${newer.id} is a newer one`);
  }

  #missing(host: Host, what: string): void {
    if (this.splitAllowed) return;
    const held = new Set(host.instance.wal);
    const lost = this.acks.filter((it) => !held.has(it.commit));
    if (lost.length > 0) {
      const first = lost[0];
      this.#violate(
        `S1: ${host.id} ${what} without ${lost.length} acknowledged commits (first by ${first?.by})`,
      );
    }
  }

  /** S2: never two that can acknowledge. */
  look(): void {
    if (this.splitAllowed) return;
    const able = this.#world.hosts.filter((host) => this.canAcknowledge(host));
    if (able.length > 1 && !this.#split) {
      this.#split = true;
      this.#violate(`S2: ${able.map((it) => it.id).join(' and ')} can acknowledge at once`);
    }
  }

  canAcknowledge(host: Host): boolean {
    const { instance } = host;
    if (!host.up || host.frozen || !instance.running || instance.role !== 'primary') return false;
    if (instance.names.length === 0) return true;
    return instance.names.some((name) => this.#world.streams(this.#world.host(name), host));
  }

  /** At the end, when everything is healed: the one that serves holds everything. */
  atEnd(): void {
    const serving = this.#world.hosts.filter((host) => this.canAcknowledge(host));
    for (const host of serving) this.#missing(host, 'serves at the end');
  }

  /** L1: the longest time without an acknowledgement since then. */
  longestGap(from: number, to: number): number {
    const times = this.acks.map((it) => it.at).filter((at) => at >= from && at <= to);
    let last = from;
    let longest = 0;
    for (const at of [...times, to]) {
      longest = Math.max(longest, at - last);
      last = at;
    }
    return longest;
  }

  fail(text: string): void {
    this.#violate(text);
  }
}
