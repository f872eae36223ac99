/**
 * The same facts on Debian 13 with PostgreSQL 17 from its own packages: provisioning, a second run, a reboot of both hosts.
 */
import { afterAll, beforeAll, expect } from 'vitest';
import { describeLab, labTest } from '../harness/describe.ts';
import { type Host, Lab } from '../harness/lab.ts';
import { type Server, serverOf, untilSwitchable } from '../support/instance.ts';
import { inventory } from '../support/inventory.ts';
import { type Cluster, expectMultiplexed } from '../support/multiplexed.ts';
import {
  built,
  expectExit,
  type Pgduet,
  pgduet,
  type RunDocument,
  type StatusDocument,
} from '../support/pgduet.ts';

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
    file = inventory(lab, hosts, { version: 17 });
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
});
