/**
 * One fault on a running pair: inject, look, heal, look again, make whole. In: the fault and a pair in good order.
 * Out: what happened, as data; a test asserts on it, a report prints it. It must never stop at the first oddity: what
 * was lost is counted, what was said wrongly is quoted.
 */
import type { Server } from '../../support/instance.ts';
import { sql } from '../../support/instance.ts';
import { type Acknowledged, type Client, longestGapMs } from './client.ts';
import { type FaultPair, type Said, type Status, sleep } from './pair.ts';
import type { ThirdParty, Variant } from './variants.ts';

export type Outcome = 'switch' | 'disconnection' | 'none';

export interface Scene {
  readonly pair: FaultPair;
  /** The roles before the fault. */
  readonly primary: Server;
  readonly standby: Server;
  readonly client: Client;
}

export interface Fault {
  readonly name: string;
  readonly on: 'primary' | 'standby' | 'both' | 'arbiter' | 'third';
  /** What the controllers should do; the first one is what is expected, further ones are as right. */
  readonly action: readonly Outcome[];
  /** Resolves when the fault is there. */
  readonly inject: (scene: Scene) => Promise<unknown>;
  /** How long the fault lasts at least before it is healed. */
  readonly lastsMs: number;
  readonly heal?: (scene: Scene) => Promise<unknown>;
  /** What is looked at after healing, before the pair is made whole. */
  readonly afterMs?: number;
  /** The pair that it needs; a plain one where nothing is said. */
  readonly variant?: Variant;
  /** Who decides on a silence there. */
  readonly third?: ThirdParty;
  /** What has to be there before the clients start. */
  readonly arrange?: (scene: Omit<Scene, 'client'>) => Promise<unknown>;
  /** The pair cannot be used again. */
  readonly spoils?: true;
  /** Times of clients on the servers mean nothing. */
  readonly wrongClock?: true;
  /** fallback and a network that has failed alone: both servers go on, which is stated. */
  readonly splits?: boolean;
}

export interface Result {
  readonly fault: Fault;
  /** Who was primary before it. */
  readonly primary: string;
  readonly action: Outcome;
  readonly gapMs: number;
  /** From the fault to MCA00062, when there was a switch. */
  readonly takenOverMs: number | null;
  readonly said: readonly Said[];
  /** Rows that were acknowledged and are not there in the end. */
  readonly lost: number;
  /** Rows that the former primary alone acknowledged after the first row of the new one. */
  readonly second: number;
  /** What was wrong with the status of a server after healing; empty when it told the truth. */
  readonly untrue: readonly string[];
  /** What `mc_ctl status` advised after healing, by server. */
  readonly advice: Readonly<Record<string, string>>;
  /** Whether the former primary took writes after healing. */
  readonly oldPrimaryWrites: boolean;
}

/** Runs the fault once. The pair is whole afterwards, or this throws. */
export async function runFault(pair: FaultPair, fault: Fault): Promise<Result> {
  await pair.untilSwitchable();
  const { primary, standby } = await pair.roles();
  await fault.arrange?.({ pair, primary, standby });
  const client = pair.client();
  const scene: Scene = { pair, primary, standby, client };
  const local = fault.wrongClock ? [] : await pair.localClients();
  try {
    if (!(await client.writesAgain(30_000))) throw new Error(`the client does not write: ${client.errors}`);
    await sleep(700);
    const from = Date.now();
    await fault.inject(scene);
    await sleep(Math.max(0, fault.lastsMs - (Date.now() - from)));
    await steady(client);
    await fault.heal?.(scene);
    await sleep(fault.afterMs ?? 2500);
    await steady(client);
    const gapMs = longestGapMs(client.rows, from);
    const said = await pair.said(from);
    const after = await lookAround(scene);
    if (!fault.spoils) await pair.makeWhole();
    client.stop();
    await Promise.all(local.map((one) => one.stop()));
    const clients = [client, ...local].map(({ who, rows }) => ({ who, rows }));
    const survivors = fault.spoils ? [(await pair.roles()).primary] : pair.servers;
    const missing = await Promise.all(survivors.map((server) => missingRows(server, clients)));
    return {
      fault,
      primary: primary.id,
      action: actionOf(said, from),
      gapMs,
      takenOverMs: takenOver(said, from),
      said,
      lost: Math.max(...missing.map(({ size }) => size)),
      second: secondPrimary(
        pair.servers,
        clients.map(({ rows }) => rows),
        primary,
        new Set(missing.flatMap((rows) => [...rows])),
      ),
      ...after,
    };
  } finally {
    client.stop();
    await Promise.all(local.map((one) => one.stop().catch(() => undefined)));
  }
}

/** The client writes again, and has for some time; or it does not for so long that nothing more is to be expected. */
async function steady(client: Client): Promise<void> {
  const begin = Date.now();
  if (await client.writesAgain(10_000, begin)) await sleep(300);
}

/** The acknowledged rows that are not on the server. */
export async function missingRows(
  server: Server,
  clients: readonly { readonly who: string; readonly rows: readonly Acknowledged[] }[],
): Promise<Set<Acknowledged>> {
  const missing = new Set<Acknowledged>();
  for (const { who, rows } of clients) {
    const text = await sql(server, `SELECT id FROM written WHERE who = '${who}'`, 'app');
    const there = new Set(text.split('\n').map(Number));
    for (const row of rows) if (!there.has(row.id)) missing.add(row);
  }
  return missing;
}

function actionOf(said: readonly Said[], from: number): Outcome {
  if (takenOver(said, from) !== null) return 'switch';
  return said.some(({ number }) => number === '01036') ? 'disconnection' : 'none';
}

function takenOver(said: readonly Said[], from: number): number | null {
  const line = said.find(({ number, at }) => number === '00062' && at >= from);
  return line ? Math.round(line.at - from) : null;
}

/**
 * Rows of the former primary alone, after the new one had acknowledged its first. The clock of one machine orders them. A
 * client that was frozen with its server reads an older answer late; such a row is on the new primary, too.
 */
function secondPrimary(
  servers: readonly Server[],
  rows: readonly (readonly Acknowledged[])[],
  primary: Server,
  missing: ReadonlySet<Acknowledged>,
): number {
  const [client = [], ...local] = rows;
  const of = (server: Server): Acknowledged[] => [
    ...client.filter(({ host }) => host === server.address),
    ...(local[servers.indexOf(server)] ?? []),
  ];
  const others = servers.filter((server) => server !== primary).flatMap(of);
  const first = Math.min(...others.map(({ at }) => at));
  return of(primary).filter((row) => row.at > first && missing.has(row)).length;
}

/** What the servers say of themselves after healing, beside what is true. */
async function lookAround({
  pair,
  primary,
}: Scene): Promise<Pick<Result, 'untrue' | 'advice' | 'oldPrimaryWrites'>> {
  const untrue: string[] = [];
  const advice: Record<string, string> = {};
  const writes = await Promise.all(pair.servers.map((server) => pair.takesWrites(server)));
  for (const server of pair.servers) {
    if (!server.host.running) continue;
    const status = await pair.status(server);
    if (status === null) untrue.push(`${server.id} shows no status`);
    else untrue.push(...untruths(pair, server, status, writes));
    advice[server.id] = status
      ? `${status.mirroring_status}${status.reason ? `: ${status.reason}; to do: ${status.advice ?? ''}` : ''}`
      : 'none';
  }
  return { untrue, advice, oldPrimaryWrites: writes[pair.servers.indexOf(primary)] === true };
}

function untruths(
  pair: FaultPair,
  server: Server,
  status: Status,
  writes: readonly (boolean | null)[],
): string[] {
  const wrong = pair.servers.flatMap((other, index) => {
    const role = status.servers.find((row) => row.server_id === other.id)?.host_role;
    const primary = role === 'primary';
    if (role === 'unknown' || primary === (writes[index] === true)) return [];
    return [
      `${server.id} shows ${other.id} as ${role}, but it ${writes[index] ? 'takes' : 'takes no'} writes`,
    ];
  });
  const mute = status.mirroring_status !== 'switchable' && !status.advice;
  return mute ? [...wrong, `${server.id} does not say what to do`] : wrong;
}
