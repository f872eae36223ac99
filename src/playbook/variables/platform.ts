/** The variables of the distribution: what its packages are called, and what keeps them from making a cluster of their own. Pure. */
import { platformOf } from '../../base/platform.ts';
import type { Host, Server } from '../../inventory/cluster.ts';
import type { View } from '../../observe/survey.ts';

export interface PlatformVariables {
  readonly postgresPackage: string;
  readonly nodePackage: string;
  readonly pingPackage: string;
  /** Empty texts where the packages make no cluster by themselves. */
  readonly noOwnCluster: { readonly directory: string; readonly path: string; readonly content: string };
}

const platformFor = (host: Host, view: View) =>
  platformOf(view.hosts.get(host.name)?.facts?.distributions ?? []);

/** Those of a host without a server. */
export const barePlatform = (host: Host, view: View): Pick<PlatformVariables, 'nodePackage'> => ({
  nodePackage: platformFor(host, view).packages.node,
});

export function platformVariables({ host, postgres }: Server, view: View): PlatformVariables {
  const { packages, noOwnCluster } = platformFor(host, view);
  return {
    postgresPackage: packages.postgres(postgres.version),
    nodePackage: packages.node,
    pingPackage: packages.ping,
    noOwnCluster: noOwnCluster ?? { directory: '', path: '', content: '' },
  };
}
