/**
 * A client that writes to a real pair during a scene that a test plays by itself. In: a pair. Out: what was acknowledged, and
 * whether it is there. It must never judge by times.
 */
import { expect } from 'vitest';
import type { Server } from '../../support/instance.ts';
import { sql, untilSql } from '../../support/instance.ts';
import { type Client, longestGapMs } from './client.ts';
import { type FaultPair, sleep } from './pair.ts';

export interface Writing {
  /** The roles at the beginning. */
  readonly primary: Server;
  readonly standby: Server;
  readonly client: Client;
  longestGapMs(): number;
}

export async function writing(pair: FaultPair): Promise<Writing> {
  const { primary, standby } = await pair.roles();
  const client = pair.client();
  if (!(await client.writesAgain(20_000))) throw new Error(`the client does not write: ${client.errors}`);
  const from = Date.now();
  return { primary, standby, client, longestGapMs: () => longestGapMs(client.rows, from) };
}

/** Ends the client; every row that it was told of is on both servers. */
export async function expectNothingLost(pair: FaultPair, { client }: Writing): Promise<void> {
  client.stop();
  await sleep(300);
  const ids = client.rows.map(({ id }) => id);
  expect(ids.length).toBeGreaterThan(0);
  for (const server of pair.servers) {
    const last = `SELECT count(*) FROM written WHERE who = '${client.who}' AND id = ${ids.at(-1)}`;
    await untilSql(server, last, '1', 'app');
    const text = await sql(server, `SELECT id FROM written WHERE who = '${client.who}'`, 'app');
    const there = new Set(text.split('\n').map(Number));
    expect(
      ids.filter((id) => !there.has(id)),
      `rows that ${server.id} does not have`,
    ).toEqual([]);
  }
}
