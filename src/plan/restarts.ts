/**
 * A plan for hosts whose PostgreSQL must not be restarted now: files are written and read again, and what comes into force by
 * a restart only is postponed. In: a plan and who may be restarted. Out: a plan. Pure.
 */
import type { Effect } from '../resources/contract/kind.ts';
import type { Decision, Plan } from './plan.ts';

type ChangeDecision = Extract<Decision, { kind: 'change' }>;

const isRestart = ({ action, target }: Effect): boolean => action === 'restart' && target === 'instance';

export const restartsInstance = (decision: Decision): decision is ChangeDecision =>
  decision.kind === 'change' && (decision.change.effects?.some(isRestart) ?? false);

/** Hosts whose PostgreSQL this plan restarts, in its order. */
export const restartedHosts = (plan: Plan): readonly string[] => [
  ...new Set(plan.decisions.filter(restartsInstance).map(({ resource }) => resource.host)),
];

export function withoutRestarts(plan: Plan, mayRestart: (host: string) => boolean): Plan {
  return {
    decisions: plan.decisions.map((decision) =>
      restartsInstance(decision) && !mayRestart(decision.resource.host) ? postponed(decision) : decision,
    ),
  };
}

/** What has steps is done as far as it goes without a restart; the next look finds that it waits. */
function postponed(decision: ChangeDecision): Decision {
  const { resource, change } = decision;
  if (resource.kind.steps(change, resource.desired).length === 0)
    return { kind: 'postponed', resource, change };
  const effects = change.effects?.map((effect) =>
    isRestart(effect) ? ({ ...effect, action: 'reload' } as const) : effect,
  );
  return { ...decision, change: { ...change, ...(effects ? { effects } : {}) } };
}
