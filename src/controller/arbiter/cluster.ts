/**
 * One cluster of an arbiter: its files, its cell, and which of its servers are online. In: files, views and the time. Out: answers.
 */
import { randomUUID } from 'node:crypto';
import type { Secret } from '../../base/secret.ts';
import { type ArbiterConf, offlineAfterMs, patienceMs } from '../config-arbiter.ts';
import type { MessageNumber } from '../core/messages.ts';
import type { Cell, ServerId, ServerView } from '../core/view.ts';
import { arbiterName, type ClusterFiles } from '../io/arbiter-files.ts';
import type { ArbiterAnswer } from '../io/arbiter-port.ts';
import { writeCell } from '../io/cell-file.ts';
import { errorText } from '../io/files.ts';
import { writeProven } from '../io/identity-files.ts';
import type { PairKey } from '../io/pair-key.ts';
import { Pairs } from '../io/pairs.ts';
import { controllerVersion } from '../version.ts';
import { CellOwner } from './cell-owner.ts';
import type { ClusterStatus } from './status.ts';

export type Log = (message: MessageNumber, values: Readonly<Record<string, string>>) => void;

interface Heard {
  readonly at: number;
  readonly wall: number;
}

const usualAttempts = 3;

export class Cluster {
  #files: ClusterFiles;
  #conf: ArbiterConf;
  readonly #log: Log;
  readonly #owner: CellOwner;
  /** Which keys of its servers count here (ADR 30). An arbiter calls nobody. */
  #pairs: Pairs;
  readonly #startedAt: number;
  #tickedAt: number;
  readonly #heard = new Map<ServerId, Heard>();
  /** As was said; a server that is missing was neither. */
  readonly #online = new Map<ServerId, boolean>();
  /** Times that do not go with those of the arbiter, as was said. */
  readonly #hasty = new Map<ServerId, number>();

  constructor(
    files: ClusterFiles,
    conf: ArbiterConf,
    found: { readonly cell: Cell | null; readonly torn: boolean },
    at: number,
    log: Log,
  ) {
    this.#files = files;
    this.#conf = conf;
    this.#pairs = new Pairs(files.self.id, files.identities);
    this.#log = (message, values) => log(message, { cluster: files.cluster, ...values });
    this.#startedAt = at;
    this.#tickedAt = at;
    this.#owner = new CellOwner(
      {
        id: files.self.id,
        version: controllerVersion,
        incarnation: randomUUID(),
        found,
        at,
        patienceMs: patienceMs(conf),
      },
      { write: (cell) => this.#write(cell), log: this.#log },
    );
  }

  get files(): ClusterFiles {
    return this.#files;
  }

  configure(files: ClusterFiles, conf: ArbiterConf): void {
    // Its name is in the keys.
    if (files.self.id === this.#files.self.id) this.#pairs.update(files.identities);
    else this.#pairs = new Pairs(files.self.id, files.identities);
    this.#files = files;
    this.#conf = conf;
    this.#hasty.clear();
    this.#owner.configure({ id: files.self.id, patienceMs: patienceMs(conf) });
  }

  /** The keys by which this server is heard, made of these of the cluster. */
  marked(server: ServerId, keys: readonly Secret[]): readonly PairKey[] {
    return this.#pairs.keys(server, keys);
  }

  /** It is heard by its own key alone. */
  demands(server: ServerId): boolean {
    return this.#pairs.demands(server);
  }

  /** A handshake was done by this key. What cannot be written down is demanded as long as this process lives. */
  identify(server: ServerId, pair: PairKey): void {
    if (!this.#pairs.proves(server, pair)) return;
    this.#log('MCR00014', { server });
    try {
      writeProven(this.#files.dir, arbiterName, this.#pairs.proven);
    } catch (error) {
      this.#log('MCR00015', { server, why: errorText(error) });
    }
  }

  /** A stalled disk holds the whole arbiter up here: nobody is answered, and nothing happens. That is meant. */
  #write(cell: Cell): string | null {
    try {
      writeCell(this.#files.dir, cell);
      return null;
    } catch (error) {
      return errorText(error);
    }
  }

  hear(view: ServerView, giveUpMs: number | undefined, now: Heard): ArbiterAnswer | null {
    this.#heard.set(view.id, now);
    if (this.#online.get(view.id) !== true) {
      this.#online.set(view.id, true);
      this.#log('MCR00006', { server: view.id });
    }
    if (giveUpMs !== undefined) this.#heedTimes(view.id, giveUpMs);
    const told = this.#owner.hear(view, now.at);
    return told && { view: told, patienceMs: patienceMs(this.#conf), ...this.#marks(view.id) };
  }

  /** Earlier controllers do not read them. */
  #marks(server: ServerId): { readonly marks?: readonly string[] } {
    const marks = this.marked(server, [...this.#files.keys.values()]).map(({ mark }) => mark);
    return marks.length > 0 ? { marks } : {};
  }

  /** A cluster with slow heartbeats is given more time than the arbiter's own say: one of three attempts, as by default. */
  #heedTimes(server: ServerId, giveUpMs: number): void {
    this.#compareTimes(server, giveUpMs);
    this.#owner.configure({
      id: this.#files.self.id,
      patienceMs: Math.max(patienceMs(this.#conf), giveUpMs / usualAttempts),
    });
  }

  /** Says which servers are not heard any more, or were never. Behind a pause of this process nobody was heard yet. */
  tick(at: number): void {
    if (at - this.#tickedAt > patienceMs(this.#conf)) this.#owner.goOn(at);
    this.#tickedAt = at;
    for (const { id } of this.#files.servers) {
      const since = this.#heard.get(id)?.at ?? this.#startedAt;
      if (at - since < offlineAfterMs(this.#conf) || this.#online.get(id) === false) continue;
      this.#online.set(id, false);
      this.#log('MCR00007', { server: id });
    }
  }

  /** A standby that asks earlier than the primary is given up here has to wait. */
  #compareTimes(server: ServerId, giveUpMs: number): void {
    const patience = patienceMs(this.#conf);
    if (giveUpMs >= patience || this.#hasty.get(server) === giveUpMs) return;
    this.#hasty.set(server, giveUpMs);
    this.#log('MCR00094', {
      server,
      seconds: String(giveUpMs / 1000),
      patience: String(patience / 1000),
    });
  }

  status(at: number, problem: string | null): ClusterStatus {
    const { cell, unwritten } = this.#owner;
    return {
      cluster: this.#files.cluster,
      arbiter_id: this.#files.self.id,
      term: cell.term,
      holder: cell.holder,
      cell_id: cell.id,
      unwritten,
      problem,
      keys: [...this.#files.keys.keys()],
      servers: this.#files.servers.map(({ id, host }) => {
        const heard = this.#heard.get(id);
        const fresh = heard !== undefined && at - heard.at < offlineAfterMs(this.#conf);
        return {
          server_id: id,
          host,
          status: fresh ? 'online' : 'offline',
          last_heard: heard ? new Date(heard.wall).toISOString() : null,
          identity: this.#pairs.state(id),
        };
      }),
    };
  }
}
