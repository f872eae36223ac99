/**
 * Whether a state carries the judgement that belongs to it. The core judges again only when a field has changed that the
 * judgement depends on (core/fields.ts); a field that is missing there leaves an old judgement in force.
 */
import type { State } from '../../../src/controller/core/state.ts';
import { assess } from '../../../src/controller/core/status.ts';

export function isJudged(state: State): boolean {
  // Nothing is judged before the first event.
  if (state.boot.kind === 'new') return true;
  const { status, reason, advice } = assess(state);
  const { mirroring } = state;
  return status === mirroring.status && reason === mirroring.reason && advice === mirroring.advice;
}
