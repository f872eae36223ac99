/**
 * Signals to the processes of an instance, which is the only one of its host, and the startup process of a standby, which replays:
 * it stands still, goes on, or goes on slowly. In: a server. Out: nothing. It must never signal another process.
 */
import { sleep } from '../../harness/run.ts';
import { type Server, sql } from '../../support/instance.ts';

export const signalPostmaster = ({ host, dataDir }: Server, signal: string) =>
  host.sh(`kill -${signal} $(head -n 1 ${dataDir}/postmaster.pid)`, { check: true });

/** All processes of the instance; those that outlive their postmaster, too. */
export const signalInstance = ({ host }: Server, signal: string) =>
  host.sh(`pkill -${signal} -x postgres || true`, { check: true });

const behindMs = 120_000;
const crawling = '/run/crawling';
/** Also on a standby that has become primary, where there is none. */
const goOn = "pkill -CONT -f 'startup[ ]recovering' || true";

/** The startup process of a standby stands still, or goes on. */
export const replay = ({ host }: Server, signal: 'STOP' | 'CONT') =>
  host.sh(`pkill -${signal} -f 'startup[ ]recovering'`, { check: true });

/** It gets about a fiftieth of a processor until `fullSpeed`, for four minutes at most. */
const crawl = ({ host }: Server) =>
  host.sh(
    `touch ${crawling}
(timeout 240 sh -c 'while [ -e ${crawling} ] && pkill -CONT -f "startup[ ]recovering"; do
  sleep 0.02; pkill -STOP -f "startup[ ]recovering"; sleep 0.98
done'; ${goOn}) >/dev/null 2>&1 &`,
    { check: true },
  );

export const fullSpeed = ({ host }: Server) =>
  host.sh(`rm -f ${crawling}; sleep 1.5; ${goOn}`, { check: true });

/** Replay stands still for two minutes, in which the primary writes some 200 MB of WAL; then it goes on, but slowly. */
export async function fallBehind(primary: Server, standby: Server): Promise<void> {
  await replay(standby, 'STOP');
  const end = performance.now() + behindMs;
  const rows = 'SELECT id, 0 AS n FROM generate_series(1, 300000) AS id';
  await sql(primary, `CREATE TABLE IF NOT EXISTS updated (id int PRIMARY KEY, n int)`);
  await sql(primary, `TRUNCATE updated; INSERT INTO updated ${rows}`);
  for (let turn = 0; turn < 3; turn += 1) {
    await sleep(behindMs / 6);
    await sql(primary, 'UPDATE updated SET n = n + 1');
  }
  await sleep(end - performance.now());
  const seconds = await sql(
    standby,
    'SELECT extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp())::int',
  );
  if (Number(seconds) < behindMs / 1000 - 1)
    throw new Error(`the standby is ${seconds} s behind, not two minutes`);
  await crawl(standby);
}
