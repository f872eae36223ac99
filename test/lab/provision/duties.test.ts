/**
 * What each server may do, on a running trio: a standby becomes an asynchronous copy and a server like the others again, nobody
 * restarts, and when the primary fails the preferred standby takes over.
 */
import { afterAll, beforeAll, expect } from 'vitest';
import { describeLab, labTest } from '../harness/describe.ts';
import { type LabCluster, provisionedTrio } from '../support/cluster.ts';
import { postmasterPid, sql, untilMirroring, untilSql } from '../support/instance.ts';
import { dataDir, managementDir, type YamlMap } from '../support/inventory.ts';
import { expectExit, findingsOf, type RunDocument } from '../support/pgduet.ts';

const rows =
  "SELECT string_agg(application_name || ' ' || sync_state, ', ' ORDER BY application_name) FROM pg_stat_replication";

describeLab('duties of the servers of a trio', () => {
  let trio: LabCluster;
  beforeAll(async () => {
    trio = await provisionedTrio();
  });
  afterAll(() => trio?.close());

  const withDuty = (name: string, duties: Readonly<Record<string, YamlMap>>): LabCluster =>
    trio.declared(name, { host: (host) => duties[host.name] ?? {} });
  const settled = async (cluster: LabCluster): Promise<void> => {
    expectExit(await cluster.provision(), 0);
    const again = await cluster.provision('--json');
    expect(again.json<RunDocument>()).toMatchObject({ exit: 0, plan: [] });
    expect(findingsOf(await cluster.check())).toEqual([]);
  };

  labTest('a standby becomes an asynchronous copy and is one of two again; nobody is restarted', async () => {
    const before = await Promise.all(trio.servers.map(postmasterPid));
    const copy = withDuty('copy.yml', { server2: { replication: 'asynchronous' } });
    expect(findingsOf(await copy.check()).map(({ code }) => code)).toContain('CTL009');
    await settled(copy);
    expect(await sql(trio.primary, rows)).toBe('server2 async, server3 sync');
    const status = await trio.primary.host.sh(`mc_ctl status -M ${managementDir}`, { user: 'postgres' });
    expect(status.stdout).toMatch(/^switchable$/m);
    expect(status.stdout).toContain('duty: server2 is an asynchronous copy');
    const refused = await copy.run('switch', '--to', 'server2', '--check');
    expectExit(refused, 5);
    expect(refused.stdout + refused.stderr).toContain('mc_ctl switch --to server2 --force');

    const preferred = withDuty('preferred.yml', { server3: { priority: 200 } });
    await settled(preferred);
    expect(await sql(trio.primary, rows)).toMatch(
      /^server2 (sync, server3 potential|potential, server3 sync)$/,
    );
    expect(await Promise.all(trio.servers.map(postmasterPid))).toEqual(before);
  });

  labTest('the preferred standby takes over when the primary fails', async () => {
    const [, two, three] = trio.servers;
    if (!two || !three) throw new Error('three servers were provisioned');
    await sql(trio.primary, 'CREATE TABLE written (n int); INSERT INTO written VALUES (1)');
    await trio.primary.host.sh(`kill -9 $(head -1 ${dataDir}/postmaster.pid)`, { check: true });
    await untilSql(three, 'SELECT pg_is_in_recovery()', 'f');
    expect(await sql(three, 'SELECT n FROM written')).toBe('1');
    await untilSql(three, "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'", '1');
    await untilMirroring(three, 'switchable');
    expect(await sql(two, 'SELECT pg_is_in_recovery()')).toBe('t');
  });
});
