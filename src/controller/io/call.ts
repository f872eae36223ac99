/**
 * One connection that this host makes to another one, and makes again when it has ended: it sends heartbeats and reads frames.
 * In: whom to call, and with which key. Out: frames, and why there are none. It reports; it never decides that somebody is dead.
 */
import { connect, type TLSSocket } from 'node:tls';
import type { Secret } from '../../base/secret.ts';
import { frame, frameReader } from './frames.ts';
import { keyBytes, tlsOptions } from './psk-port.ts';

export interface CallSettings {
  readonly host: string;
  readonly port: number;
  /** As what this host introduces itself. */
  readonly identity: string;
  readonly key: Secret;
  /** Between two attempts to connect, at least. */
  readonly intervalMs: number;
  /** An answer that takes longer ends the connection. */
  readonly patienceMs: number;
}

/** unknown: the other side proves another key, or says something that cannot be understood. */
export interface CallEvents {
  /** By this key. */
  connected(key: Secret): void;
  frame(value: Record<string, unknown>, bad: (why: string) => void): void;
  refused(): void;
  unknown(why: string): void;
  /** The handshake failed by the key; `unknown` tells it, too. */
  otherKey?(): void;
  /** It could not be made, or has ended; without an error it was given up or closed. */
  ended(why: string): void;
}

export class Call {
  readonly #settings: () => CallSettings;
  readonly #events: CallEvents;
  #socket: TLSSocket | null = null;
  #ready = false;
  /** By which the connection was made. */
  #key: Secret | null = null;
  /** When the oldest heartbeat without an answer was sent. */
  #unansweredSince: number | null = null;
  #nextTryAt = 0;
  #backoffMs = 0;

  constructor(settings: () => CallSettings, events: CallEvents) {
    this.#settings = settings;
    this.#events = events;
  }

  get ready(): boolean {
    return this.#ready;
  }

  /** By which a connection stands; null while none does. */
  get key(): Secret | null {
    return this.#ready ? this.#key : null;
  }

  /**
   * A heartbeat; where there is no connection, the next attempt to make one. A connection that was made with another key than the present
   * one is made again, as soon as nobody waits for an answer on it.
   */
  heartbeat(message: () => object, idle = true): void {
    const now = performance.now();
    if (idle && this.#ready && !this.#key?.equals(this.#settings().key)) this.#leave();
    if (this.#unansweredSince !== null && now - this.#unansweredSince > this.#settings().patienceMs)
      this.hangUp('it does not answer');
    if (this.#socket === null) {
      if (now >= this.#nextTryAt) this.#dial();
    } else if (this.#ready) this.beat(message());
  }

  /** Sends something that has to be answered in time. */
  beat(message: object): void {
    this.#unansweredSince ??= performance.now();
    this.send(message);
  }

  send(message: object): void {
    this.#socket?.write(frame(message));
  }

  /** What was sent has been answered. */
  answered(): void {
    this.#unansweredSince = null;
  }

  #dial(): void {
    const { host, port, identity, key, intervalMs } = this.#settings();
    this.#key = key;
    this.#nextTryAt = performance.now() + this.#backoffMs;
    this.#backoffMs = Math.min(this.#backoffMs * 1.5 || intervalMs, 3 * intervalMs);
    this.#unansweredSince = performance.now();
    const socket = connect({
      ...tlsOptions,
      host,
      port,
      // There is no certificate; the key is what proves the peer.
      checkServerIdentity: () => undefined,
      pskCallback: () => ({ psk: keyBytes(key), identity }),
    });
    this.#socket = socket;
    let failure = '';
    socket.setNoDelay(true);
    socket.on('secureConnect', () => {
      this.#ready = true;
      this.#backoffMs = 0;
      this.#events.connected(key);
    });
    socket.on('error', (error) => {
      failure = this.#failed(error);
      socket.destroy();
    });
    socket.on('close', () => this.#dropped(socket, failure || 'the connection has ended'));
    const bad = (why: string): void => {
      failure = why;
      socket.destroy();
      this.#events.unknown(why);
    };
    const read = (value: Record<string, unknown>): void => this.#events.frame(value, bad);
    socket.on('data', frameReader(read, bad));
  }

  #failed(error: Error): string {
    const code = 'code' in error ? String(error.code) : '';
    if (code === 'ECONNREFUSED') {
      this.#events.refused();
      return 'nobody listens there';
    }
    // An alert in the handshake means that the other side has another key, or none for us.
    if (!/^ERR_SSL|^EPROTO/.test(code)) return error.message;
    this.#events.otherKey?.();
    const why = `the keys differ (${code})`;
    this.#events.unknown(why);
    return why;
  }

  #dropped(socket: TLSSocket, why: string): void {
    if (this.#socket !== socket) return;
    this.#forget();
    this.#events.ended(why);
  }

  #forget(): void {
    this.#socket = null;
    this.#ready = false;
    this.#unansweredSince = null;
  }

  /** Without a word: the next connection is on its way. */
  #leave(): void {
    const socket = this.#socket;
    this.#forget();
    socket?.destroy();
  }

  hangUp(why: string): void {
    const socket = this.#socket;
    if (!socket) return;
    this.#dropped(socket, why);
    socket.destroy();
  }
}
