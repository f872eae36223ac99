/** By which words the hosts of a cluster call each other, and what has to be asked on each of them. Pure. */
import { canonicalAddress, isHostName } from '../inventory/addresses.ts';
import type { Cluster } from '../inventory/cluster.ts';
import type { CalledBy } from '../resources/controller/names-observation.ts';

export interface Endpoint {
  readonly word: string;
  /** The host that it stands for. */
  readonly of: string;
  /** Where the inventory says so. */
  readonly keys: readonly string[];
  readonly replicates: boolean;
}

/** What is looked up on the hosts; the address that pgduet logs in to is looked up where pgduet runs. */
export function endpointsOf({ servers, arbiter }: Cluster): readonly Endpoint[] {
  const said = [
    ...servers.map(({ name: of, adminAddress: word }) => ({ of, word, key: 'admin_address' })),
    ...servers.map(({ name: of, logTransferAddress: word }) => ({ of, word, key: 'log_transfer_address' })),
    ...(arbiter ? [{ of: arbiter.name, word: arbiter.adminAddress, key: 'admin_address' }] : []),
  ];
  const isSame = (one: (typeof said)[number]) => (other: (typeof said)[number]) =>
    other.of === one.of && other.word === one.word;
  return said
    .filter((one, index) => said.findIndex(isSame(one)) === index)
    .map((one) => {
      const keys = said.filter(isSame(one)).map(({ key }) => key);
      return { word: one.word, of: one.of, keys, replicates: keys.includes('log_transfer_address') };
    });
}

/** Undefined where all hosts are one machine. */
export function calledBy(cluster: Cluster): CalledBy | undefined {
  if (new Set(cluster.hosts.map(({ machine }) => machine)).size < 2) return undefined;
  const endpoints = endpointsOf(cluster);
  const words = [...new Set(endpoints.map(({ word }) => word))];
  const replicating = new Set(endpoints.filter(({ replicates }) => replicates).map(({ word }) => word));
  return {
    names: words.filter(isHostName),
    addresses: words
      .filter((word) => !isHostName(word) && replicating.has(word))
      .map((word) => canonicalAddress(word)),
  };
}
