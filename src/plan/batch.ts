/**
 * The next batch of a plan: per host, the changes that can be made now, one after the other, in one round trip.
 * Reloads and restarts are merged: each once, behind the last change that asks for it. One instance is restarted at a
 * time, the primary last: a standby with less than its primary has would not go on, and somebody has to serve. So are the
 * controllers when they get another program: the others see it whole again before it is their turn. Pure.
 */
import type { Effect, Step } from '../resources/contract/kind.ts';
import { type Decision, type Plan, type Resource, refKey } from './plan.ts';
import { restartsInstance } from './restarts.ts';

export type BatchItem =
  | {
      readonly kind: 'change';
      readonly resource: Resource;
      readonly summary: string;
      readonly steps: readonly Step[];
    }
  | { readonly kind: 'effect'; readonly effect: Effect };

export interface HostBatch {
  readonly host: string;
  readonly items: readonly BatchItem[];
}

/** Empty when nothing can be done: then the plan is empty, or what is open waits for ever, or for a person. */
export function nextBatch(plan: Plan, primary?: string): readonly HostBatch[] {
  const hosts = [...new Set(plan.decisions.map((decision) => decision.resource.host))];
  const changes = new Map(
    hosts.map((host) => [host, ready(plan.decisions.filter(({ resource }) => resource.host === host))]),
  );
  const restarting = hosts.filter((host) => changes.get(host)?.some(takesTurn));
  const first = restarting.find((host) => host !== primary) ?? primary;
  return hosts
    .map((host) => {
      const mine = changes.get(host) ?? [];
      const end = host === first ? -1 : mine.findIndex(takesTurn);
      return { host, items: mergeEffects(end < 0 ? mine : mine.slice(0, end)) };
    })
    .filter((batch) => batch.items.length > 0);
}

type ChangeDecision = Extract<Decision, { kind: 'change' }>;

const takesTurn = (decision: ChangeDecision): boolean =>
  decision.change.effects?.some((effect) => effect.inTurn === true) === true || restartsInstance(decision);

/** Nothing is done about these, and nothing waits until they are over. */
const passable: readonly Decision['kind'][] = ['same', 'degraded', 'postponed'];

/** The order of the playbook holds: what comes after something that waits, waits too. */
function ready(decisions: readonly Decision[]): readonly ChangeDecision[] {
  const found: ChangeDecision[] = [];
  const touched = new Set<string>();
  for (const decision of decisions) {
    if (passable.includes(decision.kind)) continue;
    if (decision.kind !== 'change') break;
    const { resource } = decision;
    // What this batch makes right on this host is right by then.
    const blocked = decision.blocked.some(
      (ref) => !found.some((earlier) => refKey(earlier.resource) === refKey(ref)),
    );
    const touches = resource.kind.touches?.(resource.desired);
    if (blocked || (touches !== undefined && touched.has(touches))) break;
    if (touches !== undefined) touched.add(touches);
    found.push(decision);
  }
  return found;
}

function mergeEffects(decisions: readonly ChangeDecision[]): readonly BatchItem[] {
  return decisions.flatMap((decision, index) => {
    const { resource, change } = decision;
    const later = decisions.slice(index + 1).flatMap((other) => other.change.effects ?? []);
    const mine = (change.effects ?? []).filter(
      (effect) => !later.some((other) => other.target === effect.target),
    );
    const earlier = decisions.slice(0, index + 1).flatMap((other) => other.change.effects ?? []);
    const strongest = mine.map((effect) => ({
      ...effect,
      action: earlier.some((other) => other.target === effect.target && other.action === 'restart')
        ? ('restart' as const)
        : effect.action,
    }));
    const item: BatchItem = {
      kind: 'change',
      resource,
      summary: change.summary,
      steps: resource.kind.steps(change, resource.desired),
    };
    return [item, ...strongest.map((effect): BatchItem => ({ kind: 'effect', effect }))];
  });
}
