/**
 * Who may speak to this server, by which key, and as what it introduces itself: the cluster key, of which two are heard while it is renewed
 * (ADR 16), and the keys of the pairs (ADR 30). In: settings, and what handshakes and peers say. Out: keys. It opens no connection.
 */
import type { Renewal } from '../../base/renewal.ts';
import type { Secret } from '../../base/secret.ts';
import { clusterMark } from '../config-arbiter-key.ts';
import type { ServerId } from '../core/view.ts';
import { readIdentity } from './arbiter-identity.ts';
import type { Identities } from './identity-files.ts';
import { type PairKey, pairIdentity, readPairIdentity } from './pair-key.ts';
import { Pairs } from './pairs.ts';
import type { Known, NotTaken } from './psk-port.ts';
import { heardKeys } from './renewal-file.ts';

export interface CallerKeys {
  readonly key: Secret;
  /** As long as the secrets are renewed. */
  readonly renewal?: Renewal | null;
  readonly identities?: Identities;
}

/** A peer that proves this key is this server. */
export interface Caller {
  readonly id: ServerId;
  /** Of the cluster. */
  readonly key: Secret;
  /** It knows of no renewal. */
  readonly plain: boolean;
  /** What it has proven besides the cluster key; missing where that is all. */
  readonly pair?: PairKey;
}

export class Callers {
  readonly #self: ServerId;
  readonly #peers: () => readonly ServerId[];
  #keys: CallerKeys;
  readonly pairs: Pairs;
  /** Peers that have called without a word of a renewal since the files were read. */
  readonly #forgot = new Set<ServerId>();

  constructor(self: ServerId, keys: CallerKeys, peers: () => readonly ServerId[]) {
    this.#self = self;
    this.#keys = keys;
    this.#peers = peers;
    this.pairs = new Pairs(self, keys.identities);
  }

  update(keys: CallerKeys): void {
    this.#keys = keys;
    this.#forgot.clear();
    this.pairs.update(keys.identities);
  }

  /**
   * A peer that knows of no renewal and proves the key that came has forgotten the other one. Where every peer has, nobody speaks that one any
   * more: the renewal is over, whatever file is left here.
   */
  #hears(): readonly Secret[] {
    const { key, renewal } = this.#keys;
    const turn = renewal?.key;
    const peers = this.#peers();
    const isOver = peers.length > 0 && peers.every((id) => this.#forgot.has(id));
    return turn?.to.equals(key) && isOver ? [key] : heardKeys(key, turn);
  }

  /**
   * Whom an identity stands for. While the key is renewed a peer says by which of the two it speaks; without a word it means the
   * one of this server.
   */
  known(identity: string): Known<Caller> | NotTaken | undefined {
    const paired = readPairIdentity(identity);
    if (paired) return this.#paired(paired);
    const named = readIdentity(identity);
    const id = named?.id ?? identity;
    const key = named ? this.#hears().find((it) => clusterMark(it) === named.fingerprint) : this.#keys.key;
    if (!key || !this.#peers().includes(id)) return undefined;
    if (this.pairs.demands(id)) return { why: `it calls itself ${id}, and does not prove the key of ${id}` };
    return { who: { id, key, plain: !named }, key };
  }

  #paired({ id, mark, isTurning }: NonNullable<ReturnType<typeof readPairIdentity>>) {
    if (!this.#peers().includes(id)) return undefined;
    const pair = this.marked(id).find((it) => it.mark === mark);
    if (!pair) return { why: `it calls itself ${id}, by a key that is not known of ${id} here` };
    return { who: { id, key: pair.clusterKey, plain: !isTurning, pair }, key: pair.key };
  }

  /** The keys by which this peer is heard. */
  marked(peer: ServerId): readonly PairKey[] {
    return this.pairs.keys(peer, this.#hears());
  }

  /** What was proven may not count any more. */
  isHeard({ id, key, pair }: Caller): boolean {
    if (pair) return this.marked(id).some((it) => it.key.equals(pair.key));
    return !this.pairs.demands(id) && this.#hears().some((it) => it.equals(key));
  }

  /** True where the caller has said that it has forgotten a key. */
  forgets({ id, key, plain }: Caller): boolean {
    if (!plain || !key.equals(this.#keys.key)) return false;
    this.#forgot.add(id);
    return true;
  }

  /** As what this server introduces itself to a peer, and by which key. */
  call(peer: ServerId): { readonly identity: string; readonly key: Secret; readonly pair?: PairKey } {
    const { key, renewal } = this.#keys;
    const isTurning = renewal?.key !== undefined;
    const pair = this.pairs.callKey(peer, key);
    if (pair) return { identity: pairIdentity(pair, this.#self, isTurning), key: pair.key, pair };
    return { identity: isTurning ? `${clusterMark(key)}/${this.#self}` : this.#self, key };
  }
}
