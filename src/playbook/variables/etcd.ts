/** The variables of an etcd that decides in place of an arbiter. The same on every host; its password is a secret. Pure. */
import { clusterMark } from '../../controller/config-arbiter-key.ts';
import type { Situation } from '../../intent/intent.ts';

/** Empty texts where the inventory has none. */
export interface EtcdVariables {
  /** Of its members, with commas. */
  readonly endpoints: string;
  /** Certificates as PEM. */
  readonly ca: string;
  /** By which mark its cell is named, once the cluster key has been renewed; until then by that of the key. */
  readonly cell: string;
}

export function etcdVariables({ cluster, view, intent }: Situation): EtcdVariables {
  const { etcd } = cluster;
  if (!etcd) return { endpoints: '', ca: '', cell: '' };
  const named = [view.primary, ...view.hosts.keys()].map((name) => view.hosts.get(name)?.etcdCell);
  // The first renewal: the cell is named by the key that goes.
  const goes = intent.kind === 'renew' ? intent.renewal?.key?.from : undefined;
  const cell = named.find((name) => name !== undefined) ?? (goes ? clusterMark(goes) : '');
  return { endpoints: etcd.endpoints.join(','), ca: etcd.ca, cell };
}
