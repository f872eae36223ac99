/**
 * The variables of the keys by which the controllers prove who they are (ADR 30). The public part of a server comes from its own host alone; of one
 * that is not seen what stands in the file of each host stays. Pure.
 */
import { identitiesText, type Publics } from '../../base/identities.ts';
import type { Situation } from '../../intent/intent.ts';
import { leftAlone } from '../../intent/maintenance.ts';
import type { Server } from '../../inventory/cluster.ts';

export interface IdentitiesVariables {
  /** What is laid on this host: the public parts of all servers. */
  readonly text: string;
  /** Servers that are to have proven theirs when the run has ended. */
  readonly peers: readonly string[];
}

export function identitiesVariables(situation: Situation, { name }: Server): IdentitiesVariables {
  const { cluster, view, intent } = situation;
  const stood = view.hosts.get(name)?.identities ?? {};
  const publics: Publics = Object.fromEntries(
    cluster.servers.flatMap((server) => {
      const key = view.hosts.get(server.name)?.identity ?? stood[server.name];
      return key === undefined ? [] : [[server.name, key]];
    }),
  );
  const out = [...leftAlone(intent, view), ...(view.absent ?? [])];
  const takesPart = (server: string): boolean =>
    !out.includes(server) &&
    view.hosts.get(server)?.identity !== undefined &&
    view.hosts.get(server)?.stopped === undefined;
  const peers = cluster.servers.map((server) => server.name).filter((it) => it !== name && takesPart(it));
  return { text: identitiesText(publics), peers: takesPart(name) ? peers : [] };
}
