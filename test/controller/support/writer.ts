/**
 * A client that writes all the time over a multi-host connection, as an application would: a new connection to whoever takes
 * writes whenever the old one breaks. It remembers what was acknowledged, and the longest time without an acknowledgement.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';

export interface Address {
  readonly host: string;
  readonly port: number;
}

export class Writer {
  readonly acknowledged: number[] = [];
  readonly errors = new Map<string, number>();
  #times: number[] = [];
  #stopped = false;
  #next = 0;
  #work: Promise<void> | null = null;
  readonly #addresses: readonly Address[];
  readonly #user: string;

  constructor(addresses: readonly Address[], user: string) {
    this.#addresses = addresses;
    this.#user = user;
  }

  start(): void {
    this.#work = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#work;
  }

  /** Waits until something was acknowledged after this call. False when the time is up. */
  async writesAgain(withinMs: number): Promise<boolean> {
    const before = this.acknowledged.length;
    for (let waited = 0; waited < withinMs; waited += 10) {
      if (this.acknowledged.length > before + 5) return true;
      await sleep(10);
    }
    return false;
  }

  /** The longest time between two acknowledgements, in ms. */
  longestGapMs(): number {
    return this.#times.reduce(
      (longest, at, index) => Math.max(longest, index === 0 ? 0 : at - (this.#times[index - 1] ?? at)),
      0,
    );
  }

  /** Forgets the times, not the acknowledged rows. */
  mark(): void {
    this.#times = this.#times.slice(-1);
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      const client = await this.#connect();
      if (client) await this.#writeWith(client);
    }
  }

  /** What target_session_attrs=read-write does: asks one after the other for one that is not in recovery. */
  async #connect(): Promise<pg.Client | null> {
    for (const { host, port } of this.#addresses) {
      const client = new pg.Client({
        host,
        port,
        user: this.#user,
        database: 'postgres',
        connectionTimeoutMillis: 1000,
        query_timeout: 20_000,
      });
      client.on('error', (error) => this.#count(error));
      try {
        await client.connect();
        const answer = await client.query<{ it: boolean }>('select pg_is_in_recovery() as it');
        if (answer.rows[0]?.it === false) return client;
        await client.end();
      } catch (error) {
        this.#count(error);
      }
    }
    await sleep(5);
    return null;
  }

  async #writeWith(client: pg.Client): Promise<void> {
    try {
      while (!this.#stopped) {
        this.#next += 1;
        const id = this.#next;
        await client.query('insert into written values ($1)', [id]);
        this.acknowledged.push(id);
        this.#times.push(performance.now());
        await sleep(2);
      }
    } catch (error) {
      this.#count(error);
    }
    // The server may be gone; whoever waits for its farewell waits for ever.
    client.end().catch((error: unknown) => this.#count(error));
  }

  #count(error: unknown): void {
    const text = error instanceof Error ? error.message : String(error);
    this.errors.set(text, (this.errors.get(text) ?? 0) + 1);
  }
}
