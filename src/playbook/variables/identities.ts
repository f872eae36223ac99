/**
 * The variables of the keys by which the controllers prove who they are (ADR 30). The public part of a server comes from its own host alone; of one
 * that is not seen what stands in the file of each host stays. Pure.
 */
import { identitiesText, type Publics } from '../../base/identities.ts';
import type { Situation } from '../../intent/intent.ts';
import { leftAlone } from '../../intent/maintenance.ts';
import type { Cluster, Server } from '../../inventory/cluster.ts';
import type { View } from '../../observe/survey.ts';

export interface IdentitiesVariables {
  /** What is laid on this host: the public parts of all servers, and of the arbiter. */
  readonly text: string;
  /** Servers that are to have proven theirs when the run has ended. */
  readonly peers: readonly string[];
  /** The arbiter, where it is to have done so, too; else empty. */
  readonly arbiter: string;
}

export function identitiesVariables(situation: Situation, { name }: Server): IdentitiesVariables {
  const { cluster, view, intent } = situation;
  const arbiter = cluster.arbiter?.name;
  const names = [...cluster.servers.map((server) => server.name), ...(arbiter ? [arbiter] : [])];
  const out = [...leftAlone(intent, view), ...(view.absent ?? [])];
  const takesPart = (server: string): boolean =>
    !out.includes(server) &&
    view.hosts.get(server)?.identity !== undefined &&
    view.hosts.get(server)?.stopped === undefined;
  const [mine, ...others] = [name, ...names.filter((it) => it !== name)].filter(takesPart);
  const isIn = mine === name;
  return {
    text: identitiesText(publicsOn(view, name, names)),
    peers: isIn ? others.filter((it) => it !== arbiter) : [],
    arbiter: isIn && arbiter && others.includes(arbiter) ? arbiter : '',
  };
}

/** What is laid on the host of the arbiter: the public parts of the servers. */
export const arbiterIdentities = ({ arbiter, servers }: Cluster, view: View): string =>
  identitiesText(
    arbiter
      ? publicsOn(
          view,
          arbiter.name,
          servers.map(({ name }) => name),
        )
      : {},
  );

function publicsOn({ hosts }: View, host: string, names: readonly string[]): Publics {
  const stood = hosts.get(host)?.identities ?? {};
  return Object.fromEntries(
    names.flatMap((name) => {
      const key = hosts.get(name)?.identity ?? stood[name];
      return key === undefined ? [] : [[name, key]];
    }),
  );
}
