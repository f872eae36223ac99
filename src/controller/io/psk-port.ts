/**
 * A port that speaks TLS 1.2 with a pre-shared key: whoever does not prove a key gets nothing. In: which key an identity has.
 * Out: accepted connections and unknown peers. It reads no message.
 */
import { lookup } from 'node:dns/promises';
import { isIP, type Socket } from 'node:net';
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

/** Why an identity that is known is not taken. */
export interface NotTaken {
  readonly why: string;
}

type Knows<Who> = (identity: string) => Known<Who> | NotTaken | undefined;

export interface PortEvents<Who> {
  /** `isFormer`: it has called a place that the port has left. */
  accepted(socket: TLSSocket, who: Who, isFormer: boolean): void;
  unknownPeer(from: string, why: string): void;
  failed(why: string): void;
}

/** What a name means here; a loopback address only where it means nothing else. */
async function reachableAddresses(name: string): Promise<readonly string[]> {
  const found = [...new Set((await lookup(name, { all: true })).map(({ address }) => address))];
  const outside = found.filter((address) => address !== '::1' && !address.startsWith('127.'));
  return outside.length > 0 ? outside : found;
}

const placeOf = (address: string, port: number): string => `${address} ${port}`;

export class PskPort<Who extends object> {
  readonly #known: Knows<Who>;
  readonly #events: PortEvents<Who>;
  /** Connections whose handshake is not done; the oldest has to go, so that an unknown peer cannot keep peers out. */
  readonly #handshakes = new Set<Socket>();
  readonly #mostHandshakes: () => number;
  readonly #who = new WeakMap<TLSSocket, Who>();
  /** Why their identity was not taken. */
  readonly #notTaken = new WeakMap<object, string>();
  /** By address and port. */
  readonly #servers = new Map<string, Server>();
  #former: readonly string[] = [];

  constructor(known: Knows<Who>, mostHandshakes: () => number, events: PortEvents<Who>) {
    this.#known = known;
    this.#mostHandshakes = mostHandshakes;
    this.#events = events;
  }

  /**
   * On every address of a name: its peers may come by any of them. Rejects when no address or not the port can be had. Where it listened
   * before it goes on, until that is closed.
   */
  async listen(host: string, port: number, mostConnections: number): Promise<void> {
    const addresses = isIP(host) === 0 ? await reachableAddresses(host) : [host];
    const opened = await Promise.allSettled(
      addresses.map((address) => this.#open(address, port, mostConnections)),
    );
    const failed = opened.flatMap((one): unknown[] => (one.status === 'rejected' ? [one.reason] : []));
    if (failed.length === opened.length) throw failed[0];
    for (const why of failed) this.#events.failed(why instanceof Error ? why.message : String(why));
    const places = addresses.map((address) => placeOf(address, port));
    this.#former = [...this.#servers.keys()].filter((place) => !places.includes(place));
  }

  /** Connections that were taken there go on. */
  closeFormer(): void {
    for (const place of this.#former) {
      this.#servers.get(place)?.close();
      this.#servers.delete(place);
    }
    this.#former = [];
  }

  #open(address: string, port: number, mostConnections: number): Promise<void> {
    const place = placeOf(address, port);
    if (this.#servers.has(place)) return Promise.resolve();
    const server = createServer({
      ...tlsOptions,
      handshakeTimeout: handshakeTimeoutMs,
      pskCallback: (socket, identity) => this.#keyFor(socket as TLSSocket, identity),
    });
    server.maxConnections = mostConnections;
    server.on('connection', (socket: Socket) => this.#watchHandshake(socket));
    server.on('tlsClientError', (error, socket) => this.#turnAway(socket, error.message));
    server.on('secureConnection', (socket) => this.#accept(socket, place));
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, address, () => {
        server.off('error', reject);
        this.#servers.set(place, server);
        server.on('error', (error) => this.#events.failed(error.message));
        resolve();
      });
    });
  }

  #keyFor(socket: TLSSocket, identity: string): Buffer | null {
    const known = identity.length <= longestIdentity ? this.#known(identity) : undefined;
    if (!known || 'why' in known) {
      if (known) this.#notTaken.set(socket, known.why);
      return null;
    }
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
    const plain = this.#notTaken.get(socket) ?? why.replace(/^[0-9A-F]+:error:[0-9A-F]*:?/i, '').trim();
    this.#events.unknownPeer(from, plain || 'no TLS handshake');
  }

  #accept(socket: TLSSocket, place: string): void {
    const who = this.#who.get(socket);
    for (const raw of this.#handshakes)
      if (raw.remotePort === socket.remotePort) this.#handshakes.delete(raw);
    if (who === undefined) {
      socket.destroy();
      return;
    }
    socket.setNoDelay(true);
    socket.on('error', () => socket.destroy());
    this.#events.accepted(socket, who, this.#former.includes(place));
  }

  close(): void {
    for (const socket of this.#handshakes) socket.destroy();
    for (const server of this.#servers.values()) server.close();
  }
}
