/**
 * The register of a cluster in etcd, as an arbiter looks to the core: this server tells itself what it would tell an arbiter, judges
 * as one does, and writes the outcome there. In: views. Out: what the cell holds, and why nothing is known. One round at a time;
 * each begins with a read, so that what became of an answer that was lost is seen. docs/adr/0011-etcd-as-a-register.md
 */
import { randomUUID } from 'node:crypto';
import { giveUpTimeMs, type ServerConf } from '../config.ts';
import { hearServer } from '../core/register.ts';
import type { ArbiterView, Cell, ServerId, ServerView } from '../core/view.ts';
import { Etcd, type EtcdAccess, type EtcdLimits, EtcdTrouble } from './etcd.ts';
import { cellOf, EtcdCell, type Seen } from './etcd-cell.ts';

export interface EtcdRegister extends EtcdAccess {
  /** As what promises name it. */
  readonly id: ServerId;
  /** Below it are the keys of this cluster, and of no other; it ends with a slash. */
  readonly prefix: string;
}

export interface EtcdSettings {
  readonly etcd: EtcdRegister | null;
  readonly conf: ServerConf;
}

export interface EtcdEvents {
  heard(register: ServerId, view: ArbiterView): void;
  /** Told once for each reason. */
  lost(register: ServerId, why: string): void;
}

export class EtcdLink {
  readonly #events: EtcdEvents;
  #settings: EtcdSettings;
  #session: Session | null = null;

  constructor(settings: EtcdSettings, events: EtcdEvents) {
    this.#events = events;
    this.#settings = settings;
    this.update(settings);
  }

  /** Takes over another etcd, user or password, and times. With the same ones all goes on. */
  update(settings: EtcdSettings): void {
    this.#settings = settings;
    const { etcd } = settings;
    if (this.#session && etcd && isSame(this.#session.register, etcd)) return;
    this.#session?.close();
    this.#session = etcd && new Session(etcd, () => this.#settings.conf, this.#events);
  }

  heartbeat(view: ServerView): void {
    this.#session?.heartbeat(view);
  }

  close(): void {
    this.#session?.close();
    this.#session = null;
  }
}

const isSame = (one: EtcdRegister, other: EtcdRegister): boolean =>
  (['id', 'prefix', 'user', 'ca'] as const).every((field) => one[field] === other[field]) &&
  one.endpoints.join() === other.endpoints.join() &&
  one.password.equals(other.password);

/** A primary that was heard within this time is preferred to a standby that asks. */
const patienceMs = ({ heartbeatIntervalMs, heartbeatTimeoutMs }: ServerConf): number =>
  heartbeatIntervalMs + heartbeatTimeoutMs;

const isServing = ({ role, phase, handover }: ServerView): boolean =>
  role === 'primary' && phase === 'running' && handover === null;

/** So often others may write in between before a round is over. */
const mostWrites = 3;

/** After so many rounds without an answer it may be the login that nobody answers. */
const mostInVain = 3;

class Session {
  readonly register: EtcdRegister;
  readonly #conf: () => ServerConf;
  readonly #events: EtcdEvents;
  readonly #etcd: Etcd;
  readonly #cell: EtcdCell;
  readonly #incarnation = randomUUID();
  #seq = 0;
  #closed = false;
  #busy = false;
  /** What is to be told next. */
  #view: ServerView | null = null;
  #last: ServerView | null = null;
  /** Why it is not heard, as was told; null while it is. */
  #why: string | null = null;
  /** Since when it is heard without a break. */
  #heardSince: number | null = null;
  /** Rounds in a row that nobody has answered. */
  #inVain = 0;
  #quietUntil = 0;
  #newest = { id: '', revision: 0 };

  constructor(register: EtcdRegister, conf: () => ServerConf, events: EtcdEvents) {
    this.register = register;
    this.#conf = conf;
    this.#events = events;
    this.#etcd = new Etcd(register, () => this.#limits());
    this.#cell = new EtcdCell(this.#etcd, register.prefix);
  }

  /** All members can be tried before this server is taken for one that is cut off. */
  #limits(): EtcdLimits {
    const conf = this.#conf();
    const giveUpMs = giveUpTimeMs(conf);
    const call = Math.min(conf.heartbeatTimeoutMs, giveUpMs / (this.register.endpoints.length + 1));
    return { call, login: giveUpMs / 2 };
  }

  close(): void {
    this.#closed = true;
    this.#etcd.close();
  }

  heartbeat(view: ServerView): void {
    const last = this.#last;
    const isOlder = last?.incarnation === view.incarnation && view.seq < last.seq;
    this.#view = last && isOlder ? last : view;
    this.#last = this.#view;
    if (!this.#busy && performance.now() >= this.#quietUntil) void this.#run();
  }

  async #run(): Promise<void> {
    this.#busy = true;
    for (let view = this.#view; view && !this.#closed; view = this.#view) {
      this.#view = null;
      await this.#round(view);
    }
    this.#busy = false;
  }

  async #round(view: ServerView): Promise<void> {
    const cell = await this.#ask(view);
    if (cell === null || this.#closed) return;
    this.#hear(view, cell);
    await this.#tellServing(view);
  }

  /** One member after the other, until one answers for certain; null when none does. */
  async #ask(view: ServerView): Promise<Cell | null> {
    const { endpoints } = this.register;
    const troubles = new Map<string, string>();
    for (let tried = 0; tried < endpoints.length && !this.#closed; tried += 1) {
      const { endpoint } = this.#etcd;
      try {
        return await this.#exchange(view);
      } catch (error) {
        if (!(error instanceof EtcdTrouble)) throw error;
        troubles.set(endpoint, error.message);
        this.#etcd.next();
        if (error.kind === 'login') this.#quietUntil = performance.now() + giveUpTimeMs(this.#conf());
        if (error.kind !== 'member') break;
      }
    }
    this.#lose(
      endpoints.flatMap((it) => (troubles.has(it) ? [`${it}: ${troubles.get(it)}`] : [])).join('; '),
    );
    return null;
  }

  /** Reads, judges and writes, until what is there needs no change. */
  async #exchange(view: ServerView): Promise<Cell> {
    let seen = await this.#cell.read();
    for (let writes = 0; writes < mostWrites; writes += 1) {
      const cell = this.#judge(seen, view);
      const outcome = cell === seen.cell ? { written: true, seen } : await this.#cell.write(cell, seen);
      seen = outcome.seen;
      if (!outcome.written) continue;
      // Not before: what is older than this may be thrown away only once, and has to be.
      this.#newest = seen.etcd;
      return cell;
    }
    throw new EtcdTrouble('others write there all the time');
  }

  #judge(seen: Seen, view: ServerView): Cell {
    const { id, revision } = this.#newest;
    const cell = cellOf(seen, id === seen.etcd.id ? revision : 0, randomUUID());
    const since = this.#heardSince;
    const settled = since !== null && performance.now() - since >= patienceMs(this.#conf());
    const serves = !settled || (seen.serving !== null && seen.serving !== view.id);
    return hearServer(cell, view, { at: this.register.id, serves, newId: randomUUID() });
  }

  #hear(view: ServerView, cell: Cell): void {
    this.#heardSince ??= performance.now();
    this.#inVain = 0;
    this.#why = null;
    this.#seq += 1;
    const { incarnation, seq } = view;
    this.#events.heard(this.register.id, {
      id: this.register.id,
      version: 'etcd',
      incarnation: this.#incarnation,
      seq: this.#seq,
      cell,
      echoes: { [view.id]: { incarnation, seq } },
    });
  }

  /** A preference and no more, so that a failure changes nothing: the next round says whether etcd is there. */
  async #tellServing(view: ServerView): Promise<void> {
    try {
      if (isServing(view)) await this.#cell.serve(view.id, Math.ceil(patienceMs(this.#conf()) / 1000));
      else await this.#cell.serveNoMore();
    } catch (error) {
      if (!(error instanceof EtcdTrouble)) throw error;
      this.#cell.forgetLease();
    }
  }

  #lose(why: string): void {
    this.#heardSince = null;
    this.#inVain += 1;
    if (this.#inVain % mostInVain === 0) this.#etcd.forgetLogin();
    if (this.#closed || this.#why === why) return;
    this.#why = why;
    this.#events.lost(this.register.id, why);
  }
}
