/**
 * A client that writes all the time and finds the primary by itself, as an application with a multi-host string does.
 * In: where the servers are, a login. Out, once it is ended: the numbers whose commit was acknowledged. It must never
 * count a row whose commit has not been answered.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { Server } from '../support/instance.ts';

export interface Writer {
  /** Waits until so many more rows were acknowledged. */
  more(rows: number): Promise<void>;
  /** The longest time between two acknowledged rows. */
  readonly longestGapMs: number;
  end(): Promise<readonly number[]>;
}

const login = { user: 'app', password: 'app-Secret-1', database: 'app' };

/** What the writer needs on the primary; the hba rule for it stands in every inventory of the lab. */
export const writerSetup = `CREATE ROLE app LOGIN PASSWORD '${login.password}'`;

/**
 * With `patienceMs` it gives a commit up that is not answered for so long, as a client does whose server is cut off. Between two rows it waits
 * for `pauseMs`; with 2 ms it and the servers take a third of a processor, so what goes on for minutes asks for more.
 */
export function startWriter(servers: readonly Server[], patienceMs?: number, pauseMs = 2): Writer {
  const acknowledged: number[] = [];
  let ending = false;
  let next = 0;
  let last: number | undefined;
  let longestGapMs = 0;
  const count = (row: number): void => {
    const now = performance.now();
    longestGapMs = Math.max(longestGapMs, now - (last ?? now));
    last = now;
    acknowledged.push(row);
  };
  const write = async (): Promise<void> => {
    const client = await connect(servers, patienceMs);
    if (!client) return;
    try {
      while (!ending) {
        next += 1;
        await client.query('INSERT INTO written VALUES ($1)', [next]);
        count(next);
        await sleep(pauseMs);
      }
    } finally {
      client.end().catch(() => undefined);
    }
  };
  const all = (async () => {
    // A connection that breaks is what this client is for; the next one goes on with the next number.
    while (!ending) await write().catch(() => sleep(20));
  })();
  return {
    get longestGapMs() {
      return longestGapMs;
    },
    async more(rows) {
      const wanted = acknowledged.length + rows;
      for (let times = 0; acknowledged.length < wanted; times += 1) {
        if (times > 3000) throw new Error(`only ${acknowledged.length} of ${wanted} rows were acknowledged`);
        await sleep(20);
      }
    },
    async end() {
      ending = true;
      await all;
      return acknowledged;
    },
  };
}

/** The first server that is not in recovery. */
async function connect(servers: readonly Server[], patienceMs?: number): Promise<pg.Client | undefined> {
  for (const { address, port } of servers) {
    const patience = patienceMs === undefined ? {} : { query_timeout: patienceMs };
    const client = new pg.Client({
      ...login,
      ...patience,
      host: address,
      port,
      connectionTimeoutMillis: 1000,
    });
    client.on('error', () => undefined);
    try {
      await client.connect();
      const { rows } = await client.query<{ it: boolean }>('SELECT pg_is_in_recovery() AS it');
      if (rows[0]?.it === false) return client;
      await client.end();
    } catch {
      client.end().catch(() => undefined);
    }
  }
  await sleep(20);
  return undefined;
}
