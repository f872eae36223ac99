/**
 * What a check has found as the answer of a monitoring plugin (Nagios, Icinga, Zabbix, check_mk): one line with perfdata, then
 * one line for each finding. In: a CheckReport. Out: the text and the plugin's own exit status. Pure. The guidelines give '|'
 * and line breaks a meaning, so neither may come from a host.
 */
import type { Diagnostic } from '../base/diagnostic.ts';
import { severities } from '../base/findings/rule.ts';
import type { Finding } from '../check/finding.ts';
import { type CheckReport, type ClusterReport, countOf, isRefusal } from '../check/report.ts';
import { allFindings, countedHosts, countWords, nameIn } from './check-words.ts';
import { shown } from './shown.ts';

export interface PluginAnswer {
  readonly text: string;
  readonly exit: 0 | 1 | 2 | 3;
}

const states = ['OK', 'WARNING', 'CRITICAL', 'UNKNOWN'] as const;
type State = (typeof states)[number];

export function checkNagios(report: CheckReport): PluginAnswer {
  const state = stateOf(allFindings(report));
  const words = report.clusters.map((cluster) => clusterWords(report, cluster)).join('; ');
  const details = report.clusters.flatMap((cluster) =>
    cluster.findings.map((finding) => detail(nameIn(report, cluster), finding)),
  );
  return answer(state, words, perfdata(report), details);
}

/** No look was taken: the plugin has nothing to say about the clusters, and says why. */
export function failedNagios(diagnostics: readonly Diagnostic[]): PluginAnswer {
  const lines = diagnostics.map(({ code, what, fix }) => safe(`${code} ${what}: ${fix}`));
  return answer('UNKNOWN', lines[0] ?? 'no look was taken', [], lines.slice(1));
}

function answer(
  state: State,
  words: string,
  numbers: readonly string[],
  details: readonly string[],
): PluginAnswer {
  const head = `PGDUET ${state} - ${words}${numbers.length > 0 ? ` | ${numbers.join(' ')}` : ''}`;
  const exit = { OK: 0, WARNING: 1, CRITICAL: 2, UNKNOWN: 3 } as const;
  return { text: [head, ...details].join('\n'), exit: exit[state] };
}

/** The most severe decides; what is known to be wrong is worse than what is not known. */
function stateOf(findings: readonly Finding[]): State {
  const has = (...wanted: readonly Finding['severity'][]): boolean =>
    findings.some(({ severity }) => wanted.includes(severity));
  if (has('danger') || findings.some(isRefusal)) return 'CRITICAL';
  if (has('degraded', 'drift')) return 'WARNING';
  return has('unknown') ? 'UNKNOWN' : 'OK';
}

function clusterWords(report: CheckReport, cluster: ClusterReport): string {
  const { findings, hosts } = cluster;
  const silent = hosts.filter(({ reached }) => !reached).map(({ name }) => name);
  const words = findings.length === 0 ? `${countedHosts(hosts)} as declared` : countWords(countOf(findings));
  const away = silent.length > 0 ? ` (not reached: ${silent.join(', ')})` : '';
  return safe(`${nameIn(report, cluster)}: ${words}${away}`);
}

const detail = (cluster: string, { severity, code, host, what, found, repair }: Finding): string =>
  safe(
    `${severity} ${code} ${cluster}/${host ?? 'the cluster'}: ${what}${found ? ` (found: ${found})` : ''}; to repair: ${repair}`,
  );

/** A broken bar reads the same and means nothing to a plugin's reader. */
const safe = (text: string): string => shown(text).replaceAll('|', '¦');

/** 'label'=value[unit];warn;crit;min;max, with the ranges that this plugin judges by. */
function perfdata(report: CheckReport): readonly string[] {
  const numbers = report.clusters.flatMap((cluster) => {
    const name = nameIn(report, cluster);
    const counts = countOf(cluster.findings);
    const reached = cluster.hosts.filter((host) => host.reached).length;
    const trips = Math.max(0, ...cluster.hosts.map(({ roundTrips }) => roundTrips));
    return [
      ...severities.map((severity) => `${label(name, severity)}=${counts[severity]};${ranges[severity]};0`),
      `${label(name, 'reached')}=${reached};;;0;${cluster.hosts.length}`,
      `${label(name, 'round_trips')}=${trips};;;0`,
    ];
  });
  return [...numbers, `time=${(report.ms / 1000).toFixed(3)}s;;;0`];
}

/** Warn and critical: more than none of these; what is only unknown has no range of its own. */
const ranges = { danger: ';0', degraded: '0;', drift: '0;', unknown: ';', note: ';' } as const;

/** In quotes, since a name may hold a space; a quote is doubled, and '=' is not allowed at all. */
const label = (cluster: string, name: string): string =>
  `'${safe(`${cluster} ${name}`).replaceAll("'", "''").replaceAll('=', '_')}'`;
