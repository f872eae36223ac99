/**
 * `pgduet secrets renew` on a real pair with an arbiter: both secrets are other ones, nothing was restarted, no connection of replication broke,
 * and a client wrote all the time. Killed at any moment the pair stays whole, also where its connections are cut, and the same command goes on.
 * PGDUET_INTERRUPTIONS=5 is ten moments.
 */
import { afterAll, beforeAll, expect } from 'vitest';
import { describeLab, labTest } from '../harness/describe.ts';
import { until } from '../harness/run.ts';
import { startWriter, writerSetup } from '../provision/writer.ts';
import { type LabCluster, provisionedPair } from '../support/cluster.ts';
import {
  fileText,
  lastWords,
  mirroringStatus,
  type Server,
  sql,
  statOf,
  untilSwitchable,
} from '../support/instance.ts';
import { managementDir } from '../support/inventory.ts';
import { expectExit, findingsOf } from '../support/pgduet.ts';
import { watchProcesses } from '../support/process-watch.ts';
import { interruptions, nearlyAll } from '../support/random.ts';
import { Run } from '../support/running.ts';
import { lockIsFree } from '../trouble/trouble.ts';

/** Behind these steps of about twenty it is killed: a renewal of both servers and the arbiter, a reading, and so on. */
const allSteps = 18;
const moments = Array.from({ length: 2 * interruptions }, (_, at) =>
  Math.floor(((at + 0.5) * allSteps) / (2 * interruptions)),
);
/** Three files were written, and three programs have read them. */
const bothKnown = 6;

const arbiterDir = '/mcarb/arbiter/clusters/inst1';

interface Secrets {
  readonly key: string;
  readonly password: string;
}

/** Those of a server, and how many different passwords its password file has. */
async function secretsOf(server: Server): Promise<Secrets> {
  const line = await server.host.sh(
    "sed -n 's/^.*:replication:pgduet_repl:\\(.*\\)$/\\1/p' /var/lib/postgresql/.pgpass | sort -u",
    { check: true },
  );
  return { key: fileText(server.host, `${managementDir}/cluster.key`).trim(), password: line.stdout.trim() };
}

/** Whether the primary lets a standby in with this password; it is asked as a standby asks. */
async function letsIn(primary: Server, from: Server, password: string): Promise<boolean> {
  const conninfo = `host=${primary.address} port=${primary.port} user=pgduet_repl dbname=replication replication=true`;
  const { status } = await from.host.sh(
    `read -r PGPASSWORD; export PGPASSWORD; psql -X -w '${conninfo}' -c IDENTIFY_SYSTEM`,
    { input: `${password}\n` },
  );
  return status === 0;
}

describeLab('the secrets of a pair with an arbiter', () => {
  let pair: LabCluster;
  let one: Server;
  let two: Server;
  beforeAll(async () => {
    pair = await provisionedPair({ arbiter: true });
    [one, two] = [pair.primary, pair.standby];
    await sql(one, writerSetup);
    await sql(one, 'CREATE DATABASE app OWNER app');
    await sql(one, 'CREATE TABLE written (n bigint); ALTER TABLE written OWNER TO app', 'app');
  });
  afterAll(() => pair?.close());

  const arbiter = () => {
    if (!pair.arbiter) throw new Error('no arbiter');
    return pair.arbiter;
  };
  const both = () => [one, two] as const;

  /** What must not change: processes, and the connection of replication. */
  const processes = async (): Promise<readonly string[]> => [
    ...(await Promise.all(
      both().map(async (server) => {
        const pids = await server.host.sh(
          `head -qn 1 ${managementDir}/${server.id}.pid ${server.dataDir}/postmaster.pid`,
          { check: true },
        );
        return `${server.id} ${pids.stdout}`;
      }),
    )),
    (await arbiter().sh('head -n 1 /mcarb/arbiter/arbiter.pid', { check: true })).stdout,
    await sql(one, 'SELECT pid, backend_start FROM pg_stat_replication'),
    await sql(two, 'SELECT pid FROM pg_stat_wal_receiver'),
  ];

  /** New values everywhere, the same on both, and nothing that knows the old ones. */
  async function expectRenewed(before: Secrets): Promise<void> {
    const [first, second] = await Promise.all(both().map(secretsOf));
    expect(second).toEqual(first);
    if (!first) throw new Error('no secrets');
    expect(first.key).toMatch(/^[0-9a-f]{64}$/);
    expect(first.key).not.toBe(before.key);
    expect(first.password).not.toBe(before.password);
    expect(await letsIn(one, two, first.password)).toBe(true);
    expect(await letsIn(one, two, before.password)).toBe(false);
    const left = await Promise.all([
      ...both().map(({ host }) => host.sh(`ls ${managementDir} | grep -i renewal`)),
      arbiter().sh(`ls ${arbiterDir} | grep renewal`),
    ]);
    expect(left.map(({ stdout }) => stdout)).toEqual(['', '', '']);
    for (const server of both()) {
      const { stdout } = await server.host.sh(`mc_ctl status --json -M ${managementDir}`, {
        user: 'postgres',
      });
      const report = JSON.parse(stdout) as {
        cluster_key: { hears: string[]; renewal: boolean };
        arbiters: { status: string }[];
      };
      expect(report.cluster_key).toMatchObject({ hears: [expect.any(String)], renewal: false });
      expect(report.arbiters.map(({ status }) => status)).toEqual(['online']);
    }
    expect(findingsOf(await pair.check())).toEqual([]);
  }

  labTest('are changed under a writing client, and nothing breaks', async () => {
    const before = await secretsOf(one);
    const writer = startWriter([one, two]);
    await writer.more(200);
    const started = await processes();
    const told = await Promise.all(both().map(({ host }) => host.journal('mcoi*')));
    const watched = await watchProcesses(() => pair.run('secrets', 'renew', '--yes', '--verbose'));
    const said = watched.result;
    expectExit(said, 0);
    await writer.more(200);
    const acknowledged = await writer.end();
    expect(await processes()).toEqual(started);
    expect(await sql(one, 'SELECT count(DISTINCT n) FROM written', 'app')).toBe(String(acknowledged.length));
    expect(said.all).toContain('the controller of server1 accepts the new secrets only');
    expect(said.all).toContain('the arbiter accepts the new key only');
    // Nobody was told as unknown, and nobody was given up.
    const logs = await Promise.all(both().map(({ host }) => host.journal('mcoi*')));
    for (const [index, log] of logs.entries())
      expect(log.slice(told[index]?.length)).not.toMatch(/WARNING|ERROR|MCA01021/);
    await expectRenewed(before);
    const after = await secretsOf(one);
    const values = [before, after].flatMap(({ key, password }) => [key, password]);
    expect(watched.seen.length).toBeGreaterThan(20);
    for (const value of values) {
      expect(watched.seen.filter(({ text }) => text.includes(value))).toEqual([]);
      expect(said.all).not.toContain(value);
    }
    process.stdout.write(`longest gap of the writer: ${Math.round(writer.longestGapMs)} ms\n`);
  });

  /** A renewal that was killed behind so many of its steps; false: it was faster. */
  async function killedAt(step: number): Promise<boolean> {
    const run = new Run(['secrets', 'renew', '-i', pair.file, '--yes']);
    if (!(await run.stepsDone(step))) throw new Error(`it ended before step ${step}:\n${run.stderr}`);
    run.child.kill('SIGKILL');
    const ended = await run.ended;
    await until(
      () => 'the lock is still held',
      10_000,
      async () => ((await lockIsFree(one.host)) && (await lockIsFree(two.host)) ? true : undefined),
    );
    return ended.status !== 0;
  }

  labTest(
    'killed at any moment: whole there, and the same command goes on',
    async () => {
      let stopped = 0;
      for (const step of moments) {
        const before = await secretsOf(one);
        if (await killedAt(step)) stopped += 1;
        await expectWhole();
        expectExit(await pair.run('secrets', 'renew', '--yes'), 0);
        await expectRenewed(before);
      }
      expect(stopped).toBeGreaterThanOrEqual(nearlyAll(moments.length));
      process.stdout.write(`killed and continued: ${stopped} of ${moments.length}\n`);
    },
    60_000 + moments.length * 60_000,
  );

  labTest(
    'a standby that is refused for its password comes back by itself, with either of the two',
    async () => {
      const before = await secretsOf(one);
      expect(await killedAt(bothKnown)).toBe(true);
      const { password } = JSON.parse(fileText(two.host, `${managementDir}/renewal.json`)) as {
        password: { from: string; to: string };
      };
      expect(await statOf(two.host, [`${managementDir}/renewal.json`])).toEqual([
        `${managementDir}/renewal.json 600 postgres regular file`,
      ]);
      expect(findingsOf(await pair.check()).map(({ code }) => code)).toContain('SEC002');
      for (let times = 0; times < 2; times += 1) {
        const stands = (await secretsOf(two)).password;
        const other = stands === password.from ? password.to : password.from;
        await sql(one, `ALTER ROLE pgduet_repl PASSWORD '${other}'`);
        await expectWhole();
        expect((await secretsOf(two)).password).toBe(other);
      }
      expectExit(await pair.run('secrets', 'renew', '--yes'), 0);
      await expectRenewed(before);
    },
  );

  /** A standby whose connection breaks now, and a controller that is started anew, come back by themselves. */
  async function expectWhole(): Promise<void> {
    await sql(one, 'SELECT pg_terminate_backend(pid) FROM pg_stat_replication');
    await two.host.sh('systemctl kill -s KILL --kill-who=main mcoi_inst1', { check: true });
    await until(
      async () => `the standby does not come back:${await lastWords(two)}${await lastWords(one)}`,
      30_000,
      async () => {
        const row = await sql(one, "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'");
        return row === '1' ? true : undefined;
      },
    );
    await Promise.all(both().map(untilSwitchable));
    expect(await Promise.all(both().map(mirroringStatus))).toEqual(['switchable', 'switchable']);
  }
});
