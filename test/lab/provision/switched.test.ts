/**
 * What `check`, `provision` and `status` make of a cluster whose controllers have switched or taken a server out, on
 * real hosts, in the order in which it may happen to a person. Each test stands on what the one before has left.
 */
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { describeLab, labTest } from '../harness/describe.ts';
import type { Host, Lab } from '../harness/lab.ts';
import { until } from '../harness/run.ts';
import { provisionedPair } from '../support/cluster.ts';
import {
  changedPaths,
  fileText,
  listing,
  postmasterPid,
  type Server,
  serverOf,
  sql,
  untilMirroring,
  untilSwitchable,
} from '../support/instance.ts';
import { dataDir, inventory, managementDir } from '../support/inventory.ts';
import { expectRowsTravel, expectStreaming, expectSwitchable } from '../support/multiplexed.ts';
import {
  type CheckDocument,
  expectExit,
  findingsOf,
  type Pgduet,
  type RunDocument,
  type Said,
  type StatusDocument,
} from '../support/pgduet.ts';
import { startWriter, writerSetup } from './writer.ts';

describeLab('a cluster whose controllers have acted', () => {
  let lab: Lab;
  let hosts: Host[];
  let command: Pgduet;
  let file: string;
  let one: Server;
  let two: Server;
  beforeAll(async () => {
    const pair = await provisionedPair();
    ({ lab, command, file } = pair);
    hosts = [...pair.hosts, ...(await lab.hosts(1, { names: ['server3'] }))];
    [one, two] = [pair.primary, pair.standby];
    await sql(one, `${writerSetup}; CREATE DATABASE app OWNER app`);
    await sql(one, 'CREATE TABLE written (n int PRIMARY KEY); ALTER TABLE written OWNER TO app', 'app');
  });
  afterAll(() => lab?.close());

  const withConnections = (most: number, count = 2): string =>
    inventory(lab, hosts.slice(0, count), {
      name: `${count}-hosts-${most}.yml`,
      postgres: { settings: { max_connections: most, shared_buffers: '16MB', log_statement: 'all' } },
    });
  const run = (verb: string, ...more: string[]): Promise<Said> => command([verb, '-i', file, ...more]);
  const provision = (...more: string[]): Promise<Said> => run('provision', '--yes', ...more);
  const documentOf = (said: Said): Document => said.json<Document>();
  const checked = (said: Said): CheckDocument => said.json<CheckDocument>();
  const confOf = ({ host }: Server): string => fileText(host, `${dataDir}/postgresql.conf`);
  const names = (server: Server): readonly string[] =>
    confOf(server)
      .split('\n')
      .filter((line) => /^#?synchronous_standby_names = '\w/.test(line));
  const mcCtl = (server: Server, words: string) =>
    server.host.sh(`mc_ctl ${words} -M ${managementDir}`, { user: 'postgres', check: true });
  const whole = async (primary: Server, ...standbys: Server[]): Promise<void> => {
    await Promise.all([primary, ...standbys].map(untilSwitchable));
    const cluster = { primary, standbys, version: 15 };
    await expectStreaming(cluster);
    await expectSwitchable(cluster);
    await expectRowsTravel(cluster);
  };
  const promotions = async (): Promise<number> => {
    const journals = await Promise.all(hosts.map((host) => host.journal('mcoi_inst1')));
    return journals.join('\n').split('(MCA00062)').length - 1;
  };
  /** No drift at all: nothing in the plan, and nothing changed on the hosts by a provision. */
  const expectNoDrift = async (primary: Server, ...servers: Server[]): Promise<void> => {
    const watched = [dataDir, managementDir, '/etc', '/usr/local', '/var/lib/postgresql'];
    const all = [primary, ...servers];
    const check = checked(await run('check', '--json'));
    // Other roles than the preferred ones are a note, and no drift.
    expect(findingsOf(check).filter(({ code }) => code !== 'PRF001')).toEqual([]);
    expect(check.exit).toBe(0);
    const before = await Promise.all(all.map(({ host }) => listing(host, watched)));
    const pids = await Promise.all(all.map(postmasterPid));
    const said = await provision('--json');
    expectExit(said, 0);
    expect(documentOf(said)).toMatchObject({ plan: [], changed: [], primary: primary.id });
    expect(await Promise.all(all.map(postmasterPid))).toEqual(pids);
    const after = await Promise.all(all.map(({ host }) => listing(host, watched)));
    const changed = before.map((list, index) =>
      changedPaths(list, after[index] ?? new Map()).filter(isConfiguration),
    );
    expect(changed).toEqual(all.map(() => []));
  };

  describe('after mc_ctl switch', () => {
    labTest('other roles are told as a preference, with what to do; nothing is undone', async () => {
      await mcCtl(one, 'switch');
      await whole(two, one);
      const check = await run('check');
      expectExit(check, 0);
      expect(check.stdout).toMatch(/^note +PRF001 .*another server is primary than the preferred one$/m);
      expect(check.stdout).toMatch(/declared +server1 is primary\n +found +server2 is primary/);
      expect(check.stdout).toContain('pgduet switch --to server1');
      const document = checked(await run('check', '--json'));
      expect(document.clusters).toMatchObject([{ primary: 'server2', preferred_primary: 'server1' }]);
      expect(findingsOf(document)).toMatchObject([{ code: 'PRF001', severity: 'note' }]);
      expect(documentOf(await run('provision', '--check', '--json')).plan).toEqual([]);
      await expectNoDrift(two, one);
      await whole(two, one);
      const status = await run('status');
      expectExit(status, 0);
      expect(status.stdout).toContain('pgduet switch --to server1');
    });

    labTest(
      'a setting that needs a restart comes into force, standby first; no row is lost, no role changes',
      async () => {
        const promoted = await promotions();
        const writer = startWriter([one, two]);
        await writer.more(50);
        file = withConnections(60);
        expectExit(await run('check'), 2);
        const plan = await run('provision', '--check');
        expectExit(plan, 2);
        expect(plan.stdout).toContain('PostgreSQL is restarted on: server1, server2');
        const said = await provision();
        expectExit(said, 0);
        const restarts = said.stderr.match(/server\d: restart PostgreSQL/g);
        expect(restarts).toEqual(['server1: restart PostgreSQL', 'server2: restart PostgreSQL']);
        await writer.more(50);
        const acknowledged = await writer.end();
        const rows = new Set((await sql(two, 'SELECT n FROM written', 'app')).split('\n').map(Number));
        expect(acknowledged.filter((n) => !rows.has(n))).toEqual([]);
        expect(acknowledged.length).toBeGreaterThan(100);
        for (const server of [one, two]) expect(await sql(server, 'SHOW max_connections')).toBe('60');
        expect(await promotions()).toBe(promoted);
        await whole(two, one);
        await expectNoDrift(two, one);
      },
    );

    labTest('--limit leaves the primary as long as its standby has less', async () => {
      file = withConnections(70);
      const pids = await Promise.all([one, two].map(postmasterPid));
      expectExit(await provision('--limit', 'server2'), 2);
      expect(await Promise.all([one, two].map(postmasterPid))).toEqual(pids);
      expectExit(await provision('--limit', 'server1'), 2);
      expect(await sql(one, 'SHOW max_connections')).toBe('70');
      expect(await postmasterPid(two)).toBe(pids[1]);
      expectExit(await provision(), 0);
      expect(await sql(two, 'SHOW max_connections')).toBe('70');
      await whole(two, one);
    });
  });

  describe('a standby that is out', () => {
    let confBefore: string;

    labTest('because a person has detached it: told, and left so', async () => {
      confBefore = confOf(two);
      await mcCtl(two, 'detach');
      expect(names(two)).toEqual(["#synchronous_standby_names = 'server1'"]);
      const check = await run('check');
      expectExit(check, 1);
      expect(check.stdout).toContain('the cluster is degraded: server1 is out');
      expect(check.stdout).toMatch(/mc_ctl detach.*commits do not wait/);
      const told = findingsOf(checked(await run('check', '--json')));
      expect(told.filter(({ mended_by }) => mended_by === 'provision')).toEqual([]);
      expect(documentOf(await run('provision', '--check', '--json')).plan).not.toContainEqual(
        expect.objectContaining({ state: 'change' }),
      );
      const before = confOf(two);
      const said = await provision('--json');
      expectExit(said, 1);
      expect(documentOf(said)).toMatchObject({ changed: [] });
      expect(documentOf(said).diagnostics).toContainEqual(
        expect.objectContaining({ code: 'HST013', what: 'the cluster is degraded: server1 is out' }),
      );
      expect(confOf(two)).toBe(before);
      await sql(two, 'INSERT INTO written VALUES (-1)', 'app');
      const [row] = (await run('status', '--json'))
        .json<Status>()
        .servers.filter(({ server }) => server === 'server2');
      expect(row).toMatchObject({
        controller: 'not-switchable',
        why: expect.stringContaining('mc_ctl detach'),
        since: expect.stringMatching(/^20/),
        to_do: expect.stringContaining('server1'),
      });
    });

    labTest('and then stopped: provision starts it, and the controller takes it in again', async () => {
      await one.host.sh('systemctl stop mcoi_inst1', { check: true });
      expect(findingsOf(checked(await run('check', '--json')))).toContainEqual(
        expect.objectContaining({ code: 'CTL001', host: 'server1', mended_by: 'provision' }),
      );
      const check = documentOf(await run('provision', '--check', '--json'));
      expect(check.exit).toBe(2);
      const summaries = check.plan.flatMap(({ summary = '' }) => summary);
      expect(summaries).toContainEqual(expect.stringMatching(/^start the Mirroring Controller/));
      expect(summaries.join()).not.toContain('synchronous_standby_names');
      expect(JSON.stringify(check.plan)).toContain('no controller runs on server1, since 20');
      expectExit(await provision(), 0);
      await whole(two, one);
      expect(confOf(two)).toBe(confBefore);
      await expectNoDrift(two, one);
    });

    labTest('because its instance has crashed: the same', async () => {
      await one.host.sh(`kill -9 $(head -n 1 ${dataDir}/postmaster.pid)`, { check: true });
      await untilMirroring(two, 'not-switchable');
      await until(
        () => 'the names stand still',
        30_000,
        () => (names(two)[0]?.startsWith('#') ? true : undefined),
      );
      expect(findingsOf(checked(await run('check', '--json')))).toContainEqual(
        expect.objectContaining({ code: 'CTL008', host: 'server1', mended_by: 'provision' }),
      );
      const check = documentOf(await run('provision', '--check', '--json'));
      expect(check.exit).toBe(2);
      expect(JSON.stringify(check.plan)).toContain('start the instance of server1');
      expect(JSON.stringify(check.plan)).not.toContain('set synchronous');
      expectExit(await provision(), 0);
      await whole(two, one);
      expect(confOf(two)).toBe(confBefore);
    });
  });

  describe('after the primary has crashed', () => {
    labTest('the former primary is told, refused and left as it is', async () => {
      await two.host.sh(`kill -9 $(head -n 1 ${dataDir}/postmaster.pid)`, { check: true });
      await untilMirroring(one, 'switched');
      const pid = await postmasterPid(one);
      const conf = confOf(one);
      expect(names(one)).toEqual(["#synchronous_standby_names = 'server2'"]);
      const data = await dataOf(two);
      const looked = await run('check', '--json');
      expectExit(looked, 5);
      expect(checked(looked).clusters).toMatchObject([{ primary: 'server1' }]);
      expect(findingsOf(checked(looked))).toContainEqual(
        expect.objectContaining({ code: 'SAF007', host: 'server2', severity: 'danger' }),
      );
      for (const how of ['--check', '--yes']) {
        const said = await run('provision', '--json', how);
        expectExit(said, 5);
        const document = documentOf(said);
        expect(document).toMatchObject({ primary: 'server1', diagnostics: [{ code: 'SAF007' }] });
        expect(document.plan.map(({ state }) => state)).not.toContain('change');
        expect(JSON.stringify(document.plan)).toMatch(/server1 has taken over.*pgduet rebuild server2/);
      }
      const check = await run('check');
      expect(check.stdout).toMatch(/degraded: server2 is out[\s\S]*since 20[\s\S]*pgduet rebuild server2/);
      expect(await dataOf(two)).toBe(data);
      expect((await two.host.sh('pgrep -x postgres')).stdout).toBe('');
      expect(await postmasterPid(one)).toBe(pid);
      expect(confOf(one)).toBe(conf);
      await sql(one, 'INSERT INTO written VALUES (-2)', 'app');
    });

    labTest('status says who is out, since when, why, and what to do', async () => {
      const said = await run('status', '--json');
      const status = said.json<Status>();
      expect(status).toMatchObject({ primary: 'server1', problem: null });
      const [first, second] = status.servers;
      expect(first).toMatchObject({
        role: 'primary',
        controller: 'switched',
        why: expect.stringContaining('server1 has taken over'),
        since: expect.stringMatching(/^20/),
        to_do: expect.stringContaining('pgduet rebuild server2'),
      });
      expect(second).toMatchObject({ role: 'none', state: expect.stringMatching(/^stopped/) });
      expect((await run('status')).stdout).toContain('to do: Find out what happened');
    });

    labTest('a restart of its unit does not start it either', async () => {
      await two.host.sh('systemctl restart mcoi_inst1', { check: true });
      await untilMirroring(one, 'switched');
      expect(checked(await run('check', '--json')).exit).toBe(5);
      const document = documentOf(await run('provision', '--check', '--json'));
      expect(document).toMatchObject({ exit: 5, diagnostics: [{ code: 'SAF007' }] });
      expect(document.plan.map(({ state }) => state)).not.toContain('change');
      expect((await two.host.sh('pgrep -x postgres')).stdout).toBe('');
    });

    labTest('emptied, it becomes a standby again', async () => {
      await two.host.sh(`systemctl stop mcoi_inst1; rm -rf ${dataDir} ${managementDir}/server2.system`, {
        check: true,
      });
      expectExit(await provision(), 0);
      await whole(one, two);
      await expectNoDrift(one, two);
    });
  });

  labTest('a third host joins while the roles are swapped', async () => {
    await mcCtl(one, 'switch');
    await whole(two, one);
    const pids = await Promise.all([one, two].map(postmasterPid));
    file = withConnections(70, 3);
    expectExit(await provision(), 0);
    const three = serverOf(hosts[2] as Host);
    await whole(two, one, three);
    expect(await Promise.all([one, two].map(postmasterPid))).toEqual(pids);
    await expectNoDrift(two, one, three);
  });
});

interface Document extends RunDocument {
  readonly preferred_primary: string;
  readonly plan: readonly (RunDocument['plan'][number] & { readonly to_do?: string })[];
}

interface Status extends Omit<StatusDocument, 'servers'> {
  readonly servers: readonly (StatusDocument['servers'][number] & {
    readonly why: string | null;
    readonly since: string | null;
    readonly to_do: string | null;
  })[];
}

/** Checksums of a data directory that nobody uses; the controller's disk check comes and goes. */
async function dataOf({ host }: Server): Promise<string> {
  const { stdout } = await host.sh(
    `find ${dataDir} -type f ! -name '*mc_disk_check*' -exec sha256sum {} + | sort -k 2`,
  );
  expect(stdout.split('\n').length).toBeGreaterThan(500);
  return stdout;
}

/** Not what the running instance and the controller write all the time. */
function isConfiguration(path: string): boolean {
  if (path === managementDir || path === dataDir) return false;
  const inside = path.startsWith(`${dataDir}/`) || path.startsWith(`${managementDir}/`);
  return !inside || /\.(conf|key|system|making|signal)$/.test(path);
}
