/**
 * A port that speaks TLS 1.2 with a pre-shared key: whoever does not prove a key gets nothing. In: which key an identity has.
 * Out: accepted connections and unknown peers. It reads no message.
 */
import type { Socket } from 'node:net';
import { createServer, type Server, type TLSSocket, type TlsOptions } from 'node:tls';
import type { Secret } from '../../base/secret.ts';

/**
 * TLS 1.3 would need its own kind of PSK, which Node does not offer; these have forward secrecy and need no certificate. So
 * no authority is trusted either: to read the hundred of Node.js would take a fifth of the controller's start.
 */
export const tlsOptions = {
  minVersion: 'TLSv1.2',
  maxVersion: 'TLSv1.2',
  ca: [],
  ciphers: 'ECDHE-PSK-CHACHA20-POLY1305:ECDHE-PSK-AES256-CBC-SHA384:ECDHE-PSK-AES128-CBC-SHA256',
} satisfies TlsOptions;

export const keyBytes = (key: Secret): Buffer => Buffer.from(key.reveal(), 'hex');

const handshakeTimeoutMs = 3000;
const unknownPeerEveryMs = 60_000;
const longestIdentity = 128;

/** The same unknown peer is reported once a minute; a scan must not fill the log. */
export class UnknownPeers {
  readonly #report: (from: string, why: string) => void;
  readonly #last = new Map<string, number>();

  constructor(report: (from: string, why: string) => void) {
    this.#report = report;
  }

  seen(from: string, why: string): void {
    const now = performance.now();
    const last = this.#last.get(from);
    if (last !== undefined && now - last < unknownPeerEveryMs) return;
    if (this.#last.size > 1000) this.#last.clear();
    this.#last.set(from, now);
    this.#report(from, why);
  }
}

/** Whom an identity stands for, and by which key it is proven. */
export interface Known<Who> {
  readonly who: Who;
  readonly key: Secret;
}

export interface PortEvents<Who> {
  accepted(socket: TLSSocket, who: Who): void;
  unknownPeer(from: string, why: string): void;
  failed(why: string): void;
}

export class PskPort<Who extends object> {
  readonly #known: (identity: string) => Known<Who> | undefined;
  readonly #events: PortEvents<Who>;
  /** Connections whose handshake is not done; the oldest has to go, so that an unknown peer cannot keep peers out. */
  readonly #handshakes = new Set<Socket>();
  readonly #mostHandshakes: () => number;
  readonly #who = new WeakMap<TLSSocket, Who>();
  #server: Server | null = null;

  constructor(
    known: (identity: string) => Known<Who> | undefined,
    mostHandshakes: () => number,
    events: PortEvents<Who>,
  ) {
    this.#known = known;
    this.#mostHandshakes = mostHandshakes;
    this.#events = events;
  }

  /** Rejects when the address or port cannot be had. */
  listen(host: string, port: number, mostConnections: number): Promise<void> {
    const server = createServer({
      ...tlsOptions,
      handshakeTimeout: handshakeTimeoutMs,
      pskCallback: (socket, identity) => this.#keyFor(socket as TLSSocket, identity),
    });
    this.#server = server;
    server.maxConnections = mostConnections;
    server.on('connection', (socket: Socket) => this.#watchHandshake(socket));
    server.on('tlsClientError', (error, socket) => this.#turnAway(socket, error.message));
    server.on('secureConnection', (socket) => this.#accept(socket));
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, host, () => {
        server.off('error', reject);
        server.on('error', (error) => this.#events.failed(error.message));
        resolve();
      });
    });
  }

  #keyFor(socket: TLSSocket, identity: string): Buffer | null {
    const known = identity.length <= longestIdentity ? this.#known(identity) : undefined;
    if (!known) return null;
    this.#who.set(socket, known.who);
    return keyBytes(known.key);
  }

  #watchHandshake(socket: Socket): void {
    this.#handshakes.add(socket);
    socket.once('close', () => this.#handshakes.delete(socket));
    // Errors before the TLS layer is up have no other listener, and the connection is closed by them anyway.
    socket.on('error', () => this.#handshakes.delete(socket));
    const [oldest] = this.#handshakes;
    if (this.#handshakes.size > this.#mostHandshakes() && oldest) oldest.destroy();
  }

  #turnAway(socket: TLSSocket, why: string): void {
    const from = socket.remoteAddress ?? 'an unknown address';
    // A peer that has called while this host stood still, and has given up since, is not unknown.
    const gone = socket.remoteAddress === undefined && /hang up|ECONNRESET/.test(why);
    socket.destroy();
    if (gone) return;
    const plain = why.replace(/^[0-9A-F]+:error:[0-9A-F]*:?/i, '').trim();
    this.#events.unknownPeer(from, plain || 'no TLS handshake');
  }

  #accept(socket: TLSSocket): void {
    const who = this.#who.get(socket);
    for (const raw of this.#handshakes)
      if (raw.remotePort === socket.remotePort) this.#handshakes.delete(raw);
    if (who === undefined) {
      socket.destroy();
      return;
    }
    socket.setNoDelay(true);
    socket.on('error', () => socket.destroy());
    this.#events.accepted(socket, who);
  }

  close(): void {
    for (const socket of this.#handshakes) socket.destroy();
    this.#server?.close();
  }
}
