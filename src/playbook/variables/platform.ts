/** The variables of the distribution: what its packages are called, and what keeps them from making a cluster of their own. Pure. */
import { platformOf } from '../../base/platform.ts';
import type { Server } from '../../inventory/cluster.ts';
import type { View } from '../../observe/survey.ts';

export interface PlatformVariables {
  readonly postgresPackage: string;
  readonly nodePackage: string;
  readonly pingPackage: string;
  /** Empty texts where the packages make no cluster by themselves. */
  readonly noOwnCluster: { readonly directory: string; readonly path: string; readonly content: string };
}

export function platformVariables({ host, postgres }: Server, view: View): PlatformVariables {
  const { packages, noOwnCluster } = platformOf(view.hosts.get(host.name)?.facts?.distributions ?? []);
  return {
    postgresPackage: packages.postgres(postgres.version),
    nodePackage: packages.node,
    pingPackage: packages.ping,
    noOwnCluster: noOwnCluster ?? { directory: '', path: '', content: '' },
  };
}
