/**
 * The port of an arbiter: servers of many clusters call it, each proves the key of its own. In: who is known, and what is answered.
 * Out: the views that were heard. It decides nothing, and calls nobody.
 */
import type { TLSSocket } from 'node:tls';
import type { ArbiterView, ServerId, ServerView } from '../core/view.ts';
import { protocolVersion } from '../version.ts';
import { frame, frameReader } from './frames.ts';
import type { PairKey } from './pair-key.ts';
import { type Known, type NotTaken, PskPort, UnknownPeers } from './psk-port.ts';
import { timerMs } from './timer.ts';
import { isView } from './view.ts';

/** A server, of the cluster whose key has this fingerprint. */
export interface Caller {
  readonly fingerprint: string;
  readonly id: ServerId;
  /** What it has proven besides; missing where the key of the cluster is all. */
  readonly pair?: PairKey;
}

/** Who is known, and goes on being so. */
export interface ArbiterCallers {
  known(identity: string): Known<Caller> | NotTaken | undefined;
  isHeard(caller: Caller): boolean;
}

export interface ArbiterAnswer {
  readonly view: ArbiterView;
  readonly patienceMs: number;
  /** Of the keys of this server that are heard here. */
  readonly marks?: readonly string[];
}

export interface ArbiterPortEvents {
  /** Null: nobody of this cluster is answered now. `giveUpMs` is missing from a controller that does not tell it. */
  heard(caller: Caller, view: ServerView, giveUpMs: number | undefined): ArbiterAnswer | null;
  unknownPeer(from: string, why: string): void;
  /** It has proven a key that it has with this arbiter. */
  identified(caller: Caller): void;
}

const mostConnections = 1024;
const idleMs = 120_000;

export class ArbiterPort {
  readonly #events: ArbiterPortEvents;
  readonly #callers: ArbiterCallers;
  readonly #port: PskPort<Caller>;
  readonly #unknownPeers: UnknownPeers;
  /** By identity; of two connections of one server the newer one counts. */
  readonly #accepted = new Map<string, { readonly socket: TLSSocket; readonly caller: Caller }>();

  constructor(callers: ArbiterCallers, mostHandshakes: () => number, events: ArbiterPortEvents) {
    this.#events = events;
    this.#callers = callers;
    this.#unknownPeers = new UnknownPeers((from, why) => events.unknownPeer(from, why));
    this.#port = new PskPort<Caller>((identity) => callers.known(identity), mostHandshakes, {
      accepted: (socket, caller) => this.#accept(socket, caller),
      unknownPeer: (from, why) => this.#unknownPeers.seen(from, why),
      failed: (why) => events.unknownPeer('the port of the arbiter', why),
    });
  }

  listen(host: string, port: number): Promise<void> {
    return this.#port.listen(host, port, mostConnections);
  }

  /** After a reload: whoever is not known any more has to prove itself anew. What stands was proven, whatever was written down of it. */
  review(): void {
    this.#endForgotten();
    for (const { caller } of this.#accepted.values())
      if (caller.pair && this.#callers.isHeard(caller)) this.#events.identified(caller);
    this.#endForgotten();
  }

  #endForgotten(): void {
    for (const { socket, caller } of this.#accepted.values())
      if (!this.#callers.isHeard(caller)) socket.destroy();
  }

  close(): void {
    for (const { socket } of this.#accepted.values()) socket.destroy();
    this.#port.close();
  }

  #accept(socket: TLSSocket, caller: Caller): void {
    // The key may have been forgotten since the handshake began.
    if (!this.#callers.isHeard(caller)) {
      socket.destroy();
      return;
    }
    if (caller.pair) this.#events.identified(caller);
    const name = `${caller.fingerprint}/${caller.id}`;
    this.#accepted.get(name)?.socket.destroy();
    this.#accepted.set(name, { socket, caller });
    socket.setTimeout(timerMs(idleMs), () => socket.destroy());
    socket.on('close', () => {
      if (this.#accepted.get(name)?.socket === socket) this.#accepted.delete(name);
    });
    const bad = (why: string): void => {
      socket.destroy();
      this.#unknownPeers.seen(`${caller.id} (${socket.remoteAddress ?? 'closed'})`, why);
    };
    socket.on(
      'data',
      frameReader((value) => this.#served(socket, caller, value, bad), bad),
    );
    if (caller.pair) this.#endForgotten();
  }

  #served(
    socket: TLSSocket,
    caller: Caller,
    { v, kind, seq, view, giveUpMs }: Record<string, unknown>,
    bad: (why: string) => void,
  ): void {
    if (v !== protocolVersion) bad(`it speaks protocol ${String(v).slice(0, 20)}`);
    else if (kind === 'heartbeat' && isView(view, caller.id)) {
      const answer = this.#events.heard(caller, view, typeof giveUpMs === 'number' ? giveUpMs : undefined);
      if (answer) socket.write(frame({ v: protocolVersion, kind: 'answer', seq, ...answer }));
    } else bad('a message has an unknown form');
  }
}
