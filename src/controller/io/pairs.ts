/**
 * Which keys count between this server and each of its peers (ADR 30). In: the keys of the hosts, what peers tell, and what handshakes have
 * proven. Out: by which key a peer is called, and by which it may call. What is heard is wide; what is spoken was heard of before.
 */
import type { Publics } from '../../base/identities.ts';
import type { Secret } from '../../base/secret.ts';
import type { ServerId } from '../core/view.ts';
import type { Identities } from './identity-files.ts';
import { type OwnKey, type PairKey, pairKey } from './pair-key.ts';

/** `proven`: the cluster key alone is refused of it; `former`: it has proven the key that goes; `open`: it has a key; `none`: it is not told. */
export type IdentityState = 'proven' | 'former' | 'open' | 'none';

/** What a peer has told last, and how many calls have failed by their key since. */
interface Met {
  marks: readonly string[];
  failures: number;
}

const mostMarks = 16;

export class Pairs {
  readonly #self: ServerId;
  #own: OwnKey | undefined;
  /** Behind a reload that has brought another one: these peers may know this one alone, until they have read their files. */
  #formerOwn: OwnKey | undefined;
  readonly #formerFor = new Set<ServerId>();
  #known: Publics = {};
  #proven: Publics = {};
  readonly #met = new Map<ServerId, Met>();
  /** They cost a calculation each. */
  readonly #made = new Map<string, PairKey | undefined>();

  constructor(self: ServerId, identities: Identities | undefined) {
    this.#self = self;
    this.update(identities);
  }

  update({ own, known, proven }: Identities = { known: {}, proven: {} }): void {
    this.#known = known;
    this.#proven = proven;
    if (this.#own && own && own.public !== this.#own.public) {
      this.#formerOwn = this.#own;
      for (const peer of Object.keys({ ...known, ...proven })) this.#formerFor.add(peer);
    }
    if (own) this.#own = own;
    this.#made.clear();
  }

  get proven(): Publics {
    return this.#proven;
  }

  state(peer: ServerId): IdentityState {
    const [known, proven] = [this.#known[peer], this.#proven[peer]];
    if (proven !== undefined) return known === undefined || known === proven ? 'proven' : 'former';
    return known === undefined || !this.#own ? 'none' : 'open';
  }

  /** It is heard by its own key alone. */
  demands(peer: ServerId): boolean {
    return this.#proven[peer] !== undefined;
  }

  /** All that may be spoken with it, what is preferred first. */
  keys(peer: ServerId, clusterKeys: readonly Secret[]): readonly PairKey[] {
    const former = this.#formerFor.has(peer) ? this.#formerOwn : undefined;
    const owns = [this.#own, former].flatMap((it) => it ?? []);
    const others = [...new Set([this.#known[peer], this.#proven[peer]])].flatMap((it) => it ?? []);
    return clusterKeys.flatMap((clusterKey) =>
      owns.flatMap((own) => others.flatMap((other) => this.#make(peer, own, other, clusterKey) ?? [])),
    );
  }

  #make(peer: ServerId, own: OwnKey, other: string, clusterKey: Secret): PairKey | undefined {
    const name = [peer, own.public, other, clusterKey.reveal()].join(' ');
    if (!this.#made.has(name)) this.#made.set(name, pairKey(own, other, clusterKey, [this.#self, peer]));
    return this.#made.get(name);
  }

  /** By what a peer is called now; undefined: by the cluster key. Where nothing that was told fits, all that is allowed takes turns. */
  callKey(peer: ServerId, clusterKey: Secret): PairKey | undefined {
    const keys = this.keys(peer, [clusterKey]);
    const { marks, failures } = this.#metOf(peer);
    const agreed = keys.filter(({ mark }) => marks.includes(mark));
    const others = keys.filter((it) => !agreed.includes(it));
    const plain = this.demands(peer) ? [] : [undefined];
    const choices = [...agreed, ...plain, ...others];
    return choices[failures % Math.max(choices.length, 1)];
  }

  #metOf(peer: ServerId): Met {
    const met = this.#met.get(peer) ?? { marks: [], failures: 0 };
    this.#met.set(peer, met);
    return met;
  }

  /** What a peer says that it hears, whatever was sent. Earlier controllers say nothing. */
  told(peer: ServerId, marks: unknown): void {
    const met = this.#metOf(peer);
    const said = Array.isArray(marks) ? marks.slice(0, mostMarks).filter((it) => typeof it === 'string') : [];
    if (said.length > 0 || met.marks.length > 0) met.failures = 0;
    met.marks = said;
  }

  /** A call has failed by its key. */
  failed(peer: ServerId): void {
    this.#metOf(peer).failures += 1;
  }

  /** A handshake was done by this key: true where that is news. One that goes proves nothing new. */
  proves(peer: ServerId, { own, other }: Pick<PairKey, 'own' | 'other'>): boolean {
    if (own.public === this.#own?.public) this.#formerFor.delete(peer);
    if (this.#known[peer] !== other || this.#proven[peer] === other) return false;
    this.#proven = { ...this.#proven, [peer]: other };
    return true;
  }
}
