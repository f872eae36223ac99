/**
 * Two servers on one machine: one address, different ports and directories, with a management directory each or one that
 * both share. Each has a unit of its own, and `--local-server` says which one is meant.
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
  let separate: Host;
  let shared: Host;
  let command: Pgduet;
  beforeAll(async () => {
    built();
    lab = await Lab.open();
    [separate, shared] = await lab.hosts(2, { names: ['machine1', 'machine2'] });
    command = pgduet(lab);
  });
  afterAll(() => lab?.close());

  const entry = (host: Host, n: number, management: string): YamlMap => ({
    address: host.address,
    role: n === 1 ? 'primary' : 'standby',
    postgres: { port: 27499 + n, data_dir: `/database/server${n}` },
    multiplexing: { port: 27539 + n, management_dir: management },
  });
  const server = (host: Host, n: number, management: string): Server =>
    serverOf(host, {
      id: `server${n}`,
      port: 27499 + n,
      dataDir: `/database/server${n}`,
      managementDir: management,
      unit: `mcoi_inst1_server${n}.service`,
    });
  const cluster = (host: Host, one: string, two: string): Cluster => ({
    primary: server(host, 1, one),
    standbys: [server(host, 2, two)],
    version: 15,
  });

  async function expectProvisioned(host: Host, one: string, two: string): Promise<Cluster> {
    const hosts = { server1: entry(host, 1, one), server2: entry(host, 2, two) };
    const file = inventory(lab, [], { name: `${host.name}.yml`, hosts });
    expectExit(await command(['provision', '-i', file, '--yes']), 0);
    const made = cluster(host, one, two);
    await expectMultiplexed(made);
    const again = await command(['provision', '-i', file, '--yes', '--json']);
    expect(again.json<RunDocument>()).toMatchObject({ exit: 0, plan: [], changed: [] });
    return made;
  }

  labTest('with a management directory each', async () => {
    await expectProvisioned(separate, '/mcdir/server1', '/mcdir/server2');
  });

  labTest('with one management directory for both; mc_ctl asks which server is meant', async () => {
    const { primary, standbys } = await expectProvisioned(shared, '/mcdir/inst1', '/mcdir/inst1');
    for (const one of [primary, ...standbys]) expect(await mcCtlStatus(one)).toContain('switchable');
    const which = await shared.sh('mc_ctl status -M /mcdir/inst1', { user: 'postgres' });
    expect(which.status).not.toBe(0);
    expect(which.stderr).toContain('--local-server');
  });

  labTest('both come back after a reboot of the machine', async () => {
    await shared.reboot();
    const made = cluster(shared, '/mcdir/inst1', '/mcdir/inst1');
    await Promise.all([made.primary, ...made.standbys].map(untilSwitchable));
    await expectMultiplexed(made);
  });
});
