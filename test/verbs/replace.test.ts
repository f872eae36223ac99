/** The cluster as the others know it while nobody has the place of a server. */
import { expect, it } from 'vitest';
import { stillTrusted, without } from '../../src/verbs/replace.ts';
import { clusterOf, threeInventory } from '../observe/cluster.ts';

it('has all but that server and its host', async () => {
  const cluster = await clusterOf(threeInventory);
  const rest = without(cluster, 'server2');
  expect(rest.servers.map(({ name }) => name)).toEqual(['server1', 'server3']);
  expect(rest.hosts.map(({ name }) => name)).toEqual(['server1', 'server3']);
  expect(without(rest, 'server3').servers).toHaveLength(1);
  expect(rest.name).toBe(cluster.name);
});

it('tells how long the former host is trusted by its certificate, and how that ends', async () => {
  const cluster = await clusterOf(threeInventory);
  const withTls = (tls: 'generated' | 'off') => ({
    ...cluster,
    servers: cluster.servers.map((server) => ({ ...server, postgres: { ...server.postgres, tls } })),
  });
  expect(stillTrusted('server2', cluster)).toEqual([]);
  expect(stillTrusted('server2', withTls('off'))).toEqual([]);
  expect(stillTrusted('server2', withTls('generated'))).toEqual([
    expect.stringContaining('pgduet certificates renew --ca'),
  ]);
});
