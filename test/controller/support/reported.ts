/**
 * What a controller tells of itself in answer to one event: nothing, or one view, as it is when the event is over. Two views of
 * one number would say different things, and whichever comes last would count.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Action } from '../../../src/controller/core/action.ts';
import { ownView } from '../../../src/controller/core/own-view.ts';
import type { State } from '../../../src/controller/core/state.ts';

export function reportsOnce(state: State, actions: readonly Action[]): boolean {
  const [first, ...more] = actions.flatMap((it) => (it.kind === 'heartbeat' ? [it.view] : []));
  return more.length === 0 && (first === undefined || isDeepStrictEqual(first, ownView(state)));
}
