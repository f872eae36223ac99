/**
 * The connections of a server to the arbiters: it tells them what it tells its peers, and hears what their cells hold. In: views.
 * Out: what was heard, and why nothing is. An arbiter asks nothing of a server, so that it never calls.
 */
import type { Secret } from '../../base/secret.ts';
import { type ArbiterLine, giveUpTimeMs, type ServerConf, type ServerLine } from '../config.ts';
import { arbiterKeyOf } from '../config-arbiter-key.ts';
import type { ArbiterView, ServerId, ServerView } from '../core/view.ts';
import { protocolVersion } from '../version.ts';
import { arbiterIdentity } from './arbiter-identity.ts';
import { Call } from './call.ts';
import type { Identities } from './identity-files.ts';
import { pairIdentity } from './pair-key.ts';
import { type IdentityState, Pairs } from './pairs.ts';
import { isArbiterView } from './view.ts';

export interface ArbiterLinkEvents {
  heard(arbiter: ServerId, view: ArbiterView): void;
  /** Told once for each reason. */
  lost(arbiter: ServerId, why: string): void;
  /** How long the arbiter prefers a primary that it does not hear. */
  patience(arbiter: ServerId, patienceMs: number): void;
  /** It has proven this public part to be its own (ADR 30), and the key of the cluster alone is not spoken to it any more. */
  proven?(arbiter: ServerId, key: string): void;
}

export interface ArbiterLinkSettings {
  readonly self: ServerLine;
  readonly arbiters: readonly ArbiterLine[];
  readonly conf: ServerConf;
  /** The key of the cluster. */
  readonly key: Secret;
  readonly identities?: Identities;
}

interface Line {
  readonly line: ArbiterLine;
  readonly call: Call;
  /** Why it is not heard, as was told; null while it is. */
  why: string | null;
}

export class ArbiterLink {
  readonly #events: ArbiterLinkEvents;
  readonly #view: () => ServerView | null;
  #settings: ArbiterLinkSettings;
  readonly #lines = new Map<ServerId, Line>();
  readonly #pairs: Pairs;
  #seq = 0;

  constructor(settings: ArbiterLinkSettings, view: () => ServerView | null, events: ArbiterLinkEvents) {
    this.#settings = settings;
    this.#view = view;
    this.#events = events;
    this.#pairs = new Pairs(settings.self.id, settings.identities);
    this.update(settings);
  }

  /** What is known of the keys of the arbiters, for the report. */
  identities(): Readonly<Record<ServerId, IdentityState>> {
    return Object.fromEntries([...this.#lines.keys()].map((id) => [id, this.#pairs.state(id)]));
  }

  /** Takes over other arbiters, times and keys. Connections to those that stayed the same go on. */
  update(settings: ArbiterLinkSettings): void {
    this.#settings = settings;
    this.#pairs.update(settings.identities);
    for (const { line, call } of this.#lines.values()) if (call.key) this.#proves(line.id, call.key);
    for (const [id, { line }] of this.#lines) {
      const same = settings.arbiters.some(
        (it) => it.id === id && it.host === line.host && it.port === line.port,
      );
      if (!same) this.#forget(id);
    }
    for (const line of settings.arbiters)
      if (!this.#lines.has(line.id)) this.#lines.set(line.id, this.#newLine(line));
  }

  /** One heartbeat to each; where there is no connection, the next attempt to make one. */
  heartbeat(view: ServerView): void {
    this.#seq += 1;
    for (const { call } of this.#lines.values()) call.heartbeat(() => this.#beat(view));
  }

  close(): void {
    for (const id of [...this.#lines.keys()]) this.#forget(id);
  }

  /** Nothing is told of it any more. */
  #forget(id: ServerId): void {
    const line = this.#lines.get(id);
    this.#lines.delete(id);
    // Who answers at another place may know other keys.
    this.#pairs.told(id, undefined);
    line?.call.hangUp('');
  }

  /** By what an arbiter is called now: the key that it has with this server, or that of the cluster. */
  #callBy(arbiter: ServerId): { readonly identity: string; readonly key: Secret } {
    const { self } = this.#settings;
    const key = arbiterKeyOf(this.#settings.key);
    const pair = this.#pairs.callKey(arbiter, key);
    return pair
      ? { identity: pairIdentity(pair, self.id, false), key: pair.key }
      : { identity: arbiterIdentity(key, self.id), key };
  }

  /** A handshake was done by this key. */
  #proves(arbiter: ServerId, key: Secret): void {
    const keys = this.#pairs.keys(arbiter, [arbiterKeyOf(this.#settings.key)]);
    const pair = keys.find((it) => it.key.equals(key));
    if (pair && this.#pairs.proves(arbiter, pair)) this.#events.proven?.(arbiter, pair.other);
  }

  readonly #beat = (view: ServerView): object => ({
    v: protocolVersion,
    kind: 'heartbeat',
    seq: this.#seq,
    view,
    giveUpMs: giveUpTimeMs(this.#settings.conf),
  });

  #newLine(line: ArbiterLine): Line {
    const call = new Call(
      () => ({
        host: line.host,
        port: line.port,
        ...this.#callBy(line.id),
        intervalMs: this.#settings.conf.heartbeatIntervalMs,
        patienceMs: this.#settings.conf.heartbeatTimeoutMs,
      }),
      {
        connected: (key) => {
          this.#proves(line.id, key);
          const view = this.#view();
          if (view) call.beat(this.#beat(view));
        },
        frame: (value, bad) => this.#heard(made, value, bad),
        // The end of the connection tells both.
        refused: () => undefined,
        unknown: () => undefined,
        otherKey: () => this.#pairs.failed(line.id),
        ended: (why) => this.#lost(made, why),
      },
    );
    const made: Line = { line, call, why: null };
    return made;
  }

  #heard(line: Line, value: Record<string, unknown>, bad: (why: string) => void): void {
    const { id } = line.line;
    if (value.v !== protocolVersion) bad(`it speaks protocol ${String(value.v).slice(0, 20)}`);
    else if (value.kind === 'answer' && isArbiterView(value.view, id)) {
      line.call.answered();
      line.why = null;
      this.#pairs.told(id, value.marks);
      this.#events.heard(id, value.view);
      if (typeof value.patienceMs === 'number') this.#events.patience(id, value.patienceMs);
    } else bad('a message has an unknown form');
  }

  #lost(line: Line, why: string): void {
    if (this.#lines.get(line.line.id) !== line || line.why === why) return;
    line.why = why;
    this.#events.lost(line.line.id, why);
  }
}
