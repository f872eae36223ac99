/** The term of a promise and the cells of its register, as they are seen from here. In: a state. Out: plain answers. Pure. */
import { giveUpTimeMs } from '../config.ts';
import { majority, sameCells } from './register.ts';
import { isHeard } from './servers.ts';
import type { State } from './state.ts';
import type { Cell, CellName, SyncSet } from './view.ts';

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
