/**
 * The next batch of a plan: per host, the changes that can be made now, one after the other, in one round trip.
 * Reloads and restarts are merged: each once, behind the last change that asks for it. Pure.
 */
import type { Effect, Step } from '../resources/kind.ts';
import type { Decision, Plan, Resource } from './plan.ts';

export type BatchItem =
  | { readonly kind: 'change'; readonly resource: Resource; readonly summary: string; readonly steps: readonly Step[] }
  | { readonly kind: 'effect'; readonly effect: Effect };

export interface HostBatch {
  readonly host: string;
  readonly items: readonly BatchItem[];
}

/** Empty when nothing can be done: then the plan is empty, or what is open waits for ever. */
export function nextBatch(plan: Plan): readonly HostBatch[] {
  const hosts = [...new Set(plan.decisions.map((decision) => decision.resource.host))];
  return hosts
    .map((host) => ({ host, items: mergeEffects(ready(plan.decisions.filter((decision) => decision.resource.host === host))) }))
    .filter((batch) => batch.items.length > 0);
}

type ChangeDecision = Extract<Decision, { kind: 'change' }>;

/** The order of the playbook holds: what comes after something that waits, waits too. */
function ready(decisions: readonly Decision[]): readonly ChangeDecision[] {
  const found: ChangeDecision[] = [];
  for (const decision of decisions) {
    if (decision.kind === 'same') continue;
    if (decision.kind !== 'change' || decision.blocked.length > 0) break;
    found.push(decision);
  }
  return found;
}

function mergeEffects(decisions: readonly ChangeDecision[]): readonly BatchItem[] {
  return decisions.flatMap((decision, index) => {
    const { resource, change } = decision;
    const later = decisions.slice(index + 1).flatMap((other) => other.change.effects ?? []);
    const mine = (change.effects ?? []).filter((effect) => !later.some((other) => other.target === effect.target));
    const earlier = decisions.slice(0, index + 1).flatMap((other) => other.change.effects ?? []);
    const strongest = mine.map((effect) => ({
      ...effect,
      action: earlier.some((other) => other.target === effect.target && other.action === 'restart') ? ('restart' as const) : effect.action,
    }));
    const item: BatchItem = { kind: 'change', resource, summary: change.summary, steps: resource.kind.steps(change, resource.desired) };
    return [item, ...strongest.map((effect): BatchItem => ({ kind: 'effect', effect }))];
  });
}
