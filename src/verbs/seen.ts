/** One look at every server of a cluster, for verbs that only tell: no lock, nothing planned. Who cannot be looked at has its reasons. */
import { lookAt, openHost, probesFor } from '../apply/hosts.ts';
import { hostView } from '../apply/observation.ts';
import { type Diagnostic, DiagnosticError } from '../base/diagnostic.ts';
import type { Cluster, Server } from '../inventory/cluster.ts';
import type { HostView } from '../observe/survey.ts';
import { runPorts } from './ports.ts';
import { unlessAborted } from './unless-aborted.ts';
import type { World } from './world.ts';

export interface SeenServers {
  readonly hosts: ReadonlyMap<string, HostView>;
  /** Why others were not seen. */
  readonly away: readonly Diagnostic[];
}

export async function seenServers(world: World, cluster: Cluster): Promise<SeenServers> {
  const looks = Promise.all(cluster.servers.map((server) => seen(world, cluster, server)));
  const looked = await unlessAborted(looks, world.interrupted);
  return {
    hosts: new Map(looked.flatMap((one) => ('view' in one ? [[one.name, one.view] as const] : []))),
    away: looked.flatMap((one) => ('problems' in one ? one.problems : [])),
  };
}

type Seen = { readonly name: string } & (
  | { readonly view: HostView }
  | { readonly problems: readonly Diagnostic[] }
);

async function seen(world: World, cluster: Cluster, { name, host }: Server): Promise<Seen> {
  const ports = runPorts(world, () => undefined);
  try {
    const state = await openHost(cluster, host, ports);
    try {
      await lookAt(ports, state, probesFor(cluster, host, []));
      return { name, view: hostView(cluster, state, ports) };
    } finally {
      state.session.leave();
    }
  } catch (error) {
    if (!(error instanceof DiagnosticError)) throw error;
    return { name, problems: error.diagnostics };
  }
}
