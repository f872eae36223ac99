/**
 * The admin link: every controller keeps one TLS connection to every other one, sends its view at each heartbeat and
 * gets the other's view as the answer. In: views and requests. Out: what was heard, refused, asked.
 * Both sides prove the key of the cluster in the handshake (TLS 1.2, ECDHE with pre-shared key), so that no unknown peer's
 * byte is read as a message. It reports; it never decides that a peer is dead.
 */
import type { Socket } from 'node:net';
import { connect, createServer, type Server, type TLSSocket, type TlsOptions } from 'node:tls';
import type { Secret } from '../../base/secret.ts';
import type { ServerConf, ServerLine } from '../config.ts';
import type { PeerRequest } from '../core/event.ts';
import { defaultMaxWaitMs } from '../core/preparation.ts';
import type { ServerId, ServerView } from '../core/view.ts';
import { protocolVersion } from '../version.ts';
import { frame, frameReader } from './frames.ts';
import { timerMs } from './timer.ts';
import { isPeerRequest, isView } from './view.ts';

export interface LinkEvents {
  heard(peer: ServerId, view: ServerView): void;
  refused(peer: ServerId): void;
  unknownPeer(from: string, why: string): void;
  request(peer: ServerId, id: number, request: PeerRequest): void;
  reply(peer: ServerId, ok: boolean, text: string, code?: 'busy'): void;
}

export interface LinkSettings {
  readonly self: ServerLine;
  readonly servers: readonly ServerLine[];
  readonly conf: ServerConf;
  readonly key: Secret;
}

/**
 * TLS 1.3 would need its own kind of PSK, which Node does not offer; these have forward secrecy and need no certificate. So
 * no authority is trusted either: to read the hundred of Node.js would take a fifth of the controller's start.
 */
const tlsOptions = {
  minVersion: 'TLSv1.2',
  maxVersion: 'TLSv1.2',
  ca: [],
  ciphers: 'ECDHE-PSK-CHACHA20-POLY1305:ECDHE-PSK-AES256-CBC-SHA384:ECDHE-PSK-AES128-CBC-SHA256',
} satisfies TlsOptions;

const handshakeTimeoutMs = 3000;
/** Connections whose handshake is not done; the oldest has to go, so that an unknown peer cannot keep peers out. */
const mostHandshakes = 16;
const unknownPeerEveryMs = 60_000;
const longestIdentity = 128;

/** What has become of a request; busy: another command is under way there. */
export interface Answer {
  readonly ok: boolean;
  readonly text: string;
  readonly code?: 'busy' | undefined;
}

/** Our side of the connection to one peer. */
interface Call {
  readonly line: ServerLine;
  socket: TLSSocket | null;
  ready: boolean;
  /** When the oldest heartbeat without an answer was sent. */
  unansweredSince: number | null;
  nextTryAt: number;
  backoffMs: number;
  pending: { readonly id: number; readonly timer: NodeJS.Timeout | null } | null;
}

export class AdminLink {
  readonly #events: LinkEvents;
  readonly #view: () => ServerView | null;
  #settings: LinkSettings;
  #server: Server | null = null;
  readonly #calls = new Map<ServerId, Call>();
  readonly #handshakes = new Set<Socket>();
  readonly #accepted = new Map<TLSSocket, ServerId>();
  readonly #identities = new WeakMap<TLSSocket, ServerId>();
  readonly #unknownPeers = new Map<string, number>();
  #seq = 0;
  #requests = 0;

  /** While `view` gives null nobody is answered; the port stays open, since a closed one says that no controller runs here. */
  constructor(settings: LinkSettings, view: () => ServerView | null, events: LinkEvents) {
    this.#settings = settings;
    this.#view = view;
    this.#events = events;
    this.update(settings);
  }

  /** Takes over new peers, times and key. Connections to peers that stayed the same go on. */
  update(settings: LinkSettings): void {
    this.#settings = settings;
    const peers = settings.servers.filter((line) => line.id !== settings.self.id);
    for (const [id, call] of this.#calls) {
      const same = peers.some(
        (it) => it.id === id && it.host === call.line.host && it.port === call.line.port,
      );
      if (!same) {
        this.#hangUp(call);
        this.#calls.delete(id);
      }
    }
    for (const line of peers) if (!this.#calls.has(line.id)) this.#calls.set(line.id, newCall(line));
  }

  /** Opens the admin port on the address of the own line only. Rejects when the address or port cannot be had. */
  listen(): Promise<void> {
    const server = createServer({
      ...tlsOptions,
      handshakeTimeout: handshakeTimeoutMs,
      pskCallback: (socket, identity) => this.#keyFor(socket as TLSSocket, identity),
    });
    this.#server = server;
    server.maxConnections = 256;
    server.on('connection', (socket: Socket) => this.#watchHandshake(socket));
    server.on('tlsClientError', (error, socket) => this.#turnAway(socket, error.message));
    server.on('secureConnection', (socket) => this.#accept(socket));
    const { host, port } = this.#settings.self;
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, host, () => {
        server.off('error', reject);
        server.on('error', (error) => this.#events.unknownPeer('the admin port', error.message));
        resolve();
      });
    });
  }

  #keyFor(socket: TLSSocket, identity: string): Buffer | null {
    const known = identity.length <= longestIdentity && this.#calls.has(identity);
    if (!known) return null;
    this.#identities.set(socket, identity);
    return Buffer.from(this.#settings.key.reveal(), 'hex');
  }

  #watchHandshake(socket: Socket): void {
    this.#handshakes.add(socket);
    socket.once('close', () => this.#handshakes.delete(socket));
    // Errors before the TLS layer is up have no other listener, and the connection is closed by them anyway.
    socket.on('error', () => this.#handshakes.delete(socket));
    const [oldest] = this.#handshakes;
    if (this.#handshakes.size > mostHandshakes && oldest) oldest.destroy();
  }

  #turnAway(socket: TLSSocket, why: string): void {
    const from = socket.remoteAddress ?? 'an unknown address';
    // A peer that has called while this host stood still, and has given up since, is not unknown.
    const gone = socket.remoteAddress === undefined && /hang up|ECONNRESET/.test(why);
    socket.destroy();
    if (gone) return;
    this.#reportStranger(from, why.replace(/^[0-9A-F]+:error:[0-9A-F]*:?/i, '').trim() || 'no TLS handshake');
  }

  /** The same unknown peer is reported once a minute; a scan must not fill the log. */
  #reportStranger(from: string, why: string): void {
    const now = performance.now();
    const last = this.#unknownPeers.get(from);
    if (last !== undefined && now - last < unknownPeerEveryMs) return;
    if (this.#unknownPeers.size > 1000) this.#unknownPeers.clear();
    this.#unknownPeers.set(from, now);
    this.#events.unknownPeer(from, why);
  }

  #accept(socket: TLSSocket): void {
    const peer = this.#identities.get(socket);
    for (const raw of this.#handshakes)
      if (raw.remotePort === socket.remotePort) this.#handshakes.delete(raw);
    if (peer === undefined) {
      socket.destroy();
      return;
    }
    this.#accepted.set(socket, peer);
    socket.setNoDelay(true);
    socket.setTimeout(timerMs(4 * this.#patienceMs() + 60_000), () => socket.destroy());
    socket.on('close', () => this.#accepted.delete(socket));
    socket.on('error', () => socket.destroy());
    const bad = (why: string): void => {
      socket.destroy();
      this.#reportStranger(`${peer} (${socket.remoteAddress ?? 'closed'})`, why);
    };
    socket.on(
      'data',
      frameReader((value) => this.#served(socket, peer, value, bad), bad),
    );
  }

  #served(
    socket: TLSSocket,
    peer: ServerId,
    value: Record<string, unknown>,
    bad: (why: string) => void,
  ): void {
    if (value.v !== protocolVersion) bad(`it speaks protocol ${String(value.v).slice(0, 20)}`);
    else if (value.kind === 'heartbeat' && isView(value.view, peer)) {
      // The answer says already that this was heard.
      this.#events.heard(peer, value.view);
      const view = this.#view();
      if (view) socket.write(frame({ v: protocolVersion, kind: 'answer', seq: value.seq, view }));
    } else if (value.kind === 'request' && typeof value.id === 'number' && isPeerRequest(value.request)) {
      this.#events.request(peer, value.id, value.request);
    } else bad('a message has an unknown form');
  }

  /** Answers a request of a peer, on whichever of its connections is open. */
  answer(peer: ServerId, id: number, { ok, text, code }: Answer): void {
    for (const [socket, owner] of this.#accepted) {
      if (owner === peer) socket.write(frame({ v: protocolVersion, kind: 'reply', id, ok, text, code }));
    }
  }

  /** One heartbeat to every peer; where there is no connection, the next attempt to make one. */
  heartbeat(view: ServerView): void {
    const now = performance.now();
    this.#seq += 1;
    for (const call of this.#calls.values()) {
      if (call.unansweredSince !== null && now - call.unansweredSince > this.#patienceMs())
        this.#hangUp(call);
      if (call.socket === null) {
        if (now >= call.nextTryAt) this.#dial(call);
      } else if (call.ready) this.#beat(call, view);
    }
  }

  #beat(call: Call, view: ServerView): void {
    call.unansweredSince ??= performance.now();
    call.socket?.write(frame({ v: protocolVersion, kind: 'heartbeat', seq: this.#seq, view }));
  }

  readonly #patienceMs = (): number => this.#settings.conf.heartbeatTimeoutMs;

  #dial(call: Call): void {
    const { heartbeatIntervalMs } = this.#settings.conf;
    call.nextTryAt = performance.now() + call.backoffMs;
    call.backoffMs = Math.min(call.backoffMs * 1.5 || heartbeatIntervalMs, 3 * heartbeatIntervalMs);
    call.unansweredSince = performance.now();
    const socket = connect({
      ...tlsOptions,
      host: call.line.host,
      port: call.line.port,
      // There is no certificate; the key is what proves the peer.
      checkServerIdentity: () => undefined,
      pskCallback: () => ({
        psk: Buffer.from(this.#settings.key.reveal(), 'hex'),
        identity: this.#settings.self.id,
      }),
    });
    call.socket = socket;
    socket.setNoDelay(true);
    socket.on('secureConnect', () => {
      call.ready = true;
      call.backoffMs = 0;
      const view = this.#view();
      if (view) this.#beat(call, view);
    });
    socket.on('error', (error) => this.#callFailed(call, socket, error));
    socket.on('close', () => this.#dropped(call, socket));
    const bad = (why: string): void => {
      socket.destroy();
      this.#reportStranger(call.line.id, why);
    };
    socket.on(
      'data',
      frameReader((value) => this.#heard(call, value, bad), bad),
    );
  }

  #callFailed(call: Call, socket: TLSSocket, error: Error): void {
    const code = 'code' in error ? String(error.code) : '';
    if (code === 'ECONNREFUSED') this.#events.refused(call.line.id);
    // An alert in the handshake means that the other side has another key, or none for us.
    else if (/^ERR_SSL|^EPROTO/.test(code)) this.#reportStranger(call.line.id, `the keys differ (${code})`);
    socket.destroy();
  }

  #heard(call: Call, value: Record<string, unknown>, bad: (why: string) => void): void {
    if (value.v !== protocolVersion) bad(`it speaks protocol ${String(value.v).slice(0, 20)}`);
    else if (value.kind === 'answer' && isView(value.view, call.line.id)) {
      call.unansweredSince = null;
      this.#events.heard(call.line.id, value.view);
    } else if (value.kind === 'reply' && typeof value.ok === 'boolean') {
      const code = value.code === 'busy' ? value.code : undefined;
      if (call.pending?.id === value.id) this.#settle(call, value.ok, String(value.text), code);
    } else bad('a message has an unknown form');
  }

  /** Asks a peer for something; exactly one `reply` event follows, also when the peer goes away. */
  ask(peer: ServerId, request: PeerRequest): void {
    const call = this.#calls.get(peer);
    if (!call?.ready || call.pending) {
      this.#events.reply(peer, false, 'it cannot be reached');
      return;
    }
    this.#requests += 1;
    const { remoteCallTimeoutMs } = this.#settings.conf;
    const waitMs = request.kind === 'switch' ? (request.maxWaitMs ?? defaultMaxWaitMs) : 0;
    const limitMs = remoteCallTimeoutMs + waitMs;
    const seconds = limitMs / 1000;
    const late = (): void =>
      this.#settle(
        call,
        false,
        `${peer} has not answered within ${seconds} s (remote_call_timeout); it may still go on`,
      );
    const timer = remoteCallTimeoutMs > 0 ? setTimeout(late, timerMs(limitMs)) : null;
    call.pending = { id: this.#requests, timer };
    call.socket?.write(frame({ v: protocolVersion, kind: 'request', id: this.#requests, request }));
  }

  #settle(call: Call, ok: boolean, text: string, code?: 'busy'): void {
    const { pending } = call;
    if (!pending) return;
    call.pending = null;
    if (pending.timer) clearTimeout(pending.timer);
    this.#events.reply(call.line.id, ok, text, code);
  }

  #dropped(call: Call, socket: TLSSocket): void {
    if (call.socket !== socket) return;
    call.socket = null;
    call.ready = false;
    call.unansweredSince = null;
    this.#settle(call, false, 'the connection broke before it answered');
  }

  #hangUp(call: Call): void {
    const { socket } = call;
    if (!socket) return;
    this.#dropped(call, socket);
    socket.destroy();
  }

  close(): void {
    for (const call of this.#calls.values()) this.#hangUp(call);
    // Replies that were just written still go out; the connections end after them.
    for (const socket of this.#accepted.keys()) socket.end();
    for (const socket of this.#handshakes) socket.destroy();
    this.#server?.close();
  }
}

function newCall(line: ServerLine): Call {
  return {
    line,
    socket: null,
    ready: false,
    unansweredSince: null,
    nextTryAt: 0,
    backoffMs: 0,
    pending: null,
  };
}
