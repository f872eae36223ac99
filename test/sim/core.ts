/**
 * What a simulated controller judges with: the present core, or that of the last release behind an adapter, so that both live in
 * one world. In: nothing. Out: cores. The adapter changes words, and never what the released core decides.
 */
import type { Action } from '../../src/controller/core/action.ts';
import { type Decision, decide } from '../../src/controller/core/decide.ts';
import type { Event } from '../../src/controller/core/event.ts';
import { initialState } from '../../src/controller/core/initial-state.ts';
import { ownView } from '../../src/controller/core/own-view.ts';
import type { State } from '../../src/controller/core/state.ts';
import type { ServerView } from '../../src/controller/core/view.ts';
import { released } from '../released/released.ts';

type Facts = Parameters<typeof initialState>[0];

export interface Core {
  begin(facts: Facts): State;
  decide(state: State, event: Event): Decision;
  view(state: State): ServerView;
}

export const presentCore: Core = { begin: initialState, decide, view: ownView };

/** What 0.1.0 exports, in the types of today: the world reads of its states only what both have. */
interface Core010 {
  initialState(facts: Omit<Facts, 'clocks'> & { readonly now: number; readonly wall: number }): State;
  decide(state: State, event: unknown): { readonly state: State; readonly actions: readonly Action[] };
  ownView(state: State): ServerView;
}

async function loadReleased(): Promise<Core> {
  const text = Buffer.from(released('core').text).toString('base64');
  const core = (await import(`data:text/javascript;base64,${text}`)) as Core010;
  return {
    begin: ({ clocks: { at, wall }, ...facts }) => core.initialState({ ...facts, now: at, wall }),
    decide: (state, event) => {
      const decision = core.decide(state, inWordsOf010(event));
      return { ...decision, actions: decision.actions.map((it) => inWordsOfToday(it, decision.state)) };
    },
    view: (state) => core.ownView(state),
  };
}

const inWordsOf010 = (event: Event): unknown =>
  event.kind === 'references' ? { ...event, reached: event.answered.length > 0 } : event;

function inWordsOfToday(action: Action, state: State): Action {
  switch (action.kind) {
    // 0.1.0 goes on when its record could not be written.
    case 'persist':
      return { ...action, must: false };
    case 'checkpoint':
      return { ...action, purpose: state.giving ? 'switch' : 'proof' };
    case 'promote':
      return { ...action, startedAtWall: null };
    case 'start-instance':
      return { ...action, role: state.own.role ?? 'primary' };
    default:
      return action;
  }
}

export const releasedCore: Core = await loadReleased();
