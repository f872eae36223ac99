/**
 * The news of a standby that catches up come within milliseconds, and nobody waits for the next heartbeat: the primary calls
 * several times at once, and a standby that is called before its time looks at its instance. In: whether somebody catches up,
 * and calls. Out: when to call, when to look. It judges nothing.
 */

/** A standby has what was just written within milliseconds: it is called so often before the next heartbeat. */
const callEveryMs = 20;
const mostCalls = 10;

/** The calls of a primary. */
export class CatchUp {
  readonly #call: () => void;
  #timer: NodeJS.Timeout | undefined;
  #calls = 0;

  constructor(call: () => void) {
    this.#call = call;
  }

  /** To be told after everything that happens. */
  follow(catching: boolean): void {
    if (!catching) this.end();
    else if (!this.#timer && this.#calls < mostCalls) this.#begin();
  }

  #begin(): void {
    this.#calls += 1;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#call();
    }, callEveryMs);
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#calls = 0;
  }
}

/** The calls that a standby gets. */
export class Calls {
  readonly #last = new Map<string, number>();

  /** Whether this peer calls before its time; all in milliseconds. */
  isEarly(peer: string, now: number, intervalMs: number): boolean {
    const before = this.#last.get(peer) ?? Number.NEGATIVE_INFINITY;
    this.#last.set(peer, now);
    return now - before < intervalMs / 2;
  }
}
