/**
 * The client of a round: it writes a row after the other and remembers what was acknowledged, and asks every server all the time whether it
 * takes writes. In: the servers. Out: facts. It must never count a row whose commit has not been answered.
 */
import pg from 'pg';
import { type Acknowledged, Client } from '../lab/faults/support/client.ts';
import { bundledClient } from '../lab/faults/support/pair.ts';
import type { Lab } from '../lab/harness/lab.ts';
import { sleep } from '../lab/harness/run.ts';
import { appLogin } from '../lab/single/shop.ts';
import { type Server, sql } from '../lab/support/instance.ts';
import type { Answer } from './judge.ts';

const everyMs = 20;
const askEveryMs = 150;
/** An answer that took longer says nothing about one moment. */
const atOnceMs = 100;

export class Writer {
  readonly answers: Answer[] = [];
  readonly #client: Client;
  readonly #asking: Promise<unknown>;
  #isEnded = false;

  private constructor(client: Client, servers: readonly Server[]) {
    this.#client = client;
    this.#asking = Promise.all(servers.map((server) => this.#ask(server)));
  }

  /** Both servers may be named before the second one is there. */
  static async start(lab: Lab, servers: readonly Server[]): Promise<Writer> {
    const client = new Client(await bundledClient(lab.dir), {
      ...appLogin,
      hosts: servers.map(({ address }) => address),
      port: servers[0]?.port ?? 0,
      who: 'round',
      everyMs,
    });
    return new Writer(client, servers);
  }

  get rows(): readonly Acknowledged[] {
    return this.#client.rows;
  }

  /** What it ran into last. */
  get lastErrors(): string {
    return this.#client.errors.split('\n').slice(-4).join('\n');
  }

  /** A row that was begun from now on is acknowledged; false when the time is up. */
  writesAgain(withinMs: number): Promise<boolean> {
    return this.#client.writesAgain(withinMs);
  }

  /** Acknowledged rows that a server does not have. */
  async missing(server: Server): Promise<number[]> {
    const told = this.rows.map(({ id }) => id);
    const there = await sql(server, `SELECT id FROM public.written WHERE who = '${this.#client.who}'`, 'app');
    const found = new Set(there.split('\n').map(Number));
    return told.filter((id) => !found.has(id));
  }

  async end(): Promise<void> {
    this.#isEnded = true;
    this.#client.stop();
    await this.#asking;
  }

  /** Only a server that takes writes is written down. */
  async #ask(server: Server): Promise<void> {
    while (!this.#isEnded) {
      await this.#session(server).catch(() => undefined);
      await sleep(askEveryMs);
    }
  }

  async #session({ id, address, port }: Server): Promise<void> {
    const client = new pg.Client({
      ...appLogin,
      host: address,
      port,
      connectionTimeoutMillis: 1000,
      query_timeout: 1000,
    });
    client.on('error', () => undefined);
    try {
      await client.connect();
      while (!this.#isEnded) {
        const asked = Date.now();
        const { rows } = await client.query<{ it: boolean }>('select pg_is_in_recovery() as it');
        const answered = Date.now();
        if (rows[0]?.it === false && answered - asked < atOnceMs)
          this.answers.push({ server: id, asked, answered });
        await sleep(askEveryMs);
      }
    } finally {
      // Whoever waits for the farewell of a server that is gone waits for ever.
      client.end().catch(() => undefined);
    }
  }
}
