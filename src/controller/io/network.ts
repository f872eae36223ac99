/**
 * The admin link: every controller keeps one TLS connection to every other one, sends its view at each heartbeat and
 * gets the other's view as the answer. In: views and requests. Out: what was heard, refused, asked.
 * Both sides prove the key of the cluster in the handshake (TLS 1.2, ECDHE with pre-shared key), and who they are as soon as both know
 * that (ADR 30), so that no unknown peer's byte is read as a message. It reports; it never decides that a peer is dead.
 */
import { randomInt } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import type { Publics } from '../../base/identities.ts';
import type { ServerConf, ServerLine } from '../config.ts';
import type { PeerRequest } from '../core/event.ts';
import { defaultMaxWaitMs } from '../core/preparation.ts';
import type { ServerId, ServerView } from '../core/view.ts';
import { protocolVersion } from '../version.ts';
import { Call } from './call.ts';
import { type Caller, type CallerKeys, Callers } from './callers.ts';
import { frame, frameReader } from './frames.ts';
import type { PairKey } from './pair-key.ts';
import type { IdentityState } from './pairs.ts';
import { PskPort, UnknownPeers } from './psk-port.ts';
import { timerMs } from './timer.ts';
import { isPeerRequest, isView } from './view.ts';

export interface LinkEvents {
  heard(peer: ServerId, view: ServerView): void;
  refused(peer: ServerId): void;
  unknownPeer(from: string, why: string): void;
  request(peer: ServerId, id: number, request: PeerRequest): void;
  /** The id is the one with which it was asked. */
  reply(peer: ServerId, id: number, answer: Answer): void;
  /** It has proven its own key, and the cluster key alone is refused of it from now on. `all`: what has been proven by now. */
  proven?(peer: ServerId, all: Publics): void;
}

export interface LinkSettings extends CallerKeys {
  readonly self: ServerLine;
  readonly servers: readonly ServerLine[];
  readonly conf: ServerConf;
}

/** Connections whose handshake is not done. */
const mostHandshakes = 16;
const mostConnections = 256;

/** What has become of a request; busy: another command is under way there. */
export interface Answer {
  readonly ok: boolean;
  readonly text: string;
  readonly code?: 'busy' | undefined;
}

/** Our side of the connection to one peer. */
interface Line {
  readonly line: ServerLine;
  readonly call: Call;
  /** Requests without an answer, by their numbers on the wire. */
  readonly pending: Map<number, { readonly id: number; readonly timer: NodeJS.Timeout | null }>;
}

export class AdminLink {
  readonly #events: LinkEvents;
  readonly #view: () => ServerView | null;
  #settings: LinkSettings;
  readonly #callers: Callers;
  readonly #port: PskPort<Caller>;
  readonly #lines = new Map<ServerId, Line>();
  readonly #accepted = new Map<TLSSocket, Caller>();
  /** Peers that have called where the port is now. */
  readonly #arrived = new Set<ServerId>();
  readonly #unknownPeers: UnknownPeers;
  #seq = 0;
  /** A former start of this controller may have asked, too, and its answers may still come. */
  #requests = randomInt(2 ** 40);

  /** While `view` gives null nobody is answered; the port stays open, since a closed one says that no controller runs here. */
  constructor(settings: LinkSettings, view: () => ServerView | null, events: LinkEvents) {
    this.#settings = settings;
    this.#view = view;
    this.#events = events;
    this.#unknownPeers = new UnknownPeers((from, why) => events.unknownPeer(from, why));
    this.#callers = new Callers(settings.self.id, settings, () => [...this.#lines.keys()]);
    this.#port = new PskPort<Caller>(
      (identity) => this.#callers.known(identity),
      () => mostHandshakes,
      {
        accepted: (socket, caller, isFormer) => this.#accept(socket, caller, isFormer),
        unknownPeer: (from, why) => this.#unknownPeers.seen(from, why),
        failed: (why) => events.unknownPeer('the admin port', why),
      },
    );
    this.update(settings);
  }

  #endForgotten(): void {
    for (const [socket, caller] of this.#accepted) if (!this.#callers.isHeard(caller)) socket.destroy();
  }

  /** What is known of the keys of the peers, for the report. */
  identities(): Readonly<Record<ServerId, IdentityState>> {
    return Object.fromEntries([...this.#lines.keys()].map((id) => [id, this.#callers.pairs.state(id)]));
  }

  /** A handshake was done by this key. */
  #proves(peer: ServerId, pair: PairKey | undefined): void {
    const { pairs } = this.#callers;
    if (!pair) return;
    if (pairs.proves(peer, pair)) this.#events.proven?.(peer, pairs.proven);
    this.#endForgotten();
  }

  #marks(peer: ServerId): { readonly marks?: readonly string[] } {
    const marks = this.#callers.marked(peer).map(({ mark }) => mark);
    return marks.length > 0 ? { marks } : {};
  }

  /** Takes over new peers, times and keys. Connections to peers that stayed the same go on; those by a key that counts no more end. */
  update(settings: LinkSettings): void {
    this.#settings = settings;
    this.#callers.update(settings);
    this.#endForgotten();
    // What stands was proven by its handshake, whatever was written down of it.
    for (const { id, pair } of this.#accepted.values()) this.#proves(id, pair);
    const peers = settings.servers.filter((line) => line.id !== settings.self.id);
    for (const [id, { line, call }] of this.#lines) {
      const same = peers.some((it) => it.id === id && it.host === line.host && it.port === line.port);
      if (!same) {
        call.hangUp('');
        this.#lines.delete(id);
      }
    }
    for (const line of peers) if (!this.#lines.has(line.id)) this.#lines.set(line.id, this.#newLine(line));
  }

  /**
   * Opens the admin port on the address of the own line only. Rejects when the address or port cannot be had. A former one is closed
   * when every peer has called the new one: until then they have not read of it.
   */
  async listen({ host, port }: Pick<ServerLine, 'host' | 'port'> = this.#settings.self): Promise<void> {
    await this.#port.listen(host, port, mostConnections);
    this.#arrived.clear();
  }

  #arrive(peer: ServerId): void {
    this.#arrived.add(peer);
    if ([...this.#lines.keys()].every((id) => this.#arrived.has(id))) this.#port.closeFormer();
  }

  #newLine(line: ServerLine): Line {
    const call = new Call(
      () => ({
        host: line.host,
        port: line.port,
        ...this.#callers.call(line.id),
        intervalMs: this.#settings.conf.heartbeatIntervalMs,
        patienceMs: this.#patienceMs(),
      }),
      {
        connected: (key) => {
          this.#proves(
            line.id,
            this.#callers.marked(line.id).find((pair) => pair.key.equals(key)),
          );
          const view = this.#view();
          if (view) call.beat(this.#beat(line.id, view));
        },
        otherKey: () => this.#callers.pairs.failed(line.id),
        frame: (value, bad) => this.#heard(made, value, bad),
        refused: () => this.#events.refused(line.id),
        unknown: (why) => this.#unknownPeers.seen(line.id, why),
        ended: () => this.#settleAll(made, 'the connection broke before it answered; it may still go on'),
      },
    );
    const made: Line = { line, call, pending: new Map() };
    return made;
  }

  #accept(socket: TLSSocket, caller: Caller, isFormer: boolean): void {
    const peer = caller.id;
    if (!isFormer) this.#arrive(peer);
    // The key may have been forgotten since the handshake began.
    if (!this.#callers.isHeard(caller)) {
      socket.destroy();
      return;
    }
    this.#accepted.set(socket, caller);
    this.#proves(peer, caller.pair);
    if (this.#callers.forgets(caller)) this.#endForgotten();
    socket.setTimeout(timerMs(4 * this.#patienceMs() + 60_000), () => socket.destroy());
    socket.on('close', () => this.#accepted.delete(socket));
    const bad = (why: string): void => {
      socket.destroy();
      this.#unknownPeers.seen(`${peer} (${socket.remoteAddress ?? 'closed'})`, why);
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
      this.#callers.pairs.told(peer, value.marks);
      const view = this.#view();
      const answer = { v: protocolVersion, kind: 'answer', seq: value.seq, ...this.#marks(peer) };
      if (view) socket.write(frame({ ...answer, view }));
    } else if (value.kind === 'request' && typeof value.id === 'number' && isPeerRequest(value.request)) {
      this.#events.request(peer, value.id, value.request);
    } else bad('a message has an unknown form');
  }

  /** Answers a request of a peer, on whichever of its connections is open. */
  answer(peer: ServerId, id: number, { ok, text, code }: Answer): void {
    for (const [socket, owner] of this.#accepted) {
      if (owner.id === peer) socket.write(frame({ v: protocolVersion, kind: 'reply', id, ok, text, code }));
    }
  }

  /** One heartbeat to every peer; where there is no connection, the next attempt to make one. */
  heartbeat(view: ServerView): void {
    this.#seq += 1;
    for (const [id, { call, pending }] of this.#lines)
      call.heartbeat(() => this.#beat(id, view), pending.size === 0);
  }

  readonly #beat = (peer: ServerId, view: ServerView): object => ({
    v: protocolVersion,
    kind: 'heartbeat',
    seq: this.#seq,
    ...this.#marks(peer),
    view,
  });

  readonly #patienceMs = (): number => this.#settings.conf.heartbeatTimeoutMs;

  #heard(line: Line, value: Record<string, unknown>, bad: (why: string) => void): void {
    if (value.v !== protocolVersion) bad(`it speaks protocol ${String(value.v).slice(0, 20)}`);
    else if (value.kind === 'answer' && isView(value.view, line.line.id)) {
      line.call.answered();
      this.#events.heard(line.line.id, value.view);
      this.#callers.pairs.told(line.line.id, value.marks);
    } else if (value.kind === 'reply' && typeof value.ok === 'boolean') {
      const code = value.code === 'busy' ? value.code : undefined;
      this.#settle(line, value.id, { ok: value.ok, text: String(value.text), code });
    } else bad('a message has an unknown form');
  }

  /** Asks a peer for something; exactly one `reply` event with that id follows, also when the peer goes away. */
  ask(peer: ServerId, id: number, request: PeerRequest): void {
    const line = this.#lines.get(peer);
    if (!line?.call.ready) {
      this.#events.reply(peer, id, { ok: false, text: 'it cannot be reached' });
      return;
    }
    this.#requests += 1;
    const number = this.#requests;
    const { remoteCallTimeoutMs } = this.#settings.conf;
    const waitMs = request.kind === 'switch' ? (request.maxWaitMs ?? defaultMaxWaitMs) : 0;
    const limitMs = remoteCallTimeoutMs + waitMs;
    const seconds = limitMs / 1000;
    const text = `${peer} has not answered within ${seconds} s (remote_call_timeout); it may still go on`;
    const late = (): void => this.#settle(line, number, { ok: false, text });
    const timer = remoteCallTimeoutMs > 0 ? setTimeout(late, timerMs(limitMs)) : null;
    line.pending.set(number, { id, timer });
    line.call.send({ v: protocolVersion, kind: 'request', id: number, request });
  }

  /** What comes twice, or was asked by a former start of this controller, is nobody's answer. */
  #settle({ line, pending }: Line, number: unknown, answer: Answer): void {
    if (typeof number !== 'number') return;
    const asked = pending.get(number);
    if (!asked) return;
    pending.delete(number);
    if (asked.timer) clearTimeout(asked.timer);
    this.#events.reply(line.id, asked.id, answer);
  }

  #settleAll(line: Line, text: string): void {
    for (const number of [...line.pending.keys()]) this.#settle(line, number, { ok: false, text });
  }

  close(): void {
    for (const { call } of this.#lines.values()) call.hangUp('');
    // Replies that were just written still go out; the connections end after them.
    for (const socket of this.#accepted.keys()) socket.end();
    this.#port.close();
  }
}
