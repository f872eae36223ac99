/** Words that the reports of a check share: counts, names of clusters, findings of one cluster. In: a report. Pure. */

import { severities } from '../base/findings/rule.ts';
import type { Finding } from '../check/finding.ts';
import { type CheckReport, type ClusterReport, type Counts, countOf } from '../check/report.ts';

/** "1 server", "2 servers". */
export const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

/** "2 servers", "2 servers, 1 arbiter": a host that carries no server has no role. */
export function countedHosts(hosts: ClusterReport['hosts']): string {
  const arbiters = hosts.filter(({ role }) => role === 'none').length;
  const servers = hosts.length - arbiters;
  return [
    ...(servers > 0 || arbiters === 0 ? [counted(servers, 'server')] : []),
    ...(arbiters > 0 ? [counted(arbiters, 'arbiter')] : []),
  ].join(', ');
}

/** "1 danger, 2 drift", the most severe first; "nothing" when there is none. */
export const countWords = (counts: Counts): string =>
  severities
    .filter((severity) => counts[severity] > 0)
    .map((severity) =>
      severity === 'note' ? counted(counts.note, 'note') : `${counts[severity]} ${severity}`,
    )
    .join(', ') || 'nothing';

/** What is told of one host, or, with null, of the cluster as a whole. */
export const findingsOf = (cluster: ClusterReport, host: string | null): readonly Finding[] =>
  cluster.findings.filter((finding) => finding.host === host);

/** Hosts that findings name, although the report has no row for them: nothing of them may be left out. */
export const strangers = (cluster: ClusterReport): readonly string[] => {
  const known = new Set(cluster.hosts.map(({ name }) => name));
  const named = cluster.findings.flatMap(({ host }) => (host === null || known.has(host) ? [] : [host]));
  return [...new Set(named)].sort();
};

export const allFindings = (report: CheckReport): readonly Finding[] =>
  report.clusters.flatMap(({ findings }) => findings);

export const totalOf = (report: CheckReport): Counts => countOf(allFindings(report));

/** Programs tell clusters apart by their name; where two inventories have the same one, by the inventory, too. */
export function nameIn(report: CheckReport, { cluster, inventory }: ClusterReport): string {
  const same = report.clusters.filter((other) => other.cluster === cluster);
  return same.length > 1 ? `${cluster} (${inventory})` : cluster;
}
