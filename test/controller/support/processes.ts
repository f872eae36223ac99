/**
 * Which processes of the core are under way, and which of them exclude each other, as src/controller/core/README.md says.
 * In: a state. Out: names. A role that somebody changes past the controller is no matter of these rules.
 */
import type { State } from '../../../src/controller/core/state.ts';

const underWay = {
  change: (state) => state.change !== null && state.change.stage !== 'failed',
  proof: (state) => state.proving !== null,
  handover: (state) => state.giving !== null,
  end: (state) => state.ending !== null,
  stop: (state) => state.stop !== null,
  detach: (state) => state.detaching !== null,
  maintenance: (state) => state.maintaining !== null,
  takeover: (state) => state.takeover !== null,
  yield: (state) => state.yield !== null,
  'a primary': (state) => state.own.role === 'primary',
  'a standby': (state) => state.own.role === 'standby',
} as const satisfies Readonly<Record<string, (state: State) => boolean>>;

type Process = keyof typeof underWay;

const exclusive: readonly (readonly [Process, readonly Process[]])[] = [
  ['change', ['proof', 'handover', 'end', 'stop']],
  ['proof', ['handover', 'end', 'stop']],
  ['handover', ['end']],
  ['maintenance', ['handover', 'end', 'stop']],
  ['takeover', ['yield']],
  ['a standby', ['change', 'proof', 'handover', 'end', 'detach', 'maintenance']],
  ['a primary', ['takeover', 'yield']],
];

/** Two processes that exclude each other and are both under way; null when there are none. */
export function collision(state: State): string | null {
  for (const [one, others] of exclusive) {
    if (!underWay[one](state)) continue;
    const other = others.find((it) => underWay[it](state));
    if (other !== undefined) return `${one} and ${other}`;
  }
  return null;
}
