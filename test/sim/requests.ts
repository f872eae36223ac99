/**
 * Q: every request of a person is answered once, and in time, as long as the controller that was asked lives. In: what is asked and answered. Out:
 * what is wrong with that.
 */
import type { Action } from '../../src/controller/core/action.ts';
import type { ControlRequest } from '../../src/controller/core/event.ts';
import type { Host } from './host.ts';

/** Longer than another controller is waited for. */
const inTimeMs = 6000;

interface Open {
  readonly host: Host;
  readonly incarnation: number;
  readonly kind: ControlRequest['kind'];
  readonly at: number;
}

export class RequestChecker {
  readonly #open = new Map<number, Open>();
  readonly #fail: (text: string) => void;

  constructor(fail: (text: string) => void) {
    this.#fail = fail;
  }

  asked(host: Host, id: number, kind: ControlRequest['kind'], at: number): void {
    this.#open.set(id, { host, incarnation: host.incarnation, kind, at });
  }

  /** What a controller does, before it is done. */
  decided(id: string, actions: readonly Action[]): void {
    for (const action of actions) {
      if (action.kind !== 'reply' || action.to.kind !== 'control') continue;
      if (!this.#open.delete(action.to.id)) this.#fail(`Q: ${id} answers a person twice: ${action.text}`);
    }
  }

  /** Everything is whole: nobody waits any more, but for an instance that is to start. */
  late(now: number): void {
    for (const { host, incarnation, kind, at } of this.#open.values()) {
      const lives = host.incarnation === incarnation && host.state !== null && host.state !== undefined;
      if (lives && kind !== 'start' && kind !== 'wait-started' && now - at > inTimeMs)
        this.#fail(`Q: ${host.id} has not answered ${kind} for ${((now - at) / 1000).toFixed(1)} s`);
    }
  }
}
