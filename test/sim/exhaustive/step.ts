/**
 * One move of the small world, from a moment to the next: something happens to a controller, it decides, and what it orders is
 * begun or done. In: a moment. Out: another one, and what was broken on the way.
 */
import type { Happening } from '../../../src/controller/core/event.ts';
import { freshCell } from '../../../src/controller/core/register.ts';
import type { Turn, Work } from './controllers.ts';
import { done } from './hands.ts';
import { acknowledged, confirmedBy, halted, type Instance, received } from './instances.ts';
import type { Meaning } from './meaning.ts';
import { type Budget, pairBit, type Scene } from './scene.ts';

/** They end at once. The others can be interrupted, and others do something meanwhile. */
const quick: ReadonlySet<Work['kind']> = new Set([
  'checkpoint',
  'follow',
  'probe-primary',
  'start-instance',
  'cut-receiver',
]);
/** After these the instance is looked at without waiting for the next time. */
const looksBehind: ReadonlySet<Work['kind']> = new Set([
  'start-instance',
  'set-names',
  'promote',
  'checkpoint',
]);

/** A standby whose stream stands still is taken out and comes back again and again: promises with higher numbers are not followed. */
const lastEpoch = 9;

/** More than a controller can have to do at once. */
const mostWorks = 20;

/** For a story: what happens to a controller in this state. */
type Told = (host: number, state: number, happening: Happening) => void;

export class Step {
  readonly meaning: Meaning;
  readonly scene: Scene;
  readonly broken: string[] = [];
  /** More was done than is allowed. */
  isBeyond = false;
  readonly #told: Told | undefined;

  constructor(meaning: Meaning, before: Scene, told?: Told) {
    this.meaning = meaning;
    this.scene = before.copy();
    this.#told = told;
  }

  spend(what: Budget): void {
    const left = this.scene.all(what) - 1;
    if (left < 0) this.isBeyond = true;
    this.scene.putAll(what, left);
  }

  happens(at: number, happening: Happening): void {
    this.#turn(at, 'happens', this.meaning.controllers.happenings.numberOf(happening));
  }

  #turn(at: number, kind: 'happens' | 'hears', number: number): void {
    const { controllers } = this.meaning;
    const state = this.scene.of(at, 'state');
    if (state === 0) return;
    this.#told?.(at, state, controllers.happening(kind, number));
    this.#take(at, controllers.turn(state, kind, number));
  }

  #take(at: number, turn: Turn): void {
    this.scene.put(at, 'state', turn.state);
    for (const broken of turn.broken) this.broken.push(broken);
    if (turn.asks) this.spend('votes');
    if (turn.epoch > lastEpoch) this.isBeyond = true;
    if (turn.view > 0) this.#tell(at, turn.view);
    if (turn.state > 0) this.#noteTerm(at, turn);
    if (turn.works.length === 0) return;
    this.#setWorks(at, [...this.meaning.worksOf(this.scene, at), ...turn.works]);
  }

  /** What is quick is done at once. */
  end(): void {
    for (let at = 0; at < this.scene.hosts; at += 1) {
      const first = (): Work | undefined => this.meaning.worksOf(this.scene, at)[0];
      let done = 0;
      for (let work = first(); work && quick.has(work.kind); work = first()) {
        this.finish(at);
        done += 1;
        if (done < mostWorks) continue;
        this.broken.push(`X: ${this.meaning.ids[at]} asks for "${work.kind}" again and again`);
        break;
      }
    }
  }

  #tell(at: number, view: number): void {
    for (let to = 0; to < this.scene.hosts; to += 1)
      if (to !== at && this.scene.of(to, 'state') > 0) this.scene.tell(at, to, view);
    if (this.meaning.withArbiter) this.scene.put(at, 'asked', view);
  }

  /** T: of each term one server uses a win at most. */
  #noteTerm(at: number, { uses }: Turn): void {
    if (uses === null) return;
    const { used, ids } = this.meaning;
    const number = this.scene.all('used');
    const before = number === 0 ? {} : used.get(number);
    const id = ids[at] ?? '';
    const user = before[uses] ?? id;
    if (user !== id) this.broken.push(`T: ${user} and ${id} have both used term ${uses}`);
    if (before[uses] === undefined) this.scene.putAll('used', used.numberOf({ ...before, [uses]: user }));
  }

  #setWorks(at: number, works: readonly Work[]): void {
    this.scene.put(at, 'works', works.length === 0 ? 0 : this.meaning.works.numberOf(works));
  }

  tick(at: number): void {
    this.#look(at);
    this.#turn(at, 'happens', this.meaning.tick);
  }

  #look(at: number): void {
    this.#turn(at, 'happens', this.meaning.look(this.scene, at));
  }

  /** What was told last from there is heard; it is told again and again, so that it may be heard once more. */
  hear(at: number, from: number): void {
    this.#turn(at, 'hears', this.scene.told(from, at));
  }

  /** The arbiter hears it, has its cell on its disk, and answers. */
  ask(from: number): void {
    const cell = this.meaning.hears(this.scene.all('cell'), this.scene.of(from, 'asked'));
    this.scene.putAll('cell', cell);
    if (this.scene.of(from, 'state') > 0) this.scene.put(from, 'answer', cell);
  }

  /** Its memory is lost, so that it is another cell. */
  wipe(): void {
    const { cells } = this.meaning;
    const { id } = cells.get(this.scene.all('cell'));
    this.scene.putAll('cell', cells.numberOf(freshCell(`${id}, wiped`)));
  }

  hearArbiter(at: number): void {
    this.#turn(at, 'happens', this.meaning.answer(this.scene.of(at, 'answer')));
  }

  /** The time to give up passes, and of all others only these are heard meanwhile. */
  pass(at: number, heard: number): void {
    this.scene.put(at, 'state', this.meaning.controllers.aged(this.scene.of(at, 'state')));
    for (let from = 0; from < this.scene.hosts; from += 1)
      if ((heard & (1 << from)) !== 0) this.hear(at, from);
    this.tick(at);
  }

  boot(at: number): void {
    const { controllers, ids } = this.meaning;
    const id = ids[at] ?? '';
    const { running, role } = this.instance(at);
    const record = this.scene.of(at, 'record');
    const incarnation = this.scene.of(at, 'incarnation') + 1;
    this.scene.put(at, 'incarnation', incarnation);
    this.scene.put(at, 'on', 1);
    this.scene.put(at, 'record', 0);
    const turn = controllers.boot(id, incarnation, {
      kind: 'boot',
      standby: role === 'standby',
      running,
      mcOnly: false,
      failover: null,
      restored: record === 0 ? null : controllers.records.get(record),
      torn: false,
      named: ids.filter((it) => it !== id),
      incarnation: `${id}-${incarnation}`,
    });
    this.#take(at, turn);
  }

  /** The controller is gone; what it had begun is done all the same, or not. What was on its way to it is lost. */
  kill(at: number, isDone: boolean): void {
    const [first] = this.meaning.worksOf(this.scene, at);
    if (isDone && first) done(this, at, first);
    const { controllers } = this.meaning;
    const { persisted } = controllers.states.get(this.scene.of(at, 'state'));
    this.scene.put(at, 'record', persisted ? controllers.records.numberOf(persisted) : 0);
    this.scene.put(at, 'state', 0);
    this.scene.put(at, 'works', 0);
    this.scene.put(at, 'answer', 0);
    for (let from = 0; from < this.scene.hosts; from += 1) this.scene.tell(from, at, 0);
  }

  /** The instance ends, and with `host` everything on it. */
  crash(at: number, host: boolean): void {
    this.set(at, halted(this.instance(at)));
    if (!host) return;
    this.kill(at, false);
    this.scene.put(at, 'on', 0);
  }

  commit(at: number): void {
    const it = this.instance(at);
    const number = this.scene.all('written') + 1;
    this.scene.putAll('written', number);
    const wal = [...it.wal, number];
    const streaming = this.places().filter((to) => this.meaning.streams(this.scene, to, at));
    this.set(at, { ...it, wal, waiting: [...it.waiting, wal.length] });
    // One that streams takes it at once: later is as if it had been written later.
    for (const to of streaming) this.stream(to, at);
  }

  stream(standby: number, primary: number): void {
    this.set(standby, received(this.instance(standby), this.instance(primary)));
    this.set(primary, confirmedBy(this.instance(primary), this.meaning.ids[standby] ?? ''));
  }

  toggle(one: number, other: number): void {
    this.scene.putAll('apart', this.scene.all('apart') ^ pairBit(one, other, this.scene.hosts));
  }

  places(): number[] {
    return [...this.meaning.ids.keys()];
  }

  instance(at: number): Instance {
    return this.meaning.instance(this.scene, at);
  }

  set(at: number, instance: Instance): void {
    const { instance: after, commits } = acknowledged(instance);
    for (const commit of commits)
      this.scene.putAll('acknowledged', this.scene.all('acknowledged') | (1 << commit));
    this.scene.put(at, 'instance', this.meaning.instances.numberOf(after));
  }

  /** The first of what a controller has begun is done, and it is told so. */
  finish(at: number): void {
    const [first, ...rest] = this.meaning.worksOf(this.scene, at);
    if (!first) return;
    this.#setWorks(at, rest);
    this.happens(at, done(this, at, first));
    if (looksBehind.has(first.kind)) this.#look(at);
  }
}
