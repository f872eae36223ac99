/**
 * A client that writes all the time to the table "written" of the shop, from this machine or, where the server hears nobody
 * else, on its own host. In: the servers that a connection string would name. Out: what was acknowledged, the longest time
 * without it, and what of it is missing in a server afterwards.
 */

import { type Acknowledged, Client, LocalClient, longestGapMs } from '../faults/support/client.ts';
import { bundledClient } from '../faults/support/pair.ts';
import type { Host, Lab } from '../harness/lab.ts';
import { sleep } from '../harness/run.ts';
import { type Server, sql } from '../support/instance.ts';
import { appLogin } from './shop.ts';

export interface Writing {
  /** The mark of its rows. */
  readonly who: string;
  readonly rows: () => readonly Acknowledged[];
  /** What it ran into; empty for a client on a host. */
  readonly errors: () => string;
  /** Waits until so many more rows were acknowledged. */
  more(count: number): Promise<void>;
  /** Ends it and says what it has seen. */
  stop(): Promise<Written>;
}

export interface Written {
  readonly who: string;
  readonly ids: readonly number[];
  /** The longest time without an acknowledged row, until the client was stopped. */
  readonly longestGapMs: number;
  readonly errors: string;
}

let runs = 0;
const everyMs = 10;

/** From this machine, through the addresses of all servers. */
export async function writeOverNetwork(lab: Lab, servers: readonly Server[]): Promise<Writing> {
  runs += 1;
  const client = new Client(await bundledClient(lab.dir), {
    ...appLogin,
    hosts: servers.map(({ address }) => address),
    port: servers[0]?.port ?? 0,
    who: `writer-${runs}`,
    everyMs,
  });
  return begun({
    who: client.who,
    rows: () => client.rows,
    errors: () => client.errors,
    end: async () => {
      client.stop();
      return client.rows;
    },
  });
}

/** On the server's own host, through its socket and as its administrator. */
export async function writeOnHost(lab: Lab, { host, port }: Server): Promise<Writing> {
  runs += 1;
  const client = await LocalClient.start(host, await bundledClient(lab.dir), {
    hosts: ['/var/run/postgresql'],
    port,
    user: 'postgres',
    database: 'app',
    who: `writer-${runs}`,
    everyMs,
  });
  return begun({
    who: client.who,
    rows: () => client.rows,
    errors: () => '',
    end: async () => {
      await client.stop();
      const rows = client.rows;
      await removeProgram(host);
      return rows;
    },
  });
}

/** So that a search for what is left does not find the client. */
const removeProgram = (host: Host) => host.sh('rm -rf /opt/local-client', { check: true });

interface Begun {
  readonly who: string;
  readonly rows: () => readonly Acknowledged[];
  readonly errors: () => string;
  /** Gives all its rows, since some are gone with the program. */
  readonly end: () => Promise<readonly Acknowledged[]>;
}

async function begun({ who, rows, errors, end }: Begun): Promise<Writing> {
  const more = async (count: number): Promise<void> => {
    const wanted = rows().length + count;
    for (let times = 0; rows().length < wanted; times += 1) {
      if (times > 3000)
        throw new Error(`${who}: ${rows().length} of ${wanted} rows were acknowledged\n${errors()}`);
      await sleep(20);
    }
  };
  await more(10);
  return {
    who,
    rows,
    errors,
    more,
    async stop() {
      const at = Date.now();
      const all = await end();
      const last = { id: 0, at: Math.max(at, all.at(-1)?.at ?? at), host: '' };
      return {
        who,
        ids: all.map(({ id }) => id),
        longestGapMs: longestGapMs([...all, last], 0),
        errors: errors(),
      };
    },
  };
}

/** Acknowledged rows that the server does not have, as "client number"; it has to be none. */
export async function missing(server: Server, told: readonly Written[]): Promise<string[]> {
  const found = new Set((await sql(server, "SELECT who || ' ' || id FROM written", 'app')).split('\n'));
  return told.flatMap(({ who, ids }) => ids.map((id) => `${who} ${id}`)).filter((row) => !found.has(row));
}

/** Rows that stand there twice; a client writes each number once. */
export const doubled = (server: Server): Promise<string> =>
  sql(server, 'SELECT who, id, count(*) FROM written GROUP BY who, id HAVING count(*) > 1', 'app');
