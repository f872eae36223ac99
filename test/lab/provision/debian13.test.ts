/**
 * The same facts on Debian 13 with PostgreSQL 17 from its own packages: provisioning, a second run, a reboot of both hosts; and what the limits of
 * the unit leave to extensions, archive commands and hooks.
 */
import { afterAll, beforeAll, expect } from 'vitest';
import { describeLab, labTest } from '../harness/describe.ts';
import { type Host, Lab } from '../harness/lab.ts';
import { until } from '../harness/run.ts';
import { type Server, serverOf, sql, untilMirroring, untilSwitchable } from '../support/instance.ts';
import { inventory, plainSettings } from '../support/inventory.ts';
import { expectLimited } from '../support/limits.ts';
import { type Cluster, expectMultiplexed } from '../support/multiplexed.ts';
import {
  built,
  expectExit,
  type Pgduet,
  pgduet,
  type RunDocument,
  type StatusDocument,
} from '../support/pgduet.ts';

const hook = '/opt/hooks/switched';
const calls = '/var/tmp/calls';

describeLab('a pair on Debian 13 with PostgreSQL 17', () => {
  let lab: Lab;
  let hosts: Host[];
  let command: Pgduet;
  let file: string;
  beforeAll(async () => {
    built();
    lab = await Lab.open();
    hosts = await lab.hosts(2, { image: 'debian13', names: ['server1', 'server2'] });
    command = pgduet(lab);
    for (const host of hosts)
      await host.sh(`mkdir -p /opt/hooks && cat > ${hook} && chmod 0755 ${hook}`, {
        input: `#!/bin/sh\necho "$@" by "$(id -un)" >> ${calls}\n`,
        check: true,
      });
    file = inventory(lab, hosts, {
      version: 17,
      postgres: {
        settings: {
          ...plainSettings,
          archive_mode: 'on',
          archive_command: 'mkdir -p /var/tmp/archive && nice cp -p %p /var/tmp/archive/%f',
        },
      },
      multiplexing: { post_switch_command: `${hook} --jobs on` },
    });
  });
  afterAll(() => lab?.close());
  const cluster = (): Cluster => {
    const [primary, ...standbys] = hosts.map((host): Server => serverOf(host));
    if (!primary) throw new Error('no hosts');
    return { primary, standbys, version: 17 };
  };

  labTest('is provisioned, and a second run changes nothing', async () => {
    expectExit(await command(['provision', '-i', file, '--yes']), 0);
    await expectMultiplexed(cluster());
    const again = await command(['provision', '-i', file, '--yes', '--json']);
    expect(again.json<RunDocument>()).toMatchObject({
      exit: 0,
      plan: [],
      changed: [],
      round_trips: { server1: 1, server2: 1 },
    });
    const status = (await command(['status', '-i', file, '--json'])).json<StatusDocument>();
    expect(status.servers.map(({ role, controller }) => `${role} ${controller}`)).toEqual([
      'primary switchable',
      'standby switchable',
    ]);
  });

  labTest('is back and switchable after a reboot of both hosts', async () => {
    await Promise.all(hosts.map((host) => host.reboot()));
    await Promise.all(hosts.map((host) => untilSwitchable(serverOf(host))));
    await expectMultiplexed(cluster());
    expectExit(await command(['check', '-i', file]), 0);
  });

  labTest('works under the limits of its unit: queries, archive, hooks, a switch and a rebuild', async () => {
    const { primary, standbys } = cluster();
    const [standby] = standbys;
    if (!standby) throw new Error('no standby');
    await expectLimited(primary);
    expectExit(await command(['switch', '-i', file, '--yes']), 0);
    expect((await standby.host.sh(`cat ${calls}`)).stdout).toMatch(/^--jobs on .* by postgres$/m);
    await sql(standby, 'create table archived as select 1 as n; select pg_switch_wal()');
    await until(
      () => 'no WAL has been archived',
      30_000,
      async () =>
        (await sql(standby, 'select archived_count > 0 and failed_count = 0 from pg_stat_archiver')) ===
          't' || undefined,
    );
    await standby.host.sh(`kill -9 $(head -n 1 ${standby.dataDir}/postmaster.pid)`, { check: true });
    await untilMirroring(primary, 'switched', 30_000);
    expectExit(await command(['rebuild', standby.id, '-i', file, '--yes']), 0);
    await untilSwitchable(primary);
  });
});
