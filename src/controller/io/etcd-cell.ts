/**
 * The keys of one cluster in etcd: its cell, and which server serves as primary. In and out: a cell and what it was read with. What
 * was read is linearizable; what is written is written only if nothing was since.
 */
import { freshCell } from '../core/register.ts';
import type { Cell, ServerId } from '../core/view.ts';
import { controllerVersion } from '../version.ts';
import { type Etcd, EtcdTrouble, isJson, type Json } from './etcd.ts';
import { isCell } from './view.ts';

/** Raised when an earlier program could misunderstand what a later one has written. */
const format = 1;

export interface Seen {
  /** Null: there is no such key. */
  readonly cell: Cell | null;
  /** The one that the cell was written in. */
  readonly madeIn: string;
  /** The revision of the key; 0 where there is none. */
  readonly revision: string;
  /** The server that serves as primary, as long as it says so. */
  readonly serving: ServerId | null;
  readonly etcd: { readonly id: string; readonly revision: number };
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

  /** Writes the cell if the key is as it was seen. Returns what etcd holds then, of whomever it is. */
  async write(cell: Cell, seen: Seen): Promise<{ readonly written: boolean; readonly seen: Seen }> {
    const value = JSON.stringify({ format, version: controllerVersion, etcd: seen.etcd.id, cell });
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
    const content = cell ? this.#content(plain(cell.value)) : { cell: null, madeIn: '' };
    return {
      ...content,
      revision: number(cell?.mod_revision),
      serving: serving ? plain(serving.value) : null,
      etcd: { id: header.cluster_id, revision: Number(number(header.revision)) },
    };
  }

  /** What cannot be understood is not overwritten: it may be of a later version. */
  #content(text: string): { readonly cell: Cell; readonly madeIn: string } {
    const value = parsed(text);
    if (isJson(value) && value.format === format && typeof value.etcd === 'string' && isCell(value.cell))
      return { cell: value.cell, madeIn: value.etcd };
    throw new EtcdTrouble(
      `its key ${this.#prefix}cell holds no cell of this version; once it is deleted there, a new one is made`,
      'refused',
    );
  }

  /** Says that this server serves as primary, for so many seconds from now on. */
  async serve(id: ServerId, seconds: number): Promise<void> {
    if (this.#lease !== null) {
      const { result } = await this.#etcd.call('/v3/lease/keepalive', { ID: this.#lease });
      if (isJson(result) && number(result.TTL) !== '0') return;
    }
    const { ID: lease } = await this.#etcd.call('/v3/lease/grant', { TTL: String(seconds) });
    if (typeof lease !== 'string') throw new EtcdTrouble('it says nothing that can be understood');
    await this.#etcd.call('/v3/kv/put', { key: this.#servingKey, value: base64(id), lease });
    this.#lease = lease;
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

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

/** The cell that counts; a new one where there is none, or where what is there is not what this etcd has made. */
export function cellOf({ cell, madeIn, etcd }: Seen, newestRevision: number, newId: string): Cell {
  if (cell === null || madeIn !== etcd.id || etcd.revision < newestRevision) return freshCell(newId);
  return cell;
}
