/**
 * A pair for many minutes while all processors are busy, hosts stand still for a second and packets are lost, at random: nobody switches
 * and no row is lost. In: minutes, a seed, the pair and its network. Out: what happened, as data. It ends by itself, and so does all that
 * it starts.
 */
import { sql, untilSql } from '../../support/instance.ts';
import { seeded } from '../../support/random.ts';
import { type Client, longestGapMs } from './client.ts';
import { missingRows } from './fault.ts';
import { busy } from './load.ts';
import { type FaultPair, sleep } from './pair.ts';
import { openPair } from './variants.ts';

const pauseMs = 1000;

export interface TrialWish {
  readonly minutes: number;
  readonly seed: number;
  readonly heartbeat: 'normal' | 'fast';
  /** Of a hundred packets that come to a host. */
  readonly lossPercent: number;
}

export interface Trial extends TrialWish {
  readonly pauses: number;
  readonly rows: number;
  readonly lost: number;
  readonly switches: number;
  /** How often the primary went on without its standby. */
  readonly disconnections: number;
  readonly worstGapMs: number;
  /** The longest silences that each controller has measured, by its server. */
  readonly silencesMs: Readonly<Record<string, readonly number[]>>;
  readonly packets: { readonly lost: number; readonly passed: number };
}

export async function trial(wish: TrialWish): Promise<Trial> {
  const pair = await openPair(wish.heartbeat === 'fast' ? 'fast' : 'plain');
  try {
    await pair.untilSwitchable();
    const client = pair.client();
    try {
      return await watched(pair, client, wish);
    } finally {
      client.stop();
    }
  } finally {
    await pair.close();
  }
}

async function watched(pair: FaultPair, client: Client, wish: TrialWish): Promise<Trial> {
  const { minutes, seed, lossPercent } = wish;
  const hosts = pair.servers.map(({ host }) => host);
  if (!(await client.writesAgain(60_000))) throw new Error(`the client does not write: ${client.errors}`);
  const from = Date.now();
  if (lossPercent > 0) await Promise.all(hosts.map((host) => host.lose(lossPercent / 100)));
  const burning = Promise.all(hosts.map((host) => busy(host, minutes * 60)));
  const pauses = await paused(pair, from + minutes * 60_000, seeded(seed));
  await burning;
  const counts = await Promise.all(hosts.map((host) => host.lossCounts()));
  await Promise.all(hosts.map((host) => host.lose(0)));
  const silencesMs = await longestSilences(pair);
  if (!(await client.writesAgain(60_000))) throw new Error(`the client writes no more: ${client.errors}`);
  client.stop();
  const said = await pair.said(from);
  // Also of a pair that has switched it is told what is lost.
  await pair.makeWhole();
  const count = (wanted: string) => said.filter(({ number }) => number === wanted).length;
  return {
    ...wish,
    pauses,
    rows: client.rows.length,
    lost: await lostRows(pair, client),
    switches: count('00062'),
    disconnections: count('01036'),
    worstGapMs: longestGapMs(client.rows, from),
    silencesMs,
    packets: { lost: sum(counts.map(({ lost }) => lost)), passed: sum(counts.map(({ passed }) => passed)) },
  };
}

const sum = (numbers: readonly number[]): number => numbers.reduce((all, one) => all + one, 0);

async function longestSilences(pair: FaultPair): Promise<Trial['silencesMs']> {
  const entries = pair.servers.map(async (server) => {
    const rows = (await pair.status(server))?.servers ?? [];
    return [server.id, rows.flatMap((row) => row.longest_silences_ms ?? [])] as const;
  });
  return Object.fromEntries(await Promise.all(entries));
}

/** Every few seconds one of the hosts stands still. */
async function paused(pair: FaultPair, until: number, random: () => number): Promise<number> {
  let pauses = 0;
  for (;;) {
    await sleep(1000 + 6000 * random());
    if (Date.now() + pauseMs > until) return pauses;
    const { host } = pair.servers[random() < 0.5 ? 0 : 1];
    await host.freeze();
    await sleep(pauseMs);
    await host.thaw();
    pauses += 1;
  }
}

/** Of both servers, once the standby has replayed what the primary has. */
async function lostRows(pair: FaultPair, client: Client): Promise<number> {
  const { primary, standby } = await pair.roles();
  const lsn = await sql(primary, 'SELECT pg_current_wal_lsn()');
  await untilSql(standby, `SELECT pg_last_wal_replay_lsn() >= '${lsn}'`, 't');
  const missing = await Promise.all(pair.servers.map((server) => missingRows(server, [client])));
  return Math.max(...missing.map(({ size }) => size));
}

/** Loss that was asked for and did not happen proves nothing. */
export const isWrongTrial = ({ switches, lost, rows, pauses, lossPercent, packets }: Trial): boolean =>
  switches > 0 || lost > 0 || rows === 0 || pauses === 0 || (lossPercent > 0 && packets.lost === 0);

export const trialLines = (it: Trial): string[] => [
  `- ${it.minutes} minutes, two busy processes for each processor, seed ${it.seed}, \`heartbeat: ${it.heartbeat}\``,
  ...(it.lossPercent > 0
    ? [`- packets to both hosts: ${it.packets.passed} passed, ${it.packets.lost} lost`]
    : []),
  `- pauses of one host for ${pauseMs / 1000} s: ${it.pauses}`,
  `- acknowledged rows: ${it.rows}, of these lost: ${it.lost}`,
  `- switches: ${it.switches}; times in which the primary went on without its standby: ${it.disconnections}`,
  ...Object.entries(it.silencesMs).map(
    ([server, silences]) => `- longest silences of the other server for ${server}: ${silences.join(', ')} ms`,
  ),
  `- longest write gap: ${(it.worstGapMs / 1000).toFixed(2)} s`,
];
