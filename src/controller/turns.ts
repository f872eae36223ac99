/**
 * Hands events to `decide`, one after the other, and writes the record of a decision down before anything else of it is done.
 * A decision whose record cannot be written has not happened: the controller stands still at its event, as after a SIGSTOP, and
 * tries again with every tick: with the same event, or with the tick alone where the event repeats itself and would be out of
 * date. In: happenings. Out: calls of the ports. It holds no timer and decides nothing.
 */
import type { Action, Deed } from './core/action.ts';
import { decide } from './core/decide.ts';
import type { Clocks, Happening } from './core/event.ts';
import type { Persisted, State } from './core/state.ts';

export interface Ports {
  clocks(): Clocks;
  /** Null when it is on the disk, otherwise why not. */
  write(record: Persisted): string | null;
  /** Null while records can be written, as far as that shows without one; otherwise why not. */
  place(): string | null;
  /** Everything of a decision but its record, in order. */
  act(deeds: readonly Deed[], happening: Happening, before: State): void;
}

/** Comes again by itself, and tells of a moment that is over when it has waited. */
const repeats: ReadonlySet<Happening['kind']> = new Set([
  'tick',
  'heard',
  'peer-refused',
  'unknown-peer',
  'primary-probe',
  'instance-check',
  'disk-check',
  'place-lost',
]);

const isStop = (happening: Happening): boolean =>
  happening.kind === 'terminate' ||
  ((happening.kind === 'control' || happening.kind === 'peer-request') && happening.request.kind === 'stop');

const deedsOf = (actions: readonly Action[]): Deed[] => actions.filter((it) => it.kind !== 'persist');

export class Turns {
  readonly #ports: Ports;
  readonly #decide: typeof decide;
  #state: State;
  /** The event whose decision could not be written down, with those behind it. */
  #held: Happening[] = [];

  /** Another core may judge, as in the simulation of two versions. */
  constructor(state: State, ports: Ports, judge = decide) {
    this.#decide = judge;
    this.#state = state;
    this.#ports = ports;
  }

  get state(): State {
    return this.#state;
  }

  /** A record is outstanding: nothing is told to anybody until it is written. */
  get standsStill(): boolean {
    return this.#held.length > 0;
  }

  happen(happening: Happening): void {
    if (happening.kind === 'tick' && !this.standsStill) this.#lookAtPlace();
    if (!this.standsStill) this.#take(happening);
    else if (isStop(happening)) this.#stop(happening);
    else if (happening.kind === 'control' || happening.kind === 'peer-request') this.#refuse(happening);
    else if (!repeats.has(happening.kind)) this.#held.push(happening);
    else if (happening.kind === 'tick') this.#goOn();
  }

  /** A stop changes no promise, so it needs no record; with it the events that wait need none either. */
  #stop(happening: Happening): void {
    const waiting = this.#held;
    this.#held = [];
    this.#take(happening);
    this.#held.push(...waiting);
    this.#goOn();
  }

  #goOn(): void {
    const why = this.#held[0]?.kind === 'tick' ? this.#writeAgain() : null;
    if (why !== null) {
      this.#happenedNot(why);
      return;
    }
    const waiting = this.#held;
    this.#held = [];
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      this.#take(next);
      if (!this.standsStill) continue;
      this.#held.push(...waiting);
      return;
    }
  }

  /** A tick may need no record, and would show nothing about the disk: what is in force is written once more. A stop needs none. */
  #writeAgain(): string | null {
    const { persisted, stop } = this.#state;
    return persisted === null || stop ? null : this.#ports.write(persisted);
  }

  #take(happening: Happening): void {
    const before = this.#state;
    const { state, actions } = this.#decide(before, { ...happening, ...this.#ports.clocks() });
    const record = actions.find((it) => it.kind === 'persist');
    const why = record ? this.#ports.write(record.persisted) : null;
    // What has to be written for the loss itself, such as a promise that came due with it, stands still as without it.
    if (why !== null && record?.must && before.place === null && happening.kind !== 'place-lost') {
      this.#afterLoss(happening, why);
      return;
    }
    if (why !== null && record?.must) {
      this.#held.push(repeats.has(happening.kind) ? { kind: 'tick' } : happening);
      this.#happenedNot(why);
      return;
    }
    // What was written last is still what the file says.
    this.#state = why === null ? state : { ...state, persisted: before.persisted };
    this.#ports.act(deedsOf(actions), happening, before);
  }

  /** That nothing can be written is told first. What has been asked of this server may be declined then, for which nothing needs to be written. */
  #afterLoss(happening: Happening, why: string): void {
    this.#take({ kind: 'place-lost', why });
    if (!this.standsStill) this.#take(happening);
    else if (!repeats.has(happening.kind)) this.#held.push(happening);
  }

  /** Before it has to be written down: whether it could be. What was said to be lost is back once what is in force is on the disk again. */
  #lookAtPlace(): void {
    const { place } = this.#state;
    const why = this.#ports.place();
    if (place === null && why !== null) this.#take({ kind: 'place-lost', why });
    else if (place && why === null && this.#writeAgain() === null) this.#take({ kind: 'place-back' });
  }

  #happenedNot(why: string): void {
    const before = this.#state;
    const failed: Happening = { kind: 'persist-failed', why };
    const { state, actions } = this.#decide(before, { ...failed, ...this.#ports.clocks() });
    this.#state = state;
    this.#ports.act(deedsOf(actions), failed, before);
  }

  /** Someone waits for an answer, and must not find it done later. */
  #refuse({ kind, ...request }: Extract<Happening, { kind: 'control' | 'peer-request' }>): void {
    const to =
      'peer' in request
        ? ({ kind: 'peer', peer: request.peer, id: request.id } as const)
        : ({ kind: 'control', id: request.id } as const);
    const why = this.#state.unsaved?.why ?? '';
    const text = `the state file of ${this.#state.self.id} cannot be written (${why}), and nothing is decided until it can`;
    this.#ports.act([{ kind: 'reply', to, ok: false, text }], { kind: 'persist-failed', why }, this.#state);
  }
}
