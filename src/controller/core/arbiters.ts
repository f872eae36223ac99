/** What is known of the arbiters: heard, or why not. Pure. */
import type { ArbiterLine } from '../config.ts';
import { type Decision, decided, log } from './decision.ts';
import type { Happening } from './event.ts';
import { newArbiter } from './initial-state.ts';
import type { Arbiter, State } from './state.ts';
import { hearsArbiter } from './term.ts';
import type { ServerId } from './view.ts';

const withArbiter = (state: State, arbiter: Arbiter): State => ({
  ...state,
  arbiters: { ...state.arbiters, [arbiter.line.id]: arbiter },
});

export function onArbiterHeard(
  state: State,
  { arbiter: id, view, lineages }: Extract<Happening, { kind: 'arbiter-heard' }>,
): Decision {
  const before = state.arbiters[id];
  const last = before?.view;
  if (!before || (last?.incarnation === view.incarnation && view.seq < last.seq)) return decided(state);
  // Also where it was told that it is gone, and is back within the time to give up.
  const back = before.why !== '' || !hearsArbiter(state, id);
  const heard = withArbiter(state, { ...before, view, heardAt: state.now, heardWall: state.wall, why: '' });
  const remembered = lineages ? { ...heard, lineages } : heard;
  return decided(remembered, ...(back ? [log('MCA01135', { arbiter: id })] : []));
}

export function onArbiterLost(state: State, id: ServerId, why: string): Decision {
  const before = state.arbiters[id];
  if (!before || before.why === why) return decided(state);
  return decided(withArbiter(state, { ...before, why }), log('MCA01136', { arbiter: id, why }));
}

/** After a reload: an arbiter that stays keeps what is known of it. */
export const renewArbiters = (state: State, lines: readonly ArbiterLine[]): State['arbiters'] =>
  Object.fromEntries(
    lines.map((line) => {
      const known = state.arbiters[line.id];
      return [line.id, known ? { ...known, line } : newArbiter(line)];
    }),
  );
