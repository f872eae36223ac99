/**
 * What a check has found, as a person reads it: a table of the hosts, every finding with what to do, a last line that counts.
 * In: a CheckReport. Out: text without a line break at its end. Shows; never decides. Pure. What comes from a host is
 * escaped, and no host is left out where equal findings of several hosts are reported once.
 */
import type { Finding } from '../check/finding.ts';
import { type CheckReport, type ClusterReport, countOf, type HostReport } from '../check/report.ts';
import { sinceWords } from '../resources/controller/outage.ts';
import { counted, countedHosts, countWords, findingsOf, nameIn, strangers, totalOf } from './check-words.ts';
import { type Colours, colours } from './colour.ts';
import { narrowest, wrap } from './diagnostic.ts';
import { unifiedDiff } from './diff.ts';
import { severityPaint } from './severity-colour.ts';
import { shown } from './shown.ts';
import { table } from './table.ts';

export interface CheckTextOptions {
  readonly colour: boolean;
  /** Show what stands in a file and what is declared, as a unified diff. */
  readonly diff: boolean;
  /** Columns to wrap at; absent: long lines stay long, as a log or a pipe wants them. */
  readonly width?: number;
}

export function checkText(report: CheckReport, options: CheckTextOptions): string {
  const { clusters } = report;
  const several = clusters.length > 1;
  const time = several ? '' : ` (${cost(report)})`;
  const lines = clusters.flatMap((cluster, index) =>
    cluster.findings.length === 0
      ? [`${nameIn(report, cluster)}: ${declared(cluster)}${time}`]
      : [
          ...(index === 0 || isLong(clusters[index - 1]) ? [] : ['']),
          ...clusterLines(report, cluster, options),
          `${lastLine(cluster)}${time}`,
          ...(several ? [''] : []),
        ],
  );
  const end = isLong(clusters.at(-1)) ? [] : [''];
  return [...lines, ...(several ? [...end, summary(report)] : [])].join('\n');
}

/** A cluster with findings is told in many lines, which have an empty one around them. */
const isLong = (cluster: ClusterReport | undefined): boolean => (cluster?.findings.length ?? 0) > 0;

const declared = ({ hosts }: ClusterReport): string =>
  `${countedHosts(hosts)} ${hosts.length === 1 ? 'is' : 'are'} as declared`;

/** How long it took and how often the hosts were asked, which is once for each as long as nothing is wrong. */
function cost({ clusters, ms }: CheckReport): string {
  const looks = Math.max(0, ...clusters.flatMap(({ hosts }) => hosts.map(({ roundTrips }) => roundTrips)));
  return `${Math.round(ms)} ms, ${looks === 1 ? 'one look' : counted(looks, 'look')}`;
}

function clusterLines(
  report: CheckReport,
  cluster: ClusterReport,
  options: CheckTextOptions,
): readonly string[] {
  const c = colours(options.colour);
  const [head = '', ...rows] = table([
    ['server', 'role', 'preferred', 'address', 'found'],
    ...cluster.hosts.map((host) => hostCells(cluster, host)),
    ...strangers(cluster).map((name) => [name, '', '', '', countWords(countOf(findingsOf(cluster, name)))]),
    ...wholeCells(cluster),
  ]);
  return [
    `cluster ${c.bold(shown(nameIn(report, cluster)))}`,
    '',
    c.dim(head),
    ...rows,
    '',
    ...groups(cluster.findings).flatMap((group) => [...findingLines(group, options), '']),
  ];
}

function hostCells(cluster: ClusterReport, host: HostReport): readonly string[] {
  const words = countWords(countOf(findingsOf(cluster, host.name)));
  const found = host.reached ? words : `not reached: ${words}`;
  return [host.name, host.role, host.preferredRole ?? '', host.address, found].map(shown);
}

/** What is told of no single host has a row of its own. */
function wholeCells(cluster: ClusterReport): readonly (readonly string[])[] {
  const findings = findingsOf(cluster, null);
  return findings.length === 0 ? [] : [[whole, '', '', '', countWords(countOf(findings))]];
}

const whole = 'the cluster';

/** The same thing on several hosts; what differs between them is reported for each. */
interface Group {
  readonly first: Finding;
  readonly members: readonly Finding[];
}

/** In the order of the most severe; two findings of one group differ in host and time at most. */
function groups(findings: readonly Finding[]): readonly Group[] {
  const byKey = new Map<string, Finding[]>();
  for (const finding of findings) {
    const key = JSON.stringify({ ...finding, host: null, since: null });
    byKey.set(key, [...(byKey.get(key) ?? []), finding]);
  }
  return [...byKey.values()].flatMap((members) => {
    const [first] = members;
    return first === undefined ? [] : [{ first, members }];
  });
}

function findingLines({ first, members }: Group, options: CheckTextOptions): readonly string[] {
  const c = colours(options.colour);
  const hosts = [...new Set(members.map(({ host }) => host ?? whole))].join(', ');
  const word = severityPaint(c, first.severity)(first.severity.padEnd(8));
  const rows: readonly (readonly [string, string | null])[] = [
    ['declared', first.declared],
    ['found', first.found],
    ['from', first.source],
    ['since', sinceOf(members)],
    ['if left alone', first.consequence],
    ['to repair', first.repair],
  ];
  return [
    `${word}  ${first.code}  ${c.bold(shown(hosts))}  ${shown(first.what)}`,
    ...rows.flatMap(([name, text]) => labelled(name, text, c, options.width)),
    ...diffLines(first, c, options.diff),
  ];
}

/** One time if all hosts have the same, otherwise one for each. */
function sinceOf(members: readonly Finding[]): string | null {
  const times = [...new Set(members.map(({ since }) => since))];
  const [only] = times;
  if (times.length === 1) return only ? sinceWords(only) : null;
  return members
    .map(({ host, since }) => `${host ?? whole}: ${since ? sinceWords(since) : 'not known'}`)
    .join(', ');
}

const indent = '  ';
const labelWidth = 'if left alone'.length + 2;

/** Nothing for nothing: an empty text has no line. */
function labelled(name: string, text: string | null, c: Colours, width?: number): readonly string[] {
  if (text === null || text === '') return [];
  const room = width === undefined ? undefined : Math.max(width, narrowest) - indent.length - labelWidth;
  return wrap(shown(text), room).map(
    (line, index) =>
      `${indent}${index === 0 ? c.dim(name.padEnd(labelWidth)) : ' '.repeat(labelWidth)}${line}`,
  );
}

function diffLines({ diff }: Finding, c: Colours, wanted: boolean): readonly string[] {
  if (!wanted || diff === null) return [];
  return unifiedDiff(diff.before, diff.after, diff.name).map((line) => {
    const safe = shown(line);
    return `${indent}${indent}${safe.startsWith('+') ? c.green(safe) : safe.startsWith('-') ? c.red(safe) : c.dim(safe)}`;
  });
}

/** What the next run repairs and what is left to a person, told apart; notes ask for nothing. */
function lastLine({ findings }: ClusterReport): string {
  const repaired = findings.filter(({ repairedBy }) => repairedBy === 'provision');
  const mine = findings.filter(({ repairedBy, severity }) => repairedBy === 'person' && severity !== 'note');
  const command = shown(repaired[0]?.repair ?? '');
  const parts = [
    ...(repaired.length > 0 ? [`${command} repairs ${repaired.length}`] : []),
    ...(mine.length > 0 ? [`${mine.length} ${mine.length === 1 ? 'is' : 'are'} up to you`] : []),
  ];
  const first = countWords(countOf(findings));
  return parts.length > 0 ? `${first}: ${parts.join('; ')}` : `${first}, and nothing to do`;
}

function summary(report: CheckReport): string {
  const { clusters } = report;
  const touched = clusters.filter(({ findings }) => findings.length > 0);
  const names =
    touched.length > 0 ? `, in ${touched.map((cluster) => nameIn(report, cluster)).join(', ')}` : '';
  const found = touched.length > 0 ? countWords(totalOf(report)) : 'all as declared';
  return `${counted(clusters.length, 'cluster')}, ${countedHosts(clusters.flatMap(({ hosts }) => hosts))}: ${found}${names} (${cost(report)})`;
}
