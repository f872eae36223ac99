/**
 * A client that writes to a real pair during a scene that a test plays by itself. In: a pair. Out: what was acknowledged, and
 * whether it is there. It must never judge by times.
 */
import { expect } from 'vitest';
import { until } from '../../harness/run.ts';
import type { Server } from '../../support/instance.ts';
import { sql, untilSql } from '../../support/instance.ts';
import { type Client, longestGapMs } from './client.ts';
import { type FaultPair, sleep } from './pair.ts';
import { replay, signalPostmaster } from './processes.ts';

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

/** Both servers, the client that writes, and a standby whose replay stands still. */
export async function stuck(pair: FaultPair): Promise<Writing> {
  await pair.untilSwitchable();
  const it = await writing(pair);
  await replay(it.standby, 'STOP');
  return it;
}

/** The postmaster of the primary is killed, and the standby has asked its instance to become primary. */
export async function promoting(pair: FaultPair): Promise<Writing> {
  const it = await stuck(pair);
  await sleep(1500);
  await signalPostmaster(it.primary, 'KILL');
  await untilReplayIsTold(pair, it.standby, it.standby);
  return it;
}

/** In order, where no instance runs. */
const restart = ({ host, unit }: Server) => host.sh(`systemctl restart ${unit}`, { check: true });
/** systemd starts it again; the instance goes on. */
const killController = ({ host, unit }: Server) =>
  host.sh(`systemctl kill --kill-who=main --signal=KILL ${unit}`, { check: true });

/** A promotion hangs for longer than a minute, and ends with one primary. */
export async function lateForMoreThanAMinute(pair: FaultPair): Promise<void> {
  const it = await promoting(pair);
  const { primary, standby } = it;
  const end = Date.now() + 66_000;
  await restart(primary);
  await sleep(5000);
  await killController(standby);
  for (; Date.now() < end; await sleep(2000)) {
    expect(await Promise.all(pair.servers.map((server) => pair.takesWrites(server)))).not.toContain(true);
    expect(await pair.takesWrites(primary)).toBe(null);
  }
  await untilReplayIsTold(pair, standby, primary);
  await replay(standby, 'CONT');
  await until(
    () => `${standby.id} does not become primary`,
    20_000,
    async () => ((await pair.takesWrites(standby)) === true ? true : undefined),
  );
  expect(await it.client.writesAgain(20_000)).toBe(true);
  expect(await pair.takesWrites(primary)).toBe(null);
  const late = await pair.mcCtl(standby, 'switch', '--abort');
  expect(late.status).toBe(1);
  expect(late.stderr).toContain(`no switch is under way; ${standby.id} is primary`);
  await pair.makeWhole();
  expect(await pair.roles()).toEqual({ primary: standby, standby: primary });
  await expectNothingLost(pair, it);
}

/** `mc_ctl status` of one server shows what is left to replay on the standby. */
async function untilReplayIsTold(pair: FaultPair, standby: Server, asked: Server): Promise<void> {
  let last = '';
  await until(
    () => `${asked.id} does not tell what ${standby.id} has to replay: ${last}`,
    20_000,
    async () => {
      last = (await pair.mcCtl(asked, 'status')).stdout;
      return /\d (bytes|MB) of WAL are left to replay/.test(last) ? true : undefined;
    },
    200,
  );
  expect(last).toContain(`${standby.id} is taking over`);
}
