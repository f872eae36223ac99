/**
 * An asynchronous copy that received what the standby which takes over did not: it cannot follow the new primary. It is told where a
 * person looks, commits never wait for it, and a rebuild makes it a copy again. What only it held was acknowledged to nobody.
 */
import { afterAll, beforeAll, expect } from 'vitest';
import { describeLab, labTest } from '../harness/describe.ts';
import { until } from '../harness/run.ts';
import { type LabCluster, provisionedTrio } from '../support/cluster.ts';
import { mcCtlStatus, type Server, sql, untilMirroring, untilSql } from '../support/instance.ts';
import { expectExit, findingsOf } from '../support/pgduet.ts';

const rows = "SELECT string_agg(n::text, ',' ORDER BY n) FROM written";

describeLab('an asynchronous copy that is ahead of the new primary', () => {
  let trio: LabCluster;
  let one: Server;
  let two: Server;
  let copy: Server;
  beforeAll(async () => {
    trio = await provisionedTrio({
      host: ({ name }) => (name === 'server3' ? { replication: 'asynchronous' } : {}),
    });
    const [a, b, c] = trio.servers;
    if (!a || !b || !c) throw new Error('three servers were provisioned');
    [one, two, copy] = [a, b, c];
  });
  afterAll(() => trio?.close());

  const untilTold = (words: string): Promise<true> =>
    until(
      async () => `mc_ctl status does not say '${words}':\n${await mcCtlStatus(two)}`,
      30_000,
      async () => ((await mcCtlStatus(two)).includes(words) ? true : undefined),
      500,
    );

  labTest('is told to have parted, and commits do not wait for it', async () => {
    await sql(one, 'CREATE TABLE written (n int); INSERT INTO written VALUES (1)');
    await untilSql(copy, rows, '1');
    await two.host.cut();
    const unanswered = sql(one, 'INSERT INTO written VALUES (2)').then(
      () => 'acknowledged',
      () => 'no answer',
    );
    await untilSql(copy, rows, '1,2');
    // What stands in the buffers of a host without power arrives nowhere.
    await one.host.cut();
    await one.host.powerOff();
    await two.host.heal();
    expect(await unanswered).toBe('no answer');
    await untilSql(two, 'SELECT pg_is_in_recovery()', 'f');
    await sql(two, 'INSERT INTO written VALUES (3)');
    expect(await sql(two, rows)).toBe('1,3');
    await untilTold('server3 holds WAL that server2 does not have, and cannot follow it');
    expect(await mcCtlStatus(two)).toContain('pgduet rebuild server3');
    expect(await sql(copy, rows)).toBe('1,2');
    expect(await sql(two, 'SHOW synchronous_standby_names')).toBe('');
  });

  labTest('stays told when the others are whole, and a rebuild brings it back', async () => {
    await one.host.heal();
    await one.host.powerOn();
    await untilTold('server1 was primary before server2 took over, and is held back');
    const said = await trio.run('rebuild', 'server1', '--yes');
    expect(said.all).toMatch(/server3: it holds WAL that server2 does not have[\s\S]*pgduet rebuild server3/);
    await untilMirroring(two, 'switchable');
    await untilTold('server3 holds WAL that server2 does not have, and cannot follow it');
    const found = findingsOf(await trio.check());
    expect(found.map(({ code, host }) => `${code} ${host}`)).toContain('REP007 server3');
    const provision = await trio.provision();
    expect(provision.all).toMatch(/HST013[\s\S]*pgduet rebuild server3/);

    expectExit(await trio.run('rebuild', 'server3', '--yes'), 0);
    await untilSql(copy, rows, '1,3');
    expect(findingsOf(await trio.check()).map(({ code }) => code)).toEqual(['PRF001']);
    expect(await mcCtlStatus(two)).not.toContain('does not have');
  });
});
