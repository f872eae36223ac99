/**
 * How long a client cannot write while teardown makes the primary a single server again, beside a plain restart of that same
 * server: one restart is announced, and nothing else may keep the client waiting. In: a fresh pair. Out: two samples whose
 * seconds are the client's longest time without an acknowledged row.
 */
import { endState } from './lab.mjs';
import { inventory, pgduet } from './pgduet.mjs';
import { sample } from './sample.mjs';

const port = 27500;
const rowsAround = 100;
const patienceMs = 30_000;

export async function measureGap(pair, _only, report) {
  const file = inventory(pair);
  const made = await pgduet(pair, ['provision', '--yes', '-i', file]);
  const problem = made.problem ?? (await endState(pair)) ?? (await table(pair.primary));
  if (problem !== undefined) return report(await sample('gap', pair, async () => ({ seconds: 0, problem })));
  const teardown = () => pgduet(pair, ['teardown', '--keep', pair.primary.name, '--yes', '-i', file]);
  report(await sample('gap', pair, () => gapOf(pair, 'teardown', teardown)));
  report(await sample('gap floor', pair, () => gapOf(pair, 'restart', () => restart(pair.primary))));
}

async function table(primary) {
  const psql = `/usr/lib/postgresql/15/bin/psql -X -q -p ${port} -d postgres`;
  const made = await primary.sh(
    `runuser -u postgres -- ${psql} -c 'CREATE TABLE written (who text, id bigint)'`,
  );
  return made.status === 0 ? undefined : made.stderr.trim();
}

/** The unit that starts the single server now, as a person would restart it. */
async function restart(primary) {
  const { status, stderr } = await primary.sh(
    `unit=$(ps -o unit= -p "$(head -n 1 /database/inst1/postmaster.pid)") && systemctl restart "$unit"`,
  );
  return status === 0 ? {} : { problem: `the plain restart failed: ${stderr.trim()}` };
}

/** The client runs on the primary itself, so that no network and no other process is in between. */
async function gapOf({ lab, primary, harness }, who, work) {
  const client = await harness.LocalClient.start(primary, await harness.bundledClient(lab.dir), {
    hosts: ['/var/run/postgresql'],
    port,
    user: 'postgres',
    database: 'postgres',
    who,
    everyMs: 3,
  });
  try {
    await more(client);
    const { problem } = await work();
    if (problem !== undefined) return { seconds: 0, problem };
    await more(client);
    return { seconds: harness.longestGapMs(client.rows, 0) / 1000 };
  } catch (error) {
    return { seconds: 0, problem: error.message };
  } finally {
    await client.stop();
  }
}

async function more(client) {
  const wanted = client.rows.length + rowsAround;
  const late = Date.now() + patienceMs;
  while (client.rows.length < wanted) {
    if (Date.now() > late) throw new Error(`the client wrote ${client.rows.length} of ${wanted} rows`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
