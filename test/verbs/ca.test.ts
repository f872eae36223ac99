/** What `pgduet ca` advises where the primary has no list. */
import { expect, it } from 'vitest';
import { wayToList } from '../../src/verbs/ca.ts';
import { clusterOf, pairInventory } from '../observe/cluster.ts';

const withTls = (tls: string) =>
  clusterOf(pairInventory.replace('data_dir: /database/inst1', `data_dir: /database/inst1, tls: ${tls}`));

it('a list of given files is laid by whoever lays them, and pgduet makes its own', async () => {
  const given = await withTls('{ ca: /pki/ca.pem, certificate: /pki/server.pem, key: /pki/server.key }');
  expect(wayToList(given, 'server1')).toMatch(/^Lay .* as \/pki\/ca\.pem /);
  expect(wayToList(await withTls('generated'), 'server1')).toMatch(/^Run pgduet provision, which makes it/);
});
