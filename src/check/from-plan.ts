/**
 * A plan becomes findings: what differs, what is refused, what could not be looked at. In: the plan of `provision`.
 * Out: findings. Whatever is not known to be right is reported: nothing passes for fine because nobody could look. Pure.
 */
import type { Severity } from '../base/findings/rule.ts';
import type { Decision, Plan } from '../plan/plan.ts';
import type { Change, Difference } from '../resources/contract/kind.ts';
import { type Finding, findingOf, findingOfDiagnostic } from './finding.ts';
import type { Unseen } from './unseen.ts';

/** `provision` is the command that repairs what provision repairs. */
export const planFindings = (plan: Plan, provision: string): readonly Finding[] =>
  distinct(plan.decisions.flatMap((decision) => decisionFindings(decision, provision)));

/** What of the plan could not be looked at. */
export const planUnseen = (plan: Plan): readonly Unseen[] => plan.decisions.flatMap(unseenOf);

function decisionFindings(decision: Decision, provision: string): readonly Finding[] {
  const { host, kind, desired } = decision.resource;
  const tell = (difference: Difference): Finding => findingOf({ ...difference, host }, provision);
  const named = (severity: Severity, diagnostic: Parameters<typeof findingOfDiagnostic>[0]): Finding =>
    findingOfDiagnostic({ host, ...diagnostic }, severity, kind.describe(desired));
  switch (decision.kind) {
    case 'same':
      return (decision.differences ?? []).map(tell);
    case 'change':
    case 'postponed':
      return withDiff(differencesOf(decision.change, kind.describe(desired)).map(tell), decision.change);
    case 'refused':
      return [named('danger', decision.diagnostic)];
    case 'degraded':
      return [named('degraded', decision.diagnostic)];
    case 'unseen':
    case 'deferred':
      return [];
  }
}

/** A kind that does not tell its differences one by one says it in the words of its plan. */
const differencesOf = (change: Change, object: string): readonly Difference[] =>
  change.differences && change.differences.length > 0
    ? change.differences
    : [{ code: 'RES001', object, declared: change.summary, found: change.reason }];

/** The text of a file stands beside the first finding that provision repairs. */
function withDiff(findings: readonly Finding[], { text }: Change): readonly Finding[] {
  const first = findings.find(({ repairedBy }) => repairedBy === 'provision');
  return text ? findings.map((one) => (one === first ? { ...one, diff: text } : one)) : findings;
}

/** What is looked at late is looked at once what it comes after is right; that one is reported already. */
function unseenOf(decision: Decision): readonly Unseen[] {
  const { host, kind, desired } = decision.resource;
  const what = kind.describe(desired);
  if (decision.kind === 'unseen') {
    const { evidence = [], why } = decision.diagnostic;
    return [{ host, what, reason: evidence[0] ?? why }];
  }
  if (decision.kind !== 'deferred' || decision.resource.late) return [];
  return [{ host, what, reason: decision.reason }];
}

/** Every server that hears of one trouble tells of it, and two resources may see the same thing; once is enough. */
function distinct(findings: readonly Finding[]): readonly Finding[] {
  const keys = findings.map(({ code, what, host, object, declared, source }) =>
    code.startsWith('HST') ? `${code} ${what}` : JSON.stringify([code, host, object, declared, source]),
  );
  return findings.filter((_, index) => keys.indexOf(keys[index] ?? '') === index);
}
