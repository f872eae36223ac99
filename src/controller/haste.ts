/**
 * The timer of the ticks between the usual ones. In: the state, after everything that happens. Out: calls. It judges nothing; what is
 * wanted when it ends counts, and not what was wanted when it was set.
 */
import { tickWantedAt } from './core/haste.ts';
import type { State } from './core/state.ts';
import { timerMs } from './io/timer.ts';

/** Between two calls, also where a tick changes nothing, because a record cannot be written. */
const leastMs = 50;

export class Haste {
  readonly #state: () => State;
  readonly #tick: () => void;
  #timer: NodeJS.Timeout | undefined;
  #dueAt = Number.POSITIVE_INFINITY;
  #notBefore = Number.NEGATIVE_INFINITY;

  constructor(state: () => State, tick: () => void) {
    this.#state = state;
    this.#tick = tick;
  }

  /** To be told after everything that happens. A timer that ends too early is set again then. */
  follow(): void {
    const wanted = tickWantedAt(this.#state());
    if (wanted === null) return;
    const at = Math.max(wanted, this.#notBefore);
    if (this.#timer && this.#dueAt <= at) return;
    this.end();
    this.#dueAt = at;
    this.#timer = setTimeout(() => this.#ended(), timerMs(Math.max(0, Math.ceil(at - performance.now()))));
  }

  #ended(): void {
    this.end();
    const now = performance.now();
    const wanted = tickWantedAt(this.#state());
    if (wanted === null || wanted > now) {
      this.follow();
      return;
    }
    this.#notBefore = now + leastMs;
    this.#tick();
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
