/**
 * Who is primary at a teardown. The usual survey knows a server of ours by its management directory; here that may be gone
 * already on the server that stays, and on those that went. In: the looks of the hosts that were reached. Pure.
 */
import type { Diagnostic } from '../base/diagnostic.ts';
import type { Cluster, Server } from '../inventory/cluster.ts';
import { isFinished, leads } from '../resources/data/data-directory.ts';
import { type HostView, preferredView, survey, type View } from './survey.ts';

/** What a teardown intends, as far as the roles depend on it. */
export interface Kept {
  /** The server that is to stay; without it the primary. */
  readonly keep?: string;
  readonly allData: boolean;
}

export function keptSurvey(
  { keep, allData }: Kept,
  cluster: Cluster,
  hosts: ReadonlyMap<string, HostView>,
): { view: View } | { refused: Diagnostic } {
  const dataOf = (server: Server) => hosts.get(server.name)?.data;
  const finished = cluster.servers.filter((server) => isFinished(dataOf(server)));
  const leading = finished.filter((server) => !dataOf(server)?.standbySignal);
  const ours = leading.filter((server) => leads(dataOf(server)));
  // A server that is single again is recognised by its data alone.
  const candidates = ours.length > 0 ? ours : leading;
  const someone = keep ?? preferredView(cluster).primary;
  const named = candidates.find(({ name }) => name === keep);
  const running = candidates.find((server) => dataOf(server)?.running);
  if (!cluster.servers.some(({ name }) => hosts.has(name))) return { refused: keptUnreachable(someone) };
  if (allData) return { view: viewOf(cluster, hosts, running ?? candidates[0]) };
  const unclear = finished.length === 0 && !hosts.has(someone);
  if (unclear || (keep !== undefined && !hosts.has(keep))) return { refused: keptUnreachable(someone) };
  if (ours.length > 0) return survey(cluster, hosts);
  if (leading.length > 0) return { view: viewOf(cluster, hosts, named ?? running ?? leading[0]) };
  return finished.length > 0
    ? { refused: nobodyLeads(finished, cluster, hosts) }
    : { view: viewOf(cluster, hosts, undefined) };
}

function viewOf(cluster: Cluster, hosts: ReadonlyMap<string, HostView>, primary: Server | undefined): View {
  const name = primary?.name ?? preferredView(cluster).primary;
  const systemIdentifier = hosts.get(name)?.data?.control?.systemIdentifier;
  return { hosts, primary: name, ...(systemIdentifier ? { systemIdentifier } : {}) };
}

const keptUnreachable = (keep: string): Diagnostic => ({
  code: 'SAF021',
  what: `'${keep}' is to be kept, and cannot be reached`,
  why: 'its data would be the only copy, and nobody can say whether it is there',
  fix: `Make ${keep} reachable, or name another server with --keep.`,
});

function nobodyLeads(
  standbys: readonly Server[],
  cluster: Cluster,
  hosts: ReadonlyMap<string, HostView>,
): Diagnostic {
  const missing = cluster.servers.filter(({ name }) => !hosts.has(name)).map(({ name }) => name);
  return {
    code: 'SAF021',
    what: 'no server is primary, so there is none that could be kept',
    why: 'a standby may lack commits that clients were told of; that one goes on without them is a decision that pgduet does not take',
    fix: `Start the primary again; or, if it is lost, promote a standby on its host: mc_ctl switch --force (as the instance administrator). Then run the same command again.`,
    evidence: [
      ...missing.map((name) => `${name}: not reached`),
      ...standbys.map(({ name }) => {
        const data = hosts.get(name)?.data;
        return `${name}: standby, ${data?.running ? 'running' : 'stopped'}, timeline ${data?.control?.reached.timeline ?? '?'}, ${data?.control?.reached.position ?? '?'}`;
      }),
    ],
  };
}
