/**
 * Settings by which a commit is acknowledged before a standby has it, or is not safe on a disk at all: nobody's fault, but no part of
 * what is promised (docs/promises.md). In: a state with a new report. Out: which ones, and a message when that changes. Pure.
 */
import { type Decision, decided, log } from './decision.ts';
import { sameIds } from './names.ts';
import type { State } from './state.ts';

/** Called with every answer of the instance; what is not known stays as it was. */
export function watchWeakening(state: State): Decision {
  const { role, report } = state.own;
  const weakened = role === 'primary' ? (report?.weakened ?? state.weakened) : [];
  if (sameIds(weakened, state.weakened)) return decided(state);
  const words =
    weakened.length > 0 ? log('MCA01100', { settings: weakened.join('; ') }) : log('MCA01101', {});
  return decided({ ...state, weakened }, ...(role === 'primary' ? [words] : []));
}
