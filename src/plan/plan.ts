/**
 * desired × observed → Plan: what is right, what changes, what waits, what is refused. Pure data and pure functions.
 * The plan is ordered: on one host by the order of the playbook, between hosts by `after`.
 */
import type { Diagnostic } from '../base/diagnostic.ts';
import type { Position } from '../base/position.ts';
import type { AnyKind, Change, Difference, Observed, Verdict } from '../resources/contract/kind.ts';

/** A resource of a host, named by "kind key". */
export interface Ref {
  readonly host: string;
  readonly id: string;
}

/** One thing that is declared for one host. */
export interface Resource extends Ref {
  readonly kind: AnyKind;
  readonly desired: unknown;
  /** Resources, mostly of other hosts, that have to be right before this one is looked at again. */
  readonly after: readonly Ref[];
  /** What it needs comes to be only through what it comes after, so that an earlier look says nothing. */
  readonly late: boolean;
  /** Foretold for as long as it cannot be decided: a change, or nothing. */
  readonly expect?: 'change' | 'same';
  readonly at?: Position;
}

export type Decision = { readonly resource: Resource } & (
  | { readonly kind: 'same'; readonly reason: string; readonly differences?: readonly Difference[] }
  | { readonly kind: 'change'; readonly change: Change; readonly blocked: readonly Ref[] }
  /** Cannot be decided before something else has been done. */
  | { readonly kind: 'deferred'; readonly reason: string; readonly waitsFor: Ref }
  /** Could not be looked at, and nothing that is planned explains why. */
  | { readonly kind: 'unseen'; readonly diagnostic: Diagnostic }
  | { readonly kind: 'refused'; readonly diagnostic: Diagnostic }
  /** Up to the controller or a person: nothing is done about it, and nothing waits until it is over. */
  | {
      readonly kind: 'degraded';
      readonly diagnostic: Diagnostic;
      readonly differences?: readonly Difference[];
    }
  /** In force after a restart that is not allowed now. */
  | { readonly kind: 'postponed'; readonly change: Change }
);

export interface Plan {
  readonly decisions: readonly Decision[];
}

export interface ObservedResource {
  readonly resource: Resource;
  readonly observed: Observed<unknown>;
}

/** Decides every resource. The order of `observations` is the order of the playbook. */
export const makePlan = (observations: readonly ObservedResource[]): Plan =>
  decideAll(observations.map(judged), new Set());

/** What a kind says of what was seen; asked once for all passes. */
interface Judged {
  readonly resource: Resource;
  readonly verdict: Verdict | Extract<Observed<never>, { state: 'unknown' }>;
}

const judged = ({ resource, observed }: ObservedResource): Judged => ({
  resource,
  verdict: observed.state === 'unknown' ? observed : resource.kind.diff(resource.desired, observed),
});

/**
 * What is looked at late may come after what stands further down or on a later host, so all is decided again until no more
 * is `known` to be right.
 */
function decideAll(observations: readonly Judged[], known: ReadonlySet<string>): Plan {
  const settled = new Set(known);
  const lastOpen = new Map<string, Resource>();
  const renewals: Resource[] = [];
  const decisions = observations.map((observation): Decision => {
    const renewal = renewals.find((earlier) => isInside(observation.resource, earlier));
    const stop = isSame(observation.verdict)
      ? renewals.find((it) => runsFrom(observation.resource, it))
      : undefined;
    const decision = renewal
      ? madeAnew(observation.resource, renewal)
      : stop
        ? startedAnew(observation.resource, stop)
        : decide(observation, settled, lastOpen.get(observation.resource.host));
    if (decision.kind === 'same') settled.add(refKey(observation.resource));
    else lastOpen.set(observation.resource.host, observation.resource);
    if (decision.kind === 'change' && observation.resource.kind.renews) renewals.push(observation.resource);
    return decision;
  });
  if (settled.size > known.size) return decideAll(observations, settled);
  const told = withoutForce(withoutVainWaits(decisions));
  return { decisions: told.map((decision) => withBlocks(decision, settled)) };
}

const wrongName = 'SAF044';
const byForce = /--force|\bdetach\b/;
const nameFirst = `repair first what ${wrongName} says: servers that look for each other at a wrong address do not hear each other, and by force there would be two primaries`;

/** A controller does not know why it hears nobody. Where a name is wrong, its advice for a server that is surely down is not for this. */
function withoutForce(decisions: readonly Decision[]): readonly Decision[] {
  if (!decisions.some((it) => it.kind === 'refused' && it.diagnostic.code === wrongName)) return decisions;
  return decisions.map(withoutForceIn);
}

function withoutForceIn(decision: Decision): Decision {
  switch (decision.kind) {
    case 'degraded':
      return { ...decision, ...gentle(decision), diagnostic: gentleFix(decision.diagnostic) };
    case 'refused':
      return { ...decision, diagnostic: gentleFix(decision.diagnostic) };
    case 'change':
    case 'postponed':
      return { ...decision, change: { ...decision.change, ...gentle(decision.change) } };
    case 'same':
      return { ...decision, ...gentle(decision) };
    case 'unseen':
    case 'deferred':
      return decision;
  }
}

const gentleFix = (told: Diagnostic): Diagnostic =>
  byForce.test(told.fix) ? { ...told, fix: `${nameFirst}.` } : told;

const gentle = ({ differences }: { readonly differences?: readonly Difference[] }) =>
  differences && {
    differences: differences.map((one) =>
      byForce.test(one.repair ?? '') ? { ...one, repair: nameFirst } : one,
    ),
  };

/** To wait for what only a person can bring about would end in a time out that explains less. */
function withoutVainWaits(decisions: readonly Decision[]): readonly Decision[] {
  const lasting = decisions.find((decision) => decision.kind === 'degraded');
  if (lasting?.kind !== 'degraded') return decisions;
  const { diagnostic } = lasting;
  const vain = new Set<string>();
  const isVain = (ref: Ref): boolean => vain.has(refKey(ref));
  return decisions.map((decision) => {
    const { kind, resource } = decision;
    const waits =
      kind === 'change' && (resource.kind.waits || (resource.late && resource.after.some(isVain)));
    if (!waits && !(kind === 'deferred' && isVain(decision.waitsFor))) return decision;
    vain.add(refKey(resource));
    return { kind: 'degraded', resource, diagnostic };
  });
}

export const refKey = (ref: Ref): string => `${ref.host}\0${ref.id}`;

/** What stands in a directory that is about to be made anew says nothing. */
function isInside(resource: Resource, renewal: Resource): boolean {
  const path = resource.kind.inside?.(resource.desired);
  const directory = renewal.kind.renews?.(renewal.desired);
  return resource.host === renewal.host && path !== undefined && path.startsWith(`${directory}/`);
}

const madeAnew = (resource: Resource, renewal: Resource): Decision => ({
  kind: 'deferred',
  resource,
  reason: 'its directory is made anew before',
  waitsFor: { host: renewal.host, id: renewal.id },
});

/** What runs there is stopped before, so that it is right now says nothing about then. */
function runsFrom(resource: Resource, renewal: Resource): boolean {
  const directory = resource.kind.runsFrom?.(resource.desired);
  return (
    resource.host === renewal.host &&
    directory !== undefined &&
    directory === renewal.kind.renews?.(renewal.desired)
  );
}

const startedAnew = (resource: Resource, renewal: Resource): Decision => ({
  kind: 'deferred',
  resource,
  reason: 'what runs now is stopped before',
  waitsFor: { host: renewal.host, id: renewal.id },
});

const isSame = (verdict: Judged['verdict']): boolean => 'kind' in verdict && verdict.kind === 'same';

const isChange = (verdict: Judged['verdict']): boolean => 'kind' in verdict && verdict.kind === 'change';

function decide(
  { resource, verdict }: Judged,
  settled: ReadonlySet<string>,
  open: Resource | undefined,
): Decision {
  const waiting = resource.after.find((ref) => !settled.has(refKey(ref)));
  if (resource.late && waiting && !(resource.kind.looksAgain && isChange(verdict)))
    return {
      kind: 'deferred',
      resource,
      reason: 'it is looked at later',
      waitsFor: { host: waiting.host, id: waiting.id },
    };
  if ('state' in verdict) {
    const { reason } = verdict;
    const waitsFor = open ?? waiting;
    if (waitsFor)
      return {
        kind: 'deferred',
        resource,
        reason,
        waitsFor: { host: waitsFor.host, id: waitsFor.id },
      };
    return { kind: 'unseen', resource, diagnostic: unseen(resource, reason) };
  }
  switch (verdict.kind) {
    case 'same':
      return { ...verdict, resource };
    case 'refuse':
      return { kind: 'refused', resource, diagnostic: { host: resource.host, ...verdict.diagnostic } };
    case 'degraded':
      return { ...verdict, resource, diagnostic: { host: resource.host, ...verdict.diagnostic } };
    case 'change':
      return { kind: 'change', resource, change: verdict.change, blocked: [] };
  }
}

/** `after` may name a resource that stands further down or on a later host, so blocks are known only at the end. */
function withBlocks(decision: Decision, settled: ReadonlySet<string>): Decision {
  if (decision.kind !== 'change') return decision;
  return { ...decision, blocked: decision.resource.after.filter((ref) => !settled.has(refKey(ref))) };
}

const unseen = (resource: Resource, reason: string): Diagnostic => ({
  code: 'HST002',
  what: `${resource.kind.describe(resource.desired)} could not be looked at`,
  why: 'what cannot be seen is neither right nor wrong, so nothing is done',
  fix: 'Look at the reason below on the host, repair it, and run the same command again.',
  host: resource.host,
  evidence: reason.split('\n').slice(-6),
  ...(resource.at ? { at: resource.at } : {}),
});

/** Nothing left to do, nothing left open. */
export const isEmpty = (plan: Plan): boolean => plan.decisions.every((decision) => decision.kind === 'same');

/** Why this plan must not be carried out; empty when it may be. */
export const refusals = (plan: Plan): readonly Diagnostic[] =>
  plan.decisions.flatMap((decision) =>
    decision.kind === 'refused' || decision.kind === 'unseen' ? [decision.diagnostic] : [],
  );

/** What nothing here is done about: each trouble once, however many servers tell of it. */
export function troubles(plan: Plan): readonly Diagnostic[] {
  const found = plan.decisions.flatMap((decision) =>
    decision.kind === 'degraded' ? [decision.diagnostic] : [],
  );
  return found.filter((one, index) => found.findIndex((other) => other.what === one.what) === index);
}

/** What waits for a restart that is not allowed now. */
export const postponed = (plan: Plan): readonly Extract<Decision, { kind: 'postponed' }>[] =>
  plan.decisions.flatMap((decision) => (decision.kind === 'postponed' ? [decision] : []));

/**
 * What has to be looked at behind a batch, which does what is in `doing`: everything that is open. What only waits and is
 * blocked needs no look, unless its time has come with the batch.
 */
export function worthAnotherLook(plan: Plan, doing: readonly Ref[]): readonly Resource[] {
  const done = new Set(doing.map(refKey));
  const isFarOff = (decision: Decision): boolean =>
    decision.kind === 'change' &&
    decision.blocked.length > 0 &&
    decision.resource.kind.waits === true &&
    !done.has(refKey(decision.resource));
  return plan.decisions
    .filter((decision) => decision.kind !== 'same' && !isFarOff(decision))
    .map((decision) => decision.resource);
}

/** Changes and what waits for them: what a user is shown. */
export const pending = (plan: Plan): readonly Extract<Decision, { kind: 'change' | 'deferred' }>[] =>
  plan.decisions.flatMap((decision) =>
    decision.kind === 'change' || decision.kind === 'deferred' ? [decision] : [],
  );

/** A plan that is carried out by nobody: nothing of it is done, so that nothing is waited for. What a check tells is another thing. */
export function waitingForNothing(plan: Plan): Plan {
  const refused = plan.decisions.find(({ kind }) => kind === 'refused' || kind === 'unseen');
  if (!refused || refusals(plan).length === 0) return plan;
  const { host, id } = refused.resource;
  return {
    decisions: plan.decisions.map((decision) =>
      decision.kind === 'change' && decision.resource.kind.waits
        ? {
            kind: 'deferred',
            resource: decision.resource,
            reason: 'it is looked at later',
            waitsFor: { host, id },
          }
        : decision,
    ),
  };
}
