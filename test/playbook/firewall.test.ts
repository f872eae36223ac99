/** What is declared of the firewall on each host: who reaches its ports, and whom it has to reach. */
import { describe, expect, it } from 'vitest';
import { preferredView, type View } from '../../src/observe/survey.ts';
import { firewallVariables } from '../../src/playbook/variables/firewall.ts';
import { variablesFor } from '../../src/playbook/variables.ts';
import { arbiterInventory, clusterOf, pairInventory, serverNamed } from '../observe/cluster.ts';

const provision = { kind: 'provision' } as const;
const rules =
  'hba: [{ type: host, database: a, user: a, address: 10.1.0.0/16, method: scram-sha-256 }, { type: host, database: a, user: a, address: 10.2.0.0/16, method: reject }]';
const withFirewall = (inventory: string, key: string, postgres = rules) =>
  clusterOf(
    `${inventory.replace('data_dir: /database/inst1', `data_dir: /database/inst1, ${postgres}`)}firewall: ${key}\n`,
  );

describe('the variables of the firewall', () => {
  it('let in the servers everywhere, and clients at PostgreSQL alone', async () => {
    const cluster = await withFirewall(arbiterInventory, '{ by: nftables, servers: [10.9.9.9] }');
    const situation = { cluster, view: preferredView(cluster), intent: provision };
    const servers = [
      ...new Set(
        cluster.servers.flatMap((one) => [one.host.address, one.adminAddress, one.logTransferAddress]),
      ),
    ];
    const sources = [...servers, '10.9.9.9'].join(' ');
    const one = firewallVariables(situation, 'server1');
    const [server] = cluster.servers;
    expect(one).toMatchObject({ state: 'on', name: server?.unit, problem: '', goes: false });
    expect(one.ports).toEqual({
      [server?.postgres.port ?? 0]: `${sources} 10.1.0.0/16`,
      [server?.multiplexing.port ?? 0]: sources,
    });
    expect(firewallVariables(situation, 'arb1').ports).toEqual({ [cluster.arbiter?.port ?? 0]: sources });
    expect(one.reaches).toHaveLength(3);
    expect(one.tables).toBe(firewallVariables(situation, 'arb1').tables);
  });

  it('leave the port open where a rule is for all, and narrow it by clients', async () => {
    const all = 'hba: [{ type: host, database: a, user: a, address: all, method: scram-sha-256 }]';
    const ports = async (key: string) => {
      const cluster = await withFirewall(pairInventory, key, all);
      return Object.values(
        firewallVariables({ cluster, view: preferredView(cluster), intent: provision }, 'server1').ports,
      );
    };
    expect(await ports('nftables')).toContain('all');
    expect(await ports('{ by: nftables, clients: [10.7.0.0/16] }')).not.toContain('all');
  });

  it('reach nobody who is away', async () => {
    const cluster = await withFirewall(pairInventory, 'nftables');
    const view: View = { ...preferredView(cluster), absent: new Set(['server2']) };
    expect(firewallVariables({ cluster, view, intent: provision }, 'server1').reaches).toEqual([]);
  });

  it('want systemd', async () => {
    const cluster = await withFirewall(pairInventory, 'nftables');
    const view: View = {
      ...preferredView(cluster),
      hosts: new Map([['server1', { facts: { serviceManager: 'update-rc.d' } } as never]]),
    };
    expect(firewallVariables({ cluster, view, intent: provision }, 'server1').problem).toContain(
      'no systemd',
    );
  });

  it('take it away at a teardown, and by none', async () => {
    const cluster = await clusterOf(pairInventory);
    const view = preferredView(cluster);
    const teardown = { kind: 'teardown', host: 'server1' } as never;
    expect(firewallVariables({ cluster, view, intent: teardown }, 'server1')).toMatchObject({
      state: '',
      goes: true,
    });
    expect(firewallVariables({ cluster, view, intent: provision }, 'server1')).toMatchObject({ goes: false });
  });
});

describe('where PostgreSQL listens', () => {
  const listening = async (line: string) => {
    const cluster = await clusterOf(
      pairInventory.replace('data_dir: /database/inst1', `data_dir: /database/inst1, ${line}`),
    );
    const situation = { cluster, view: preferredView(cluster), intent: provision };
    const { listenAddresses, listensAhead, listensAhead6 } = variablesFor(
      situation,
      serverNamed(cluster, 'server1'),
    ).postgres;
    return { listenAddresses, listensAhead, listensAhead6 };
  };

  it('is every address, or its own and those that may come', async () => {
    expect(await listening('port: 27500')).toEqual({
      listenAddresses: '*',
      listensAhead: false,
      listensAhead6: false,
    });
    const declared = await listening("listen: ['2001:db8::50']");
    expect(declared.listenAddresses).toMatch(/^localhost, .*2001:db8::50$/);
    expect(declared).toMatchObject({ listensAhead: true, listensAhead6: true });
  });
});
