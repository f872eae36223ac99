/** Inventories with a firewall, and with declared addresses to listen on: what they become, and what they lack. */
import { describe, expect, it } from 'vitest';
import { parseInventory } from '../../src/inventory/load.ts';
import { fakeLookups } from './lookups.ts';

const text = (more: string, postgres = '', host = ''): string => `cluster: inst1
postgres:
  version: 15
  data_dir: /database/inst1
${postgres}
multiplexing: { management_dir: /mcdir/inst1, on_heartbeat_loss: fallback }
${more}
hosts:
  server1: { address: 192.0.2.100, role: primary }
  server2: { ${host || 'address: 192.0.2.110'}, role: standby }
`;

const told = async (inventory: string): Promise<readonly string[]> => {
  const result = await parseInventory(inventory, 'inv.yml', fakeLookups());
  return result.ok ? [] : result.diagnostics.map(({ code, what }) => `${code} ${what}`);
};
const clusterOf = async (inventory: string) => {
  const result = await parseInventory(inventory, 'inv.yml', fakeLookups());
  if (!result.ok) throw new Error(JSON.stringify(result.diagnostics));
  return result.value.cluster;
};
const rule = (address: string): string =>
  `  hba: [{ type: host, database: app, user: app, address: ${address}, method: scram-sha-256 }]`;

describe('the key firewall', () => {
  it('is a word, or a map', async () => {
    expect((await clusterOf(text(''))).firewall).toBeUndefined();
    expect((await clusterOf(text('firewall: nftables'))).firewall).toEqual({ by: 'nftables', servers: [] });
    const map = 'firewall: { by: nftables, clients: [10.0.0.0/8], servers: [192.0.2.50] }';
    expect((await clusterOf(text(map))).firewall).toEqual({
      by: 'nftables',
      clients: ['10.0.0.0/8'],
      servers: ['192.0.2.50'],
    });
  });

  it('takes no other firewall', async () => {
    expect(await told(text('firewall: ufw'))).toHaveLength(1);
  });

  it('takes networks alone', async () => {
    expect(await told(text('firewall: { by: nftables, clients: [db1, 10.0.0.0/8] }'))).toEqual([
      "INV019 'db1' is neither a network nor an IP address",
    ]);
  });

  it('needs addresses of the servers; the job address may be a name', async () => {
    expect(await told(text('firewall: nftables', '', 'address: db2.example.com'))).toEqual([
      "INV019 'db2.example.com' is a name, and 'server2' has no IP address as admin_address",
      "INV019 'db2.example.com' is a name, and 'server2' has no IP address as log_transfer_address",
    ]);
    const both = 'address: db2.example.com, admin_address: 10.0.0.2, log_transfer_address: 10.1.0.2';
    expect(await told(text('firewall: nftables', '', both))).toEqual([]);
    expect(await told(text('firewall: none', '', 'address: db2.example.com'))).toEqual([]);
  });

  it.each(['samenet', '.example.com', 'app1.example.com'])(
    'needs clients where a rule lets in %s',
    async (address) => {
      expect(await told(text('firewall: nftables', rule(address)))).toEqual([
        `INV004 the firewall does not know from where '${address}' comes`,
      ]);
      expect(await told(text('firewall: { by: nftables, clients: [10.0.0.0/8] }', rule(address)))).toEqual(
        [],
      );
    },
  );
});

describe('the key postgres.listen', () => {
  it('is every address, the declared ones, or these and more', async () => {
    const listenOf = async (line: string) =>
      (await clusterOf(text('', line))).servers.map(({ postgres }) => postgres.listen);
    expect(await listenOf('')).toEqual([undefined, undefined]);
    expect(await listenOf('  listen: all')).toEqual([undefined, undefined]);
    expect(await listenOf('  listen: declared')).toEqual([[], []]);
    expect(await listenOf('  listen: [192.0.2.50]')).toEqual([['192.0.2.50'], ['192.0.2.50']]);
  });

  it('takes addresses alone, and stands beside no setting', async () => {
    expect(await told(text('', '  listen: [vip]'))).toEqual(["INV019 'vip' is no IP address of a host"]);
    expect(await told(text('', "  listen: declared\n  settings: { listen_addresses: '*' }"))).toEqual([
      "INV013 the setting 'listen_addresses' stands beside postgres.listen",
    ]);
    expect(
      (await told(text('', '  listen: declared', 'address: db2.example.com'))).every((one) =>
        one.startsWith("INV019 'db2.example.com' of 'server2' is a name"),
      ),
    ).toBe(true);
  });
});
