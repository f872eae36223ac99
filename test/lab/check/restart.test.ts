/**
 * `provision --restart`: what a setting that needs a restart may cost. `never` writes and reloads, says what waits, and ends
 * with 2; `when-needed` restarts each server once, standbys first, and asks nobody.
 */
import { afterAll, beforeAll, expect } from 'vitest';
import { describeLab, labTest } from '../harness/describe.ts';
import { type LabCluster, provisionedPair } from '../support/cluster.ts';
import { postmasterPid, sql } from '../support/instance.ts';
import { expectStreaming, expectSwitchable } from '../support/multiplexed.ts';
import { expectExit, findingsOf } from '../support/pgduet.ts';
import { lines } from './pair.ts';
import { expectNothing } from './round.ts';

describeLab('a setting that needs a restart', () => {
  let before: LabCluster;
  /** The same hosts, with an inventory in which two settings have changed: one needs a restart. */
  let pair: LabCluster;
  beforeAll(async () => {
    before = await provisionedPair();
    const settings = { max_connections: 60, shared_buffers: '16MB', log_statement: 'ddl' };
    pair = before.declared('more.yml', { postgres: { settings } });
  });
  afterAll(() => before?.close());

  const servers = () => [pair.primary, pair.standby];
  const pids = () => Promise.all(servers().map(postmasterPid));
  const shown = (name: string) => Promise.all(servers().map((server) => sql(server, `SHOW ${name}`)));

  labTest('never: it is written, what needs no restart is in force, and what waits is said', async () => {
    const running = await pids();
    const said = await pair.provision('--restart', 'never');
    expectExit(said, 2);
    expect(said.all).toMatch(/restart/);
    for (const { id } of servers()) expect(said.all).toMatch(new RegExp(`restart[\\s\\S]*${id}`));
    expect(await pids()).toEqual(running);
    expect(await shown('log_statement')).toEqual(['ddl', 'ddl']);
    expect(await shown('max_connections')).toEqual(['50', '50']);
    const document = await pair.check();
    expect(document.exit).toBe(2);
    expect(
      findingsOf(document).map(({ code, host, object, mended_by }) => [code, host, object, mended_by]),
      lines(findingsOf(document)).join('\n'),
    ).toEqual([
      ['SET007', 'server1', 'max_connections', 'provision'],
      ['SET007', 'server2', 'max_connections', 'provision'],
    ]);
  });

  labTest('never, once more: nothing is left to write, and it still waits', async () => {
    const running = await pids();
    expectExit(await pair.provision('--restart', 'never'), 2);
    expect(await pids()).toEqual(running);
  });

  labTest('when-needed: each is restarted once, the standby first, and all is in force', async () => {
    const running = await pids();
    const said = await pair.provision('--restart', 'when-needed');
    expectExit(said, 0);
    expect(said.stderr.match(/server\d: restart PostgreSQL/g)).toEqual([
      'server2: restart PostgreSQL',
      'server1: restart PostgreSQL',
    ]);
    expect((await pids()).some((pid, index) => pid === running[index])).toBe(false);
    expect(await shown('max_connections')).toEqual(['60', '60']);
    const cluster = { primary: pair.primary, standbys: [pair.standby], version: 15 };
    await expectStreaming(cluster);
    await expectSwitchable(cluster);
    await expectNothing(pair);
  });

  labTest('when-needed: what needs no restart gets none', async () => {
    const running = await pids();
    await sql(pair.primary, "ALTER SYSTEM SET log_statement = 'none'");
    await sql(pair.standby, 'ALTER SYSTEM SET max_connections = 70');
    expectExit(await pair.provision('--restart', 'when-needed'), 0);
    expect(await pids()).toEqual(running);
    await expectNothing(pair);
  });
});
