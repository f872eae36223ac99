/** What every step of the core returns, and how steps are put one after the other. Pure. */
import type { Action } from './action.ts';
import type { MessageNumber } from './messages.ts';
import type { ReplyTo } from './processes.ts';
import type { OwnServer, State } from './state.ts';

export interface Decision {
  readonly state: State;
  /** In the order in which they must be done. */
  readonly actions: readonly Action[];
}

export const decided = (state: State, ...actions: readonly Action[]): Decision => ({ state, actions });

/** Goes on from a decision; the actions of both are kept in order. */
export function andThen(before: Decision, step: (state: State) => Decision): Decision {
  const after = step(before.state);
  if (after.actions.length === 0) return { state: after.state, actions: before.actions };
  if (before.actions.length === 0) return after;
  return { state: after.state, actions: [...before.actions, ...after.actions] };
}

export const log = (message: MessageNumber, values: Readonly<Record<string, string>> = {}): Action => ({
  kind: 'log',
  message,
  values,
});

export const replies = (to: readonly ReplyTo[], ok: boolean, text: string, code?: 'busy'): Action[] =>
  to.map((each) => ({ kind: 'reply', to: each, ok, text, ...(code ? { code } : {}) }));

/** Changes the own server; a new phase remembers since when it holds. */
export function withOwn(state: State, change: Partial<OwnServer>): State {
  const keys = Object.keys(change) as (keyof OwnServer)[];
  // Most looks find everything as it was; the same object again spares every comparison that follows.
  if (keys.every((key) => state.own[key] === change[key])) return state;
  const newPhase = change.phase !== undefined && change.phase !== state.own.phase;
  const since = newPhase ? { phaseSinceWall: state.wall } : {};
  return { ...state, own: { ...state.own, ...change, ...since } };
}
