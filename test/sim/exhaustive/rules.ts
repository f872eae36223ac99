/**
 * What every single decision has to keep, read off the states before and behind it (ADR 9, invariants 4 and 5; core/README.md).
 * In: a decision. Out: what it breaks, as sentences. Pure.
 */
import type { Action } from '../../../src/controller/core/action.ts';
import type { State } from '../../../src/controller/core/state.ts';
import { isBound, termOf } from '../../../src/controller/core/term.ts';
import { collision } from '../../controller/support/processes.ts';

export function brokenRules(before: State, state: State, actions: readonly Action[]): string[] {
  const { id } = state.self;
  const broken: string[] = [];
  const both = collision(state);
  if (both !== null) broken.push(`E: ${both} on ${id} at the same time`);
  const told = actions.flatMap((it) => (it.kind === 'heartbeat' ? [it.view] : []));
  if (told.length > 1) broken.push(`R: ${id} tells two views of one number`);
  const record = state.persisted;
  for (const { vote, cell, sync } of told)
    if (!same(record?.vote, vote) || !same(record?.cell, cell) || !same(record?.sync, sync))
      broken.push(`invariant 4: ${id} tells what is not on its disk`);
  if (isBound(before.sync) && !isBound(state.sync))
    broken.push(`the promise of ${id} names no register any more, and no person has ordered it`);
  if (before.sync && state.sync && termOf(state.sync) < termOf(before.sync))
    broken.push(
      `invariant 5: the term of ${id} goes back from ${termOf(before.sync)} to ${termOf(state.sync)}`,
    );
  return broken;
}

const same = (one: unknown, other: unknown): boolean =>
  JSON.stringify(one ?? null) === JSON.stringify(other ?? null);
