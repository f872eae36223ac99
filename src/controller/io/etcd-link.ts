/**
 * The register of a cluster in etcd, as an arbiter looks to the core: this server tells itself what it would tell an arbiter, judges
 * as one does, and writes the outcome there. In: views. Out: what the cell holds, and why nothing is known. One round at a time;
 * each begins with a read, so that what became of an answer that was lost is seen. docs/adr/0011-etcd-as-a-register.md
 */
import { randomUUID } from 'node:crypto';
import { giveUpTimeMs, type ServerConf } from '../config.ts';
import { patienceMs } from '../config-arbiter.ts';
import { hearServer, takenBy } from '../core/register.ts';
import { termOf } from '../core/term.ts';
import type { ArbiterView, Cell, Lineages, ServerId, ServerView } from '../core/view.ts';
import { Etcd, type EtcdAccess, type EtcdLimits } from './etcd.ts';
import { cellOf, EtcdCell, type Seen } from './etcd-cell.ts';
import { EtcdTrouble } from './etcd-words.ts';

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
  /** With what has to be remembered of every etcd that was asked, also behind a restart. */
  heard(register: ServerId, view: ArbiterView, lineages: Lineages): void;
  /** Told once for each reason. */
  lost(register: ServerId, why: string): void;
}

/** More than anybody goes back and forth between. */
const mostPlaces = 8;

/** What this server has seen, by etcd and place: it outlasts a reload, another etcd, and the way back from that. */
class Memory {
  #marks: Lineages = {};

  get all(): Lineages {
    return this.#marks;
  }

  /** Of before the start; what was seen since is newer. */
  restore(marks: Lineages): void {
    this.#marks = { ...marks, ...this.#marks };
  }

  of({ place }: Seen): string | undefined {
    return this.#marks[place];
  }

  see({ place, lineage: [mark] }: Seen): void {
    if (mark === undefined || mark === this.#marks[place]) return;
    const others = Object.entries(this.#marks).filter(([other]) => other !== place);
    this.#marks = Object.fromEntries([...others.slice(1 - mostPlaces), [place, mark]]);
  }
}

export class EtcdLink {
  readonly #events: EtcdEvents;
  readonly #memory = new Memory();
  #settings: EtcdSettings;
  #session: Session | null = null;

  constructor(settings: EtcdSettings, events: EtcdEvents) {
    this.#events = events;
    this.#settings = settings;
    this.update(settings);
  }

  /** What was seen before the controller was started; told before anything is asked. */
  restore(lineages: Lineages): void {
    this.#memory.restore(lineages);
  }

  /** Takes over another etcd, user or password, and times. With the same ones all goes on. */
  update(settings: EtcdSettings): void {
    this.#settings = settings;
    const { etcd } = settings;
    if (this.#session && etcd && isSame(this.#session.register, etcd)) return;
    this.#session?.close();
    this.#session = etcd && new Session(etcd, () => this.#settings.conf, this.#memory, this.#events);
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

/** One that is told in the same breath that another server has its term is a primary of before. */
const isServing = ({ id, role, phase, handover, sync }: ServerView, at: ServerId, cell: Cell): boolean =>
  role === 'primary' &&
  phase === 'running' &&
  handover === null &&
  (sync === null ||
    takenBy(sync.cells ?? [], termOf(sync), id, (name) => (name.at === at ? cell : undefined)) === null);

/** So often others may write in between before a round is over. */
const mostWrites = 3;

/** After so many rounds without an answer it may be the login that nobody answers. */
const mostInVain = 3;

const thrownAway =
  'it knows nothing of what was seen there before, as one that was put back to an older state; it begins with a new cell';

class Session {
  readonly register: EtcdRegister;
  readonly #conf: () => ServerConf;
  readonly #memory: Memory;
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
  /** When the round is over, whoever has answered. */
  #until = 0;
  /** What is to be said of this server as primary; nobody waits for that. */
  #toSay: { readonly view: ServerView; readonly seen: Seen } | null = null;
  #saying = false;

  constructor(register: EtcdRegister, conf: () => ServerConf, memory: Memory, events: EtcdEvents) {
    this.register = register;
    this.#conf = conf;
    this.#memory = memory;
    this.#events = events;
    this.#etcd = new Etcd(register, () => this.#limits());
    this.#cell = new EtcdCell(this.#etcd, register.prefix);
  }

  /** All members can be tried before this server is taken for one that is cut off, silent ones and a login besides. */
  #limits(): EtcdLimits {
    const conf = this.#conf();
    const giveUpMs = giveUpTimeMs(conf);
    const call = Math.min(conf.heartbeatTimeoutMs, giveUpMs / (this.register.endpoints.length + 1));
    return { call, login: giveUpMs / 2, left: Math.max(0, Math.ceil(this.#until - performance.now())) + 1 };
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
    try {
      for (let view = this.#view; view && !this.#closed; view = this.#view) {
        this.#view = null;
        await this.#round(view);
      }
    } finally {
      this.#busy = false;
    }
  }

  async #round(view: ServerView): Promise<void> {
    const seen = await this.#ask(view);
    if (seen === null || this.#closed) return;
    this.#hear(view, seen.cell);
    this.#toSay = { view, seen };
    if (!this.#saying) void this.#say();
  }

  /** One member after the other, until one answers for certain; null when none does. */
  async #ask(view: ServerView): Promise<SeenCell | null> {
    const { endpoints } = this.register;
    const troubles = new Map<string, EtcdTrouble>();
    this.#until = performance.now() + giveUpTimeMs(this.#conf());
    while (troubles.size < endpoints.length && !this.#closed && performance.now() < this.#until) {
      const { endpoint } = this.#etcd;
      try {
        return await this.#exchange(view);
      } catch (error) {
        if (!(error instanceof EtcdTrouble)) throw error;
        troubles.set(endpoint, error);
        this.#etcd.next();
      }
    }
    this.#rest([...troubles.values()]);
    this.#lose(
      endpoints.flatMap((it) => (troubles.has(it) ? [`${it}: ${troubles.get(it)?.message}`] : [])).join('; '),
    );
    return null;
  }

  /** Each login costs etcd a hash: where all that have answered take none, they are left alone for a while. */
  #rest(troubles: readonly EtcdTrouble[]): void {
    const answers = troubles.filter(({ kind }) => kind !== 'silent');
    if (answers.length > 0 && answers.every(({ kind }) => kind === 'login'))
      this.#quietUntil = performance.now() + giveUpTimeMs(this.#conf());
  }

  /** Reads, judges and writes, until what is there needs no change. */
  async #exchange(view: ServerView): Promise<SeenCell> {
    let seen = await this.#cell.read();
    for (let writes = 0; writes < mostWrites; writes += 1) {
      const known = this.#memory.of(seen);
      const cell = this.#judge(seen, known, view);
      if (cell === seen.cell) return this.#saw({ ...seen, cell });
      // Who may write there is looked at anew before a term is given away by what stands there.
      if (cell.holder !== null) this.#etcd.forgetLogin();
      const outcome = await this.#cell.write(cell, seen, known);
      if (outcome.written) {
        if (seen.cell !== null && seen.cell.id !== cell.id) this.#tellLoss(thrownAway);
        return this.#saw({ ...outcome.seen, cell });
      }
      seen = outcome.seen;
    }
    throw new EtcdTrouble('others write there all the time');
  }

  /** Not before it counts: what is not found is thrown away only once, and has to be. */
  #saw(seen: SeenCell): SeenCell {
    this.#memory.see(seen);
    return seen;
  }

  #judge(seen: Seen, known: string | undefined, view: ServerView): Cell {
    const cell = cellOf(seen, known, randomUUID());
    const since = this.#heardSince;
    const settled = since !== null && performance.now() - since >= patienceMs(this.#conf());
    const serves = !settled || (seen.serving.id !== null && seen.serving.id !== view.id);
    return hearServer(cell, view, { at: this.register.id, serves, newId: randomUUID() });
  }

  #hear(view: ServerView, cell: Cell): void {
    this.#heardSince ??= performance.now();
    this.#inVain = 0;
    this.#why = null;
    this.#seq += 1;
    const { incarnation, seq } = view;
    const told = {
      id: this.register.id,
      version: 'etcd',
      incarnation: this.#incarnation,
      seq: this.#seq,
      cell,
      echoes: { [view.id]: { incarnation, seq } },
    };
    this.#events.heard(this.register.id, told, this.#memory.all);
  }

  /** One after the other, beside the rounds: no vote waits for it. */
  async #say(): Promise<void> {
    this.#saying = true;
    try {
      for (let next = this.#toSay; next && !this.#closed; next = this.#toSay) {
        this.#toSay = null;
        await this.#tellServing(next.view, next.seen);
      }
    } finally {
      this.#saying = false;
    }
  }

  /** A preference and no more, so that a failure changes nothing: the next round says whether etcd is there. */
  async #tellServing(view: ServerView, { cell, serving }: Seen): Promise<void> {
    try {
      if (cell && isServing(view, this.register.id, cell))
        await this.#cell.serve(view.id, Math.ceil(patienceMs(this.#conf()) / 1000), serving);
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
    this.#tellLoss(why);
  }

  #tellLoss(why: string): void {
    if (this.#closed || this.#why === why) return;
    this.#why = why;
    this.#events.lost(this.register.id, why);
  }
}

type SeenCell = Seen & { readonly cell: Cell };
