/**
 * What could not be looked at, told once for each host and reason. In: things and reasons. Out: findings of severity
 * unknown. Pure.
 */
import { findingCodes } from '../base/finding-codes.ts';
import type { View } from '../observe/survey.ts';
import type { Finding } from './finding.ts';

export interface Unseen {
  readonly host: string;
  readonly what: string;
  /** Why not, as the host said it. */
  readonly reason: string;
}

/** A server that a person has stopped answers no query: that it is down is told, and nothing follows from it but that. */
export const withoutStopped = (unseen: readonly Unseen[], { hosts }: View): readonly Unseen[] =>
  unseen.filter(({ host, reason }) => {
    const seen = hosts.get(host);
    const isDown = seen?.stopped !== undefined && seen.data?.running === false;
    return !(isDown && noServer.test(reason));
  });

/** As psql says it. */
const noServer = /^psql: .*connection to server on socket .* failed/;

export function unseenFindings(unseen: readonly Unseen[]): readonly Finding[] {
  const groups = new Map<string, readonly Unseen[]>();
  for (const one of unseen) groups.set(keyOf(one), [...(groups.get(keyOf(one)) ?? []), one]);
  return [...groups.values()].map(groupFinding);
}

const keyOf = ({ host, reason }: Unseen): string => `${host}\0${oneLine(reason)}`;

/** The first line of what was said names the reason; the others give hints. */
const oneLine = (reason: string): string => reason.trim().split('\n')[0]?.trim() ?? '';

function groupFinding(group: readonly Unseen[]): Finding {
  const [first] = group;
  const names = [...new Set(group.map(({ what }) => what))];
  const rule = findingCodes.LOK001;
  return {
    code: 'LOK001',
    severity: rule.severity,
    host: first?.host ?? null,
    object: names.join(', '),
    what: `${names.join(', ')}: ${rule.title}`,
    declared: null,
    found: oneLine(first?.reason ?? ''),
    source: null,
    since: null,
    consequence: rule.consequence,
    repairedBy: 'person',
    repair: rule.repair,
    commands: [],
    diff: null,
  };
}
