/**
 * What a check has found as metrics, for the textfile collector of the node exporter. In: a CheckReport. Out: the text
 * exposition format. Pure. Order is stable, and the same labels never stand twice: a collector throws a whole file away for that.
 */
import { severities } from '../base/findings/rule.ts';
import type { CheckReport, ClusterReport } from '../check/report.ts';
import { findingsOf, nameIn, strangers } from './check-words.ts';
import { shown } from './shown.ts';

type Labels = Readonly<Record<string, string>>;

interface Sample {
  readonly labels: Labels;
  readonly value: number;
}

export function checkPrometheus(report: CheckReport): string {
  const named = report.clusters.map((cluster) => ({ cluster, name: nameIn(report, cluster) }));
  const all = (of: (cluster: ClusterReport, name: string) => readonly Sample[]): readonly Sample[] =>
    named.flatMap(({ cluster, name }) => of(cluster, name));
  const single = (value: number): readonly Sample[] => [{ labels: {}, value }];
  return [
    ...metric('findings', 'How many findings there are, of each severity.', all(countsOf)),
    ...metric('finding_info', 'A finding that is there now; always 1.', all(infosOf)),
    ...metric('host_reached', 'Whether the host answered.', all(reachedOf)),
    ...metric('host_primary', 'Whether the host is the primary.', all(primaryOf)),
    ...metric('exit_status', "Exit status of 'pgduet check'.", single(report.exit)),
    ...metric('timestamp_seconds', 'When the look was taken.', single(Date.parse(report.at) / 1000)),
    ...metric('duration_seconds', 'How long the look took.', single(report.ms / 1000)),
  ].join('\n');
}

/** An empty host means the cluster as a whole. */
function countsOf(cluster: ClusterReport, name: string): readonly Sample[] {
  const hosts = [...cluster.hosts.map((host) => host.name), ...strangers(cluster), null];
  return hosts.flatMap((host) => {
    const findings = findingsOf(cluster, host);
    return severities.map((severity) => ({
      labels: { cluster: name, host: host ?? '', severity },
      value: findings.filter((finding) => finding.severity === severity).length,
    }));
  });
}

const infosOf = ({ findings }: ClusterReport, cluster: string): readonly Sample[] =>
  findings.map(({ host, code, severity, object }) => ({
    labels: { cluster, host: host ?? '', code, severity, object },
    value: 1,
  }));

const reachedOf = ({ hosts }: ClusterReport, cluster: string): readonly Sample[] =>
  hosts.map(({ name, reached }) => ({ labels: { cluster, host: name }, value: Number(reached) }));

/** Both 0 where nobody can say: an alert on the sum of a cluster sees none and two. */
const primaryOf = ({ hosts }: ClusterReport, cluster: string): readonly Sample[] =>
  hosts.map(({ name, role }) => ({ labels: { cluster, host: name }, value: Number(role === 'primary') }));

function metric(name: string, help: string, samples: readonly Sample[]): readonly string[] {
  const full = `pgduet_check_${name}`;
  const lines = new Map<string, number>();
  for (const { labels, value } of samples) {
    const series = `${full}${written(labels)}`;
    if (!lines.has(series)) lines.set(series, value);
  }
  return [
    `# HELP ${full} ${help}`,
    `# TYPE ${full} gauge`,
    ...[...lines].map(([series, value]) => `${series} ${value}`),
  ];
}

function written(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${labelValue(value)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

/** Controls become their code first, so that what is left to escape is what the format names; half characters are no UTF-8. */
const labelValue = (text: string): string =>
  shown(text)
    .replace(/[\ud800-\udfff]/gu, '\ufffd')
    .replace(/[\\"\n]/g, (char) => (char === '\n' ? '\\n' : `\\${char}`));
