/** The term of a promise and the cells of its register, as they are seen from here. In: a state. Out: plain answers. Pure. */
import { giveUpTimeMs } from '../config.ts';
import { majority, sameCells, takenBy } from './register.ts';
import { isHeard } from './servers.ts';
import type { State } from './state.ts';
import type { Cell, CellName, ServerId, SyncSet } from './view.ts';

export const termOf = ({ term = 0 }: SyncSet): number => term;

/** The promise names a register, so that nobody acts on a silence without it. */
export const isBound = (sync: SyncSet | null): boolean => (sync?.cells?.length ?? 0) > 0;

/** The cell that is there, whatever its id, as it was last told. */
export function cellAt(state: State, { at }: Pick<CellName, 'at'>): Cell | undefined {
  if (at === state.self.id) return state.cell ?? undefined;
  return state.arbiters[at]?.view?.cell ?? state.peers[at]?.view?.cell ?? undefined;
}

/** The register has given this server the term of the promise that it holds, and it has not used it yet. */
export const holdsTerm = ({ vote, sync }: State): boolean =>
  vote?.stage === 'won' &&
  sync !== null &&
  vote.term === termOf(sync) &&
  sameCells(vote.cells, sync.cells ?? []);

/** An arbiter has told something within the time to give up. */
export const hearsArbiter = ({ arbiters, now, conf }: State, id: string): boolean => {
  const { heardAt = -1 } = arbiters[id] ?? {};
  return heardAt >= 0 && now - heardAt <= giveUpTimeMs(conf);
};

/** So many cells of the register are heard that they could give a term away. */
export function registerAnswers(state: State): boolean {
  const cells = state.sync?.cells ?? [];
  const heard = cells.filter(
    ({ at, id }) =>
      cellAt(state, { at })?.id === id &&
      (at === state.self.id || hearsArbiter(state, at) || isHeard(state.peers[at])),
  );
  return cells.length > 0 && heard.length >= majority(cells);
}

/**
 * Another server holds the term of the own promise, so that this primary is one no more. One that is heard as a standby has not used
 * it, nor one that has said last that it gives it back.
 */
export function isTaken(state: State): ServerId | null {
  const { sync } = state;
  if (!sync || !isBound(sync) || sync.primary !== state.self.id) return null;
  const taken = takenBy(sync.cells ?? [], termOf(sync), state.self.id, (name) => cellAt(state, name));
  if (taken === null) return null;
  const peer = state.peers[taken.holder];
  if (isHeard(peer) && peer.view.role === 'standby') return null;
  const vote = peer?.view?.vote;
  const isBack = vote?.stage === 'back' && vote.term === taken.term && vote.attempt >= taken.attempt;
  return isBack && peer?.view?.role === 'standby' ? null : taken.holder;
}

/** The register has given the term to somebody else, so that a takeover would be in vain. */
export const isTermGone = (state: State): boolean =>
  state.sync !== null &&
  isBound(state.sync) &&
  takenBy(state.sync.cells ?? [], termOf(state.sync), state.self.id, (name) => cellAt(state, name)) !== null;

/** A takeover on a silence that has begun by itself and gets no answer. */
export const waitsForRegister = ({ takeover, sync, vote }: State): boolean =>
  takeover?.kind === 'silence' && takeover.stage === 'gather' && isBound(sync) && vote?.stage === 'asking';
