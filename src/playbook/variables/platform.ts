/** The variables of the distribution: what its packages are called, and what keeps them from making a cluster of their own. Pure. */
import { platformOf } from '../../base/platform.ts';
import { type Cluster, type Host, type Server, serverOn } from '../../inventory/cluster.ts';
import type { View } from '../../observe/survey.ts';
import { packagedLibraries } from '../../postgres/hardening.ts';
import { adoptedVariables } from './single.ts';

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

/** A library that a package brings, because the level of hardening has it. */
export interface LibraryVariables {
  readonly name: string;
  readonly package: string;
  /** It has an extension, which is created. */
  readonly extension: boolean;
  /** What asks for it, as the inventory says it. */
  readonly askedFor: string;
}

/** A server that was there before loads what it loads. */
export function libraryVariables(cluster: Cluster, view: View, name: string): readonly LibraryVariables[] {
  const server = serverOn(cluster, name);
  const level = server?.postgres.hardening;
  if (!server || !level || adoptedVariables(view, server.name).phase !== '') return [];
  const { packages } = platformFor(server.host, view);
  return packagedLibraries(level).map((library) => ({
    name: library.name,
    package: packages.library(library.name, server.postgres.version),
    extension: library.extension === true,
    askedFor: `postgres.hardening: ${level}`,
  }));
}
