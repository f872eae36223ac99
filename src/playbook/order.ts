/**
 * Does the order that a playbook asks for exist? In: the resources in the order of the playbook, with what each comes
 * after. Out: PLY005 for each circle, PLY002 for what is declared twice. Pure.
 */
import type { Diagnostic } from '../base/diagnostic.ts';
import type { Position } from '../base/position.ts';
import { type Resource, refKey } from '../plan/plan.ts';

/** A resource, and where its `after` stands in the playbook. */
export interface Placed {
  readonly resource: Resource;
  readonly after: readonly { readonly at: Position }[];
}

/** On one host everything waits for what stands above it; what it comes after may be anywhere. */
function waitsFor(index: number, all: readonly Placed[]): readonly number[] {
  const mine = all[index];
  if (!mine) return [];
  const keys = new Set(mine.resource.after.map(refKey));
  const above = all.findLastIndex((one, at) => at < index && one.resource.host === mine.resource.host);
  return [
    ...(above < 0 ? [] : [above]),
    ...all.flatMap((one, at) => (keys.has(refKey(one.resource)) ? [at] : [])),
  ];
}

export function orderProblems(all: readonly Placed[]): readonly Diagnostic[] {
  const edges = all.map((_, index) => waitsFor(index, all));
  const done = new Set<number>();
  const problems: Diagnostic[] = [];
  const path: number[] = [];
  const visit = (index: number): void => {
    if (done.has(index)) return;
    const begin = path.indexOf(index);
    if (begin >= 0) {
      const problem = circle(path.slice(begin), all);
      if (problem) problems.push(problem);
      return;
    }
    path.push(index);
    for (const next of edges[index] ?? []) visit(next);
    path.pop();
    done.add(index);
  };
  for (const index of all.keys()) visit(index);
  return [...problems, ...twice(all)];
}

/** The blame is on the first `after` of the circle: without one there would be none. */
function circle(indexes: readonly number[], all: readonly Placed[]): Diagnostic | undefined {
  const members = indexes.flatMap((index) => all[index] ?? []);
  const at = members.flatMap((one) => one.after)[0]?.at;
  return (
    at && {
      code: 'PLY005',
      what: "the resources wait for each other in a circle, of which this 'after' is a part",
      why: 'on one host the order of the playbook is the order of work, so none of them could ever be the first',
      fix: "Remove one of the 'after' lines of the circle, or move the resource further down.",
      evidence: members.map(({ resource }) => `${resource.host}: ${resource.id}`),
      at,
    }
  );
}

function twice(all: readonly Placed[]): readonly Diagnostic[] {
  const seen = new Set<string>();
  return all.flatMap(({ resource }) => {
    const key = refKey(resource);
    if (!seen.has(key)) {
      seen.add(key);
      return [];
    }
    return [
      {
        code: 'PLY002',
        what: `'${resource.id}' is declared twice for one host`,
        why: 'only one of the two can be right at a time',
        fix: 'Remove one of the two, or limit them to different hosts with the play or with `when`.',
        ...(resource.at ? { at: resource.at } : {}),
      } satisfies Diagnostic,
    ];
  });
}
