/** The cluster as the others know it while nobody has the place of a server. */
import { expect, it } from 'vitest';
import { without } from '../../src/verbs/replace.ts';
import { clusterOf, threeInventory } from '../observe/cluster.ts';

it('has all but that server and its host', async () => {
  const cluster = await clusterOf(threeInventory);
  const rest = without(cluster, 'server2');
  expect(rest.servers.map(({ name }) => name)).toEqual(['server1', 'server3']);
  expect(rest.hosts.map(({ name }) => name)).toEqual(['server1', 'server3']);
  expect(without(rest, 'server3').servers).toHaveLength(1);
  expect(rest.name).toBe(cluster.name);
});
