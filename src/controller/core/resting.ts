/** A start that does not come, since this server is in maintenance, or may be. In: a state. Out: a decision, or a plain answer. Pure. */
import { giveUpTimeMs } from '../config.ts';
import { type Decision, decided, log, replies, withOwn } from './decision.ts';
import { entryOf, entryWords } from './maintenance.ts';
import type { Boot } from './processes.ts';
import { heardPeers } from './servers.ts';
import type { State } from './state.ts';

/** In maintenance the controller starts nothing by itself. Whoever waits for the start is told so, and a unit has started all the same. */
export function rest(state: State): Decision {
  const entry = entryOf(state, state.self.id);
  const words = entry ? entryWords(entry) : '';
  const told = replies(state.waitingForStart, true, `in maintenance ${words}: the instance is left alone`);
  const resting: State = { ...withOwn(state, { phase: 'stopped' }), boot: { kind: 'maintained' } };
  return decided({ ...resting, waitingForStart: [] }, log('MCA01153', { words }), ...told);
}

/** The port says nothing of a maintenance that this server has slept through: somebody who would tell is heard first, as far as there is time. */
export function knowsItsPlace(
  state: State,
  { sinceAt }: Extract<Boot, { kind: 'waiting-for-primary' }>,
): boolean {
  if (heardPeers(state).some(({ line, view }) => view.sync?.primary === line.id)) return true;
  return !(state.forgotten && state.sync === null) && state.now - sinceAt >= giveUpTimeMs(state.conf);
}
