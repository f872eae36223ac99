/**
 * `pgduet replace` of a standby of three, whose host is another one at another address: the former host comes back, and is nobody; a maintenance of it
 * is over.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect } from 'vitest';
import { describeLab, labTest } from '../harness/describe.ts';
import { until } from '../harness/run.ts';
import { type LabCluster, provisionedTrio } from '../support/cluster.ts';
import {
  mcCtlStatus,
  mirroringStatus,
  type Server,
  sql,
  untilMirroring,
  untilSql,
} from '../support/instance.ts';
import { expectMultiplexed } from '../support/multiplexed.ts';
import { expectExit, findingsOf, type RunDocument } from '../support/pgduet.ts';
import { clusterKey, passfile, untilOut, withNewHost } from './replaced.ts';

type Document = RunDocument & {
  readonly replace: { readonly host: string; readonly locked_out_of: readonly string[] | null };
};

/** `fallback` where nothing is said; a register of three where that is left out. */
const majority = { multiplexing: { on_heartbeat_loss: undefined } } as const;

describeLab('a standby of three whose host is another one', () => {
  let trio: LabCluster;
  let now: LabCluster;
  let lost: Server;
  beforeAll(async () => {
    trio = await provisionedTrio(majority);
    lost = trio.servers[2] as Server;
    await sql(trio.primary, 'create table t (n int); insert into t select generate_series(1, 100)');
  });
  afterAll(() => trio?.close());

  labTest('is refused for the primary, and does nothing for a standby that streams', async () => {
    const primary = await trio.run('replace', trio.primary.id, '--yes');
    expectExit(primary, 5);
    expect(primary.stderr).toContain('SAF070');
    const nothing = await trio.run('replace', lost.id, '--yes', '--json');
    expectExit(nothing, 0);
    expect(nothing.json<Document>()).toMatchObject({ changed: [], replace: { locked_out_of: null } });
  });

  labTest('provision refuses the new host, and names the command', async () => {
    await lost.host.powerOff();
    await untilOut(trio.primary, lost.id);
    now = await withNewHost(trio, majority, lost.id);
    const findings = findingsOf(await now.check());
    expect(findings).toContainEqual(
      expect.objectContaining({
        code: 'CTL014',
        host: lost.id,
        commands: [expect.objectContaining({ run: `pgduet replace ${lost.id}` })],
      }),
    );
    const refused = await now.provision();
    expectExit(refused, 5);
    expect(refused.stderr).toContain('SAF073');
    expect(refused.stderr).toContain(`pgduet replace ${lost.id}`);
  });

  labTest('is shown first, then done, and proven', async () => {
    const before = [passfile(trio.primary.host), clusterKey(trio.primary.host)];
    const shown = await now.run('replace', lost.id, '--check', '--json');
    expectExit(shown, 2);
    expect(shown.json<Document>().replace).toEqual({
      host: lost.id,
      locked_out_of: [trio.primary.id, trio.standby.id],
    });
    expect([passfile(trio.primary.host), clusterKey(trio.primary.host)]).toEqual(before);
    const done = await now.run('replace', lost.id, '--yes');
    expectExit(done, 0);
    expect(done.stderr).toContain('First the former host');
    await now.untilSwitchable();
    await expectMultiplexed(now);
    expect(await sql(now.servers[2] as Server, 'select count(*) from t')).toBe('100');
    expect(clusterKey(now.primary.host)).not.toBe(before[1]);
    expectExit(await now.run('check'), 0);
    const again = await now.run('replace', lost.id, '--yes', '--json');
    expectExit(again, 0);
    expect(again.json<Document>().changed).toEqual([]);
  });

  labTest('the former address is forgotten on the others', async () => {
    for (const { host } of now.servers.slice(0, 2)) {
      const { stdout } = await host.sh(
        `grep -rlF '${lost.address}' /mcdir/inst1 /database/inst1/*.conf /var/lib/postgresql/.pgpass /etc/services /etc/systemd/system --include='*.conf' --include=.pgpass --include=services --include='*.service'`,
      );
      expect(stdout.trim()).toBe('');
    }
    expect(await sql(now.primary, 'select count(*) from pg_replication_slots')).toBe('0');
  });

  labTest('the former host comes back, and nobody hears it', async () => {
    await now.primary.host.sh('journalctl --rotate; journalctl --vacuum-time=1s');
    await lost.host.powerOn();
    await sleep(12_000);
    expect(await mirroringStatus(now.primary)).toBe('switchable');
    const said = await now.primary.host.journal('mcoi*');
    expect(said).not.toContain('mirroring status');
    expect(await mirroringStatus(lost)).not.toBe('switchable');
    expect(await sql(now.primary, 'select count(*) from pg_stat_replication')).toBe('2');
  });

  labTest('the primary dies beside it: one of the others takes over, and it does not', async () => {
    await now.primary.host.powerOff();
    const [, b, c] = now.servers as [Server, Server, Server];
    const leads = await until(
      async () => `nobody takes over:\n${await mcCtlStatus(b)}`,
      60_000,
      async () => {
        for (const server of [b, c])
          if ((await sql(server, 'select pg_is_in_recovery()').catch(String)) === 'f') return server;
        return undefined;
      },
      200,
    );
    await sleep(8000);
    const states = await Promise.all(
      [b, c, lost].map((server) => sql(server, 'select pg_is_in_recovery()').catch(() => 'down')),
    );
    expect(states.filter((state) => state === 'f')).toHaveLength(1);
    expect(states[2]).not.toBe('f');
    await untilSql(leads, "select count(*) from pg_stat_replication where sync_state <> 'async'", '1');
    await sql(leads, 'insert into t values (0)');
  });
});

describeLab('a server in maintenance whose host is another one', () => {
  let trio: LabCluster;
  beforeAll(async () => {
    trio = await provisionedTrio(majority);
  });
  afterAll(() => trio?.close());

  labTest('is replaced, and is in no maintenance any more', async () => {
    const lost = trio.servers[2] as Server;
    expectExit(await trio.run('maintenance', 'begin', lost.id, '--by', 'alice', '--yes'), 0);
    await lost.host.powerOff();
    const now = await withNewHost(trio, majority, lost.id);
    expectExit(await now.provision(), 0);
    const refused = await now.run('replace', lost.id, '--yes');
    expectExit(refused, 5);
    expect(refused.stderr).toContain('SAF016');
    const done = await now.run('replace', lost.id, '--of', 'alice', '--yes');
    expectExit(done, 0);
    await now.untilSwitchable();
    await expectMultiplexed(now);
    expect(await mcCtlStatus(now.primary)).not.toContain('maintenance');
    await untilMirroring(now.servers[2] as Server, 'switchable');
    expectExit(await now.run('check'), 0);
  });
});
