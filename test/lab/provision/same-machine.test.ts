/**
 * Two servers on one machine: one address, different ports and directories. Each has a management directory and a unit of
 * its own, and `--local-server` says which one is meant.
 */
import { afterAll, beforeAll, expect } from 'vitest';
import { describeLab, labTest } from '../harness/describe.ts';
import { type Host, Lab } from '../harness/lab.ts';
import { mcCtlStatus, type Server, serverOf, untilSwitchable } from '../support/instance.ts';
import { inventory, type YamlMap } from '../support/inventory.ts';
import { type Cluster, expectMultiplexed } from '../support/multiplexed.ts';
import { built, expectExit, type Pgduet, pgduet, type RunDocument } from '../support/pgduet.ts';

describeLab('two servers on one machine', () => {
  let lab: Lab;
  let machine: Host;
  let command: Pgduet;
  beforeAll(async () => {
    built();
    lab = await Lab.open();
    [machine] = await lab.hosts(1, { names: ['machine1'] });
    command = pgduet(lab);
  });
  afterAll(() => lab?.close());

  const entry = (n: number): YamlMap => ({
    address: machine.address,
    role: n === 1 ? 'primary' : 'standby',
    postgres: { port: 27499 + n, data_dir: `/database/server${n}` },
    multiplexing: { port: 27539 + n, management_dir: `/mcdir/server${n}` },
  });
  const server = (n: number): Server =>
    serverOf(machine, {
      id: `server${n}`,
      port: 27499 + n,
      dataDir: `/database/server${n}`,
      managementDir: `/mcdir/server${n}`,
      unit: `mcoi_inst1_server${n}.service`,
    });
  const cluster = (): Cluster => ({ primary: server(1), standbys: [server(2)], version: 15 });

  labTest('become a synchronous pair; a second run finds nothing to do', async () => {
    const file = inventory(lab, [], { hosts: { server1: entry(1), server2: entry(2) } });
    expectExit(await command(['provision', '-i', file, '--yes']), 0);
    const made = cluster();
    await expectMultiplexed(made);
    for (const one of [made.primary, ...made.standbys])
      expect(await mcCtlStatus(one)).toContain('switchable');
    const again = await command(['provision', '-i', file, '--yes', '--json']);
    expectExit(again, 0);
    expect(again.json<RunDocument>()).toMatchObject({
      plan: [],
      changed: [],
      round_trips: { server1: 1, server2: 1 },
    });
  });

  labTest('both come back after a reboot of the machine', async () => {
    await machine.reboot();
    const made = cluster();
    await Promise.all([made.primary, ...made.standbys].map(untilSwitchable));
    await expectMultiplexed(made);
  });

  labTest('one management directory for both is refused before anything is contacted', async () => {
    await machine.powerOff();
    const hosts = { server1: entry(1), server2: { ...entry(2), multiplexing: { port: 27541 } } };
    const file = inventory(lab, [], {
      name: 'shared.yml',
      hosts,
      multiplexing: { management_dir: '/mcdir/server1' },
    });
    const said = await command(['provision', '-i', file, '--yes']);
    expectExit(said, 3);
    expect(said.stderr).toContain('INV010');
  });
});
