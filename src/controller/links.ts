/**
 * The connections of a controller, to its peers, to the arbiters and to an etcd. What they report becomes an event. In: a configuration and
 * views. Out: happenings. It decides nothing.
 */
import type { Publics } from '../base/identities.ts';
import { giveUpTimeMs, type ServerLine } from './config.ts';
import type { Happening, PeerRequest } from './core/event.ts';
import type { MessageNumber } from './core/messages.ts';
import type { Lineages, ServerId, ServerView } from './core/view.ts';
import { ArbiterLink } from './io/arbiter-link.ts';
import type { Configuration } from './io/configuration.ts';
import { type EtcdEvents, EtcdLink } from './io/etcd-link.ts';
import { AdminLink, type Answer } from './io/network.ts';

export interface LinksPorts {
  /** What this server tells; null while nobody is to be answered. */
  told(): ServerView | null;
  happen(happening: Happening): void;
  /** A peer was heard, which may be news of its instance too. */
  heard(peer: ServerId, view: ServerView): void;
  /** Writes down which keys peers have proven; why it could not, or null. */
  remember(proven: Publics): string | null;
  log(message: MessageNumber, values: Readonly<Record<string, string>>): void;
}

export class Links {
  readonly #ports: LinksPorts;
  readonly #peers: AdminLink;
  readonly #arbiters: ArbiterLink;
  readonly #etcd: EtcdLink;
  #configuration: Configuration;
  /** What peers and arbiters have proven, as it is written down. */
  #proven: Publics;
  /** The times of arbiters that do not go with those of this server, as was said. */
  readonly #warned = new Map<ServerId, number>();

  constructor(configuration: Configuration, ports: LinksPorts) {
    const { happen } = ports;
    this.#configuration = configuration;
    this.#proven = configuration.identities.proven;
    this.#ports = ports;
    this.#peers = new AdminLink(configuration, ports.told, {
      heard: (peer, view) => ports.heard(peer, view),
      refused: (peer) => happen({ kind: 'peer-refused', peer }),
      unknownPeer: (from, why) => happen({ kind: 'unknown-peer', from, why }),
      request: (peer, id, request) => happen({ kind: 'peer-request', peer, id, request }),
      reply: (peer, id, { ok, text, code }) =>
        happen({ kind: 'peer-reply', peer, id, ok, text, ...(code ? { code } : {}) }),
      proven: (peer, all) => this.#remember(peer, all[peer]),
    });
    const register: EtcdEvents = {
      heard: (arbiter, view, lineages) => happen({ kind: 'arbiter-heard', arbiter, view, lineages }),
      lost: (arbiter, why) => happen({ kind: 'arbiter-lost', arbiter, why }),
    };
    this.#etcd = new EtcdLink(configuration, register);
    this.#arbiters = new ArbiterLink(configuration, ports.told, {
      heard: (arbiter, view) => happen({ kind: 'arbiter-heard', arbiter, view }),
      lost: register.lost,
      patience: (arbiter, patienceMs) => this.#compareTimes(arbiter, patienceMs),
      proven: (arbiter, key) => this.#remember(arbiter, key),
    });
  }

  /** What was seen before the controller was started. */
  restore(lineages: Lineages): void {
    this.#etcd.restore(lineages);
  }

  /** Where another place than before is named, that is heard besides. */
  listen(self: ServerLine = this.#configuration.self): Promise<void> {
    return this.#peers.listen(self);
  }

  update(configuration: Configuration): void {
    this.#configuration = configuration;
    this.#proven = configuration.identities.proven;
    this.#warned.clear();
    this.#peers.update(configuration);
    this.#arbiters.update(configuration);
    this.#etcd.update(configuration);
  }

  heartbeat(view: ServerView): void {
    this.#peers.heartbeat(view);
    this.#arbiters.heartbeat(view);
    this.#etcd.heartbeat(view);
  }

  ask(peer: ServerId, id: number, request: PeerRequest): void {
    this.#peers.ask(peer, id, request);
  }

  answer(peer: ServerId, id: number, answer: Answer): void {
    this.#peers.answer(peer, id, answer);
  }

  /** By what each peer and each arbiter is heard; nothing where this server has no key of its own. */
  identities(): { readonly identities?: ReturnType<AdminLink['identities']> } {
    const all = { ...this.#peers.identities(), ...this.#arbiters.identities() };
    return this.#configuration.identities.own ? { identities: all } : {};
  }

  /** What cannot be written down is demanded as long as this process lives. */
  #remember(peer: ServerId, key: string | undefined): void {
    if (key === undefined) return;
    this.#proven = { ...this.#proven, [peer]: key };
    this.#ports.log('MCA01124', { peer });
    const why = this.#ports.remember(this.#proven);
    if (why !== null) this.#ports.log('MCA01125', { peer, why });
  }

  close(): void {
    this.#peers.close();
    this.#arbiters.close();
    this.#etcd.close();
  }

  /** A standby that asks earlier than the arbiter gives a silent primary up waits for it. */
  #compareTimes(arbiter: ServerId, patienceMs: number): void {
    const giveUpMs = giveUpTimeMs(this.#configuration.conf);
    if (giveUpMs >= patienceMs || this.#warned.get(arbiter) === patienceMs) return;
    this.#warned.set(arbiter, patienceMs);
    this.#ports.log('MCA00213', {
      arbiter,
      seconds: String(giveUpMs / 1000),
      patience: String(patienceMs / 1000),
    });
  }
}
