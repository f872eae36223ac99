/** Which planned changes are tried on their hosts first, and what becomes of a plan whose changes cannot be made. Pure. */
import type { Change, Probe, ProbeReply } from '../resources/contract/kind.ts';
import { type Plan, type Resource, refKey } from './plan.ts';

export interface Tried {
  readonly resource: Resource;
  readonly change: Change;
  readonly probe: Probe;
}

export const tried = ({ decisions }: Plan): readonly Tried[] =>
  decisions.flatMap((decision) => {
    if (decision.kind !== 'change') return [];
    const { resource, change } = decision;
    const probe = resource.kind.tries?.(change, resource.desired);
    return probe ? [{ resource, change, probe }] : [];
  });

/** What was not answered is no objection: the steps find out. */
export function objected(
  plan: Plan,
  answers: readonly (Tried & { readonly reply: ProbeReply | undefined })[],
): Plan {
  const found = new Map(
    answers.flatMap(({ resource, change, reply }) => {
      const diagnostic = reply && resource.kind.objection?.(reply, change, resource.desired);
      return diagnostic ? [[refKey(resource), { host: resource.host, ...diagnostic }] as const] : [];
    }),
  );
  return {
    decisions: plan.decisions.map((decision) => {
      const diagnostic = found.get(refKey(decision.resource));
      return diagnostic ? { kind: 'refused', resource: decision.resource, diagnostic } : decision;
    }),
  };
}
