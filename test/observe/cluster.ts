/** A cluster for tests, made from an inventory as a user writes one. */
import type { Cluster, Server } from '../../src/inventory/cluster.ts';
import { parseInventory } from '../../src/inventory/load.ts';
import { fakeLookups } from '../inventory/lookups.ts';

export const pairInventory = `
cluster: inst1
ssh: { user: root }
postgres: { version: 15, data_dir: /database/inst1 }
multiplexing: { management_dir: /mcdir/inst1, on_heartbeat_loss: fallback }
hosts:
  server1: { address: 192.0.2.100, role: primary }
  server2: { address: 192.0.2.110, role: standby }
`;

export const threeInventory = `${pairInventory}  server3: { address: '2001:db8::3', role: standby }\n`;

export const arbiterInventory = `${pairInventory.replace(', on_heartbeat_loss: fallback', '')}  arb1: { address: 192.0.2.120, role: arbiter }\n`;

export async function clusterOf(text: string): Promise<Cluster> {
  const loaded = await parseInventory(text, 'inventory.yml', fakeLookups());
  if (!loaded.ok) throw new Error(loaded.diagnostics.map(({ what }) => what).join('; '));
  return loaded.value.cluster;
}

export function serverNamed(cluster: Cluster, name: string): Server {
  const server = cluster.servers.find((one) => one.name === name);
  if (!server) throw new Error(`no server ${name}`);
  return server;
}
