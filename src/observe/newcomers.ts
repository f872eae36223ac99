/**
 * Hosts that are new, and stand in the place of a server that the cluster has had (ADR 22). In: what the hosts show. Out: whether nothing of a server was
 * ever there, and the names of such servers. Pure.
 */
import type { Cluster } from '../inventory/cluster.ts';
import { isFinished } from '../resources/data/data-directory.ts';
import type { HostView, View } from './survey.ts';

/** No controller has ever remembered anything there: it can answer for nobody, and nothing was told to it. */
export const isNew = (host: HostView | undefined): boolean =>
  host?.record === undefined && host?.data?.running !== true && !(isFinished(host?.data) && isOld(host));

/** Data that was started is of a server that had a controller; a copy that was just made was not. */
const isOld = (host: HostView | undefined): boolean =>
  host?.data?.started === true || host?.data?.standbySignal === false;

/** Servers that the primary has had as standbys, and whose hosts are new. */
export function newMembers({ servers }: Cluster, { hosts, primary, maintained }: View): readonly string[] {
  const members = hosts.get(primary)?.record?.members ?? [];
  return servers
    .map(({ name }) => name)
    .filter((name) => name !== primary && members.includes(name) && !maintained?.has(name))
    .filter((name) => hosts.has(name) && isNew(hosts.get(name)));
}
