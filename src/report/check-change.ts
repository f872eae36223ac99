/**
 * What has changed between two looks at one cluster, for `--watch`: as text lines with a time, and as JSON. In: two reports.
 * Out: data and texts. Pure. A finding is the same as before if code, host and object are.
 */
import type { Severity } from '../base/findings/rule.ts';
import type { Finding } from '../check/finding.ts';
import { type CheckReport, type ClusterReport, type Counts, countOf } from '../check/report.ts';
import { sinceWords } from '../resources/controller/outage.ts';
import { findingJson } from './check-json.ts';
import { countWords, nameIn } from './check-words.ts';
import { type Colours, colours } from './colour.ts';
import { severityPaint } from './severity-colour.ts';
import { shown } from './shown.ts';

export interface CheckChange {
  /** When the later look was taken; ISO 8601, UTC. */
  readonly at: string;
  readonly cluster: string;
  readonly inventory: string;
  /** As text names it: with the inventory where two clusters have one name. */
  readonly shownName: string;
  /** Null: the primary is the same. */
  readonly primary: { readonly before: string | null; readonly after: string | null } | null;
  readonly appeared: readonly Finding[];
  readonly gone: readonly Finding[];
  readonly changed: readonly { readonly before: Finding; readonly after: Finding }[];
  /** Of everything that is there now. */
  readonly counts: Counts;
}

/** One entry for every cluster in which something has changed; none if all is as before. */
export function changesOf(before: CheckReport, after: CheckReport): readonly CheckChange[] {
  const earlier = new Map(before.clusters.map((cluster) => [cluster.inventory, cluster]));
  return after.clusters.flatMap((cluster) => {
    const was = earlier.get(cluster.inventory);
    if (was === undefined) return [];
    const change = changeOf(was, cluster, after.at, nameIn(after, cluster));
    return isChange(change) ? [change] : [];
  });
}

const isChange = ({ primary, appeared, gone, changed }: CheckChange): boolean =>
  primary !== null || appeared.length + gone.length + changed.length > 0;

function changeOf(was: ClusterReport, is: ClusterReport, at: string, shownName: string): CheckChange {
  const before = keyed(was.findings);
  const after = keyed(is.findings);
  return {
    at,
    cluster: is.cluster,
    inventory: is.inventory,
    shownName,
    primary: was.primary === is.primary ? null : { before: was.primary, after: is.primary },
    appeared: [...after].flatMap(([key, finding]) => (before.has(key) ? [] : [finding])),
    gone: [...before].flatMap(([key, finding]) => (after.has(key) ? [] : [finding])),
    changed: [...after].flatMap(([key, finding]) => {
      const old = before.get(key);
      const same = old && old.severity === finding.severity && old.found === finding.found;
      return old === undefined || same ? [] : [{ before: old, after: finding }];
    }),
    counts: countOf(is.findings),
  };
}

/** The second of two with the same code, host and object is compared with the second one of the other look. */
function keyed(findings: readonly Finding[]): ReadonlyMap<string, Finding> {
  const met = new Map<string, number>();
  return new Map(
    findings.map((finding) => {
      const name = JSON.stringify([finding.code, finding.host, finding.object]);
      const number = (met.get(name) ?? 0) + 1;
      met.set(name, number);
      return [`${name} ${number}`, finding];
    }),
  );
}

/** One line for each change, and one that says what is there now; every line has the time and the cluster. */
export function changeText(change: CheckChange, options: { readonly colour: boolean }): string {
  const c = colours(options.colour);
  const { primary, appeared, gone, changed } = change;
  const lines = [
    ...(primary ? [`primary   ${primary.before ?? 'nobody'} → ${primary.after ?? 'nobody'}`] : []),
    ...appeared.map((finding) => `appeared  ${line(finding, c)}${foundOf(finding)}`),
    ...changed.map(({ before, after }) => `changed   ${line(after, c)}${differenceOf(before, after)}`),
    ...gone.map((finding) => `gone      ${line(finding, c)}`),
    `now       ${countWords(change.counts)}`,
  ];
  const head = `${sinceWords(change.at)}  ${change.shownName}`;
  return lines.map((text) => `${c.dim(head)}  ${text}`).join('\n');
}

const line = ({ severity, code, host, what }: Finding, c: Colours): string =>
  `${painted(severity, c)}  ${code}  ${shown(`${host ?? 'the cluster'}  ${what}`)}`;

const painted = (severity: Severity, c: Colours): string => severityPaint(c, severity)(severity);

const foundOf = ({ found }: Finding): string => (found ? ` (${shown(found)})` : '');

function differenceOf(before: Finding, after: Finding): string {
  const words = [
    ...(before.severity === after.severity ? [] : [`was ${before.severity}`]),
    ...(before.found === after.found ? [] : [`${before.found || 'nothing'} → ${after.found || 'nothing'}`]),
  ];
  return ` (${shown(words.join('; '))})`;
}

/** One line of `--watch --json`; its schema is part of schema/check.json. */
export const changeJson = (change: CheckChange): object => ({
  schema: 1,
  verb: 'check',
  at: change.at,
  cluster: change.cluster,
  inventory: change.inventory,
  primary: change.primary,
  appeared: change.appeared.map(findingJson),
  gone: change.gone.map(findingJson),
  changed: change.changed.map(({ before, after }) => ({
    before: findingJson(before),
    after: findingJson(after),
  })),
  counts: change.counts,
});
