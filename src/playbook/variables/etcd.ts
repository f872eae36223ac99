/** The variables of an etcd that decides in place of an arbiter. The same on every host; its password is a secret. Pure. */
import type { Cluster } from '../../inventory/cluster.ts';

/** Empty texts where the inventory has none. */
export interface EtcdVariables {
  /** Of its members, with commas. */
  readonly endpoints: string;
  /** Certificates as PEM. */
  readonly ca: string;
}

export const etcdVariables = ({ etcd }: Cluster): EtcdVariables => ({
  endpoints: etcd?.endpoints.join(',') ?? '',
  ca: etcd?.ca ?? '',
});
