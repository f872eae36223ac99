/**
 * The keys of one cluster in etcd: its cell, and which server serves as primary. In and out: a cell and what it was read with. What
 * was read is linearizable; what is written is written only if nothing was since.
 */
import { randomUUID } from 'node:crypto';
import { freshCell } from '../core/register.ts';
import type { Cell, ServerId } from '../core/view.ts';
import { controllerVersion } from '../version.ts';
import type { Etcd } from './etcd.ts';
import { EtcdTrouble, isJson, type Json, parsed } from './etcd-words.ts';
import { isCell } from './view.ts';

/** Raised when an earlier program could misunderstand what a later one has written. 1 had no lineage, and would write none. */
const format = 2;

/** So many writes back a server finds what it has seen. */
const longestLineage = 16;

export interface Seen {
  /** Null: there is no such key. */
  readonly cell: Cell | null;
  /** The one that the cell was written in. */
  readonly madeIn: string;
  /** The marks of its last writes, the last one first. */
  readonly lineage: readonly string[];
  /** The revision of the key; 0 where there is none. */
  readonly revision: string;
  readonly serving: Serving;
  /** The etcd that answers, and where in it: what a server has seen there is remembered by this name. */
  readonly etcd: string;
  readonly place: string;
}

/** The server that serves as primary, as long as it says so, and the revision of that key; 0 where there is none. */
export interface Serving {
  readonly id: ServerId | null;
  readonly revision: string;
}

const base64 = (text: string): string => Buffer.from(text, 'utf8').toString('base64');
const plain = (value: unknown): string => Buffer.from(String(value), 'base64').toString('utf8');
/** etcd writes 64-bit numbers as text, and leaves out what is 0. */
const number = (value: unknown): string => (value === undefined ? '0' : String(value));

export class EtcdCell {
  readonly #etcd: Etcd;
  readonly #prefix: string;
  readonly #cellKey: string;
  readonly #servingKey: string;
  #lease: string | null = null;

  /** The prefix ends with a slash. */
  constructor(etcd: Etcd, prefix: string) {
    this.#etcd = etcd;
    this.#prefix = prefix;
    this.#cellKey = base64(`${prefix}cell`);
    this.#servingKey = base64(`${prefix}primary`);
  }

  /** All keys below the prefix: '0' comes behind '/'. */
  get #range(): Json {
    return { key: base64(this.#prefix), range_end: base64(`${this.#prefix.slice(0, -1)}0`) };
  }

  async read(): Promise<Seen> {
    const said = await this.#etcd.call('/v3/kv/range', this.#range);
    return this.#seen(said.header, said.kvs);
  }

  /**
   * Writes the cell if the key is as it was seen. The write comes behind what is there and behind what this server has seen before, so
   * that who knows either finds it. Returns what etcd holds then, of whomever it is.
   */
  async write(
    cell: Cell,
    seen: Seen,
    known: string | undefined,
  ): Promise<{ readonly written: boolean; readonly seen: Seen }> {
    const before = [...(known === undefined ? [] : [known]), ...seen.lineage];
    const lineage = [...new Set([randomUUID().slice(0, 13), ...before])].slice(0, longestLineage);
    const content = { format, version: controllerVersion, etcd: seen.etcd, lineage, cell };
    const value = JSON.stringify(content);
    const said = await this.#etcd.call('/v3/kv/txn', {
      compare: [{ key: this.#cellKey, target: 'MOD', result: 'EQUAL', mod_revision: seen.revision }],
      success: [
        { request_put: { key: this.#cellKey, value: base64(value) } },
        { request_range: this.#range },
      ],
      failure: [{ request_range: this.#range }],
    });
    const replies = Array.isArray(said.responses) ? said.responses : [];
    const last: unknown = replies.at(-1);
    const range = isJson(last) && isJson(last.response_range) ? last.response_range : {};
    return { written: said.succeeded === true, seen: this.#seen(said.header, range.kvs) };
  }

  #seen(header: unknown, kvs: unknown): Seen {
    if (!isJson(header) || typeof header.cluster_id !== 'string')
      throw new EtcdTrouble('it says nothing that can be understood');
    const pairs = (Array.isArray(kvs) ? kvs : []).filter(isJson);
    const cell = pairs.find(({ key }) => key === this.#cellKey);
    const serving = pairs.find(({ key }) => key === this.#servingKey);
    const content = cell ? this.#content(plain(cell.value)) : { cell: null, madeIn: '', lineage: [] };
    return {
      ...content,
      revision: number(cell?.mod_revision),
      serving: { id: serving ? plain(serving.value) : null, revision: number(serving?.mod_revision) },
      etcd: header.cluster_id,
      place: `${header.cluster_id}${this.#prefix}`,
    };
  }

  /** What cannot be understood is not overwritten: it may be of a later version. */
  #content(text: string): Pick<Seen, 'madeIn' | 'lineage'> & { readonly cell: Cell } {
    const { format: written, etcd: madeIn, cell, lineage = written === 1 ? [] : null } = parsed(text) ?? {};
    if (
      (written === 1 || written === format) &&
      typeof madeIn === 'string' &&
      isCell(cell) &&
      isLineage(lineage)
    )
      return { cell, madeIn, lineage };
    throw new EtcdTrouble(
      `its key ${this.#prefix}cell holds no cell of this version; once it is deleted there, a new one is made`,
      'refused',
    );
  }

  /**
   * Says that this server serves as primary, for so many seconds from now on. The word of another one is left to end with its lease:
   * a server that wakes up takes nothing from the one that serves now.
   */
  async serve(id: ServerId, seconds: number, { id: serving, revision }: Serving): Promise<void> {
    if (serving !== null && serving !== id) return;
    const renewed = this.#lease !== null && (await this.#renew(this.#lease));
    if (renewed && serving === id) return;
    const lease = renewed && this.#lease !== null ? this.#lease : await this.#grant(seconds);
    this.#lease = lease;
    await this.#etcd.call('/v3/kv/txn', {
      compare: [{ key: this.#servingKey, target: 'MOD', result: 'EQUAL', mod_revision: revision }],
      success: [{ request_put: { key: this.#servingKey, value: base64(id), lease } }],
    });
  }

  async #renew(lease: string): Promise<boolean> {
    const { result } = await this.#etcd.call('/v3/lease/keepalive', { ID: lease });
    return isJson(result) && number(result.TTL) !== '0';
  }

  async #grant(seconds: number): Promise<string> {
    const { ID: lease } = await this.#etcd.call('/v3/lease/grant', { TTL: String(seconds) });
    if (typeof lease !== 'string') throw new EtcdTrouble('it says nothing that can be understood');
    return lease;
  }

  /** It serves no more, which is not to be waited for. */
  async serveNoMore(): Promise<void> {
    const lease = this.#lease;
    this.#lease = null;
    if (lease !== null) await this.#etcd.call('/v3/lease/revoke', { ID: lease });
  }

  /** After a failure nothing is known of the lease: the next one is another one. */
  forgetLease(): void {
    this.#lease = null;
  }
}

const isLineage = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((mark) => typeof mark === 'string');

/** What is there is not what this etcd has made, or does not come from what this server has seen there: an older state was put back. */
const isForeign = ({ madeIn, etcd, lineage }: Seen, known: string | undefined): boolean =>
  madeIn !== etcd || (known !== undefined && !lineage.includes(known));

/** The cell that counts; a new one where there is none, or where what is there is a foreign one. */
export const cellOf = (seen: Seen, known: string | undefined, newId: string): Cell =>
  seen.cell === null || isForeign(seen, known) ? freshCell(newId) : seen.cell;
