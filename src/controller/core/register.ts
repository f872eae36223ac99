/**
 * The register: cells that give each term away once. What a cell answers is one function for the server that has one, for an
 * arbiter and for the simulation; what a server makes of the answers is another. In: cells and votes. Out: a cell, or an outcome. Pure.
 * docs/adr/0009-who-decides-on-a-silence.md has the reasons.
 */
import type { Cell, CellName, ServerId, ServerView, SyncSet, Vote } from './view.ts';

/** A cell that nobody has asked yet. */
export const freshCell = (id: string): Cell => ({ id, term: 0, holder: null, attempt: 0 });

export const sameCells = (one: readonly CellName[], other: readonly CellName[]): boolean =>
  one.length === other.length && one.every((it) => other.some((its) => its.at === it.at && its.id === it.id));

/** How a vote reaches a cell. */
export interface Asking {
  readonly at: ServerId;
  readonly asker: ServerId;
  readonly vote: Vote;
  /** Another server than the asker serves as primary, as far as it is heard here: it is preferred to a standby. */
  readonly serves: boolean;
  /** The id of the new cell, if this one has forgotten something. */
  readonly newId: string;
}

const isNamed = (cells: readonly CellName[] | undefined, at: ServerId, { id }: Cell): boolean =>
  cells?.some((name) => name.at === at && name.id === id) === true;

/** What becomes of a cell that hears of a vote; the same object when nothing does. */
export function answerVote(cell: Cell, { at, asker, vote, serves, newId }: Asking): Cell {
  if (!isNamed(vote.cells, at, cell)) return cell;
  const same = cell.term === vote.term;
  const mine = same && cell.holder === asker && cell.attempt <= vote.attempt;
  if (vote.stage === 'back')
    return mine
      ? { id: cell.id, term: cell.term, holder: null, attempt: vote.attempt, gaveBack: asker }
      : cell;
  if (hasForgotten(cell, vote.cells, vote.term) && !vote.names) return freshCell(newId);
  if (hasGivenTwice(cell, asker, vote)) return freshCell(newId);
  const open = cell.term < vote.term || (same && cell.holder === null && !isDead(cell, asker, vote));
  if (!mine && (!open || (serves && vote.against !== null))) return cell;
  if (mine && cell.attempt === vote.attempt) return cell;
  return { id: cell.id, term: vote.term, holder: asker, attempt: vote.attempt };
}

/** Where one cell answers alone, it has given away the term before every one that is asked for: else its memory is an old one. */
const hasForgotten = (cell: Cell, cells: readonly CellName[], term: number): boolean =>
  cells.length === 1 && cell.term < term - 1;

/** The asker has won this term here, and has not given it back: who holds it now has it from an old memory. */
const hasGivenTwice = (cell: Cell, asker: ServerId, { cells, term, stage }: Vote): boolean =>
  stage === 'won' &&
  cells.length === 1 &&
  cell.term === term &&
  cell.holder !== null &&
  cell.holder !== asker;

/** The server has given this attempt of its own back, or a later one, so that it is never answered. */
const isDead = (cell: Cell, asker: ServerId, { term, attempt }: Pick<Vote, 'term' | 'attempt'>): boolean =>
  cell.term === term && cell.holder === null && cell.gaveBack === asker && attempt <= cell.attempt;

/** What becomes of a cell that hears of a promise which names it: the terms before that one are gone. */
export function heedPromise(cell: Cell, at: ServerId, sync: SyncSet, newId: string): Cell {
  const { term = 0, cells = [], primary } = sync;
  if (!isNamed(cells, at, cell) || cell.term >= term - 1) return cell;
  return hasForgotten(cell, cells, term)
    ? freshCell(newId)
    : { id: cell.id, term: term - 1, holder: primary, attempt: 0 };
}

/** What becomes of a cell whose owner hears a server: its promise first, then its vote. */
export function hearServer(
  cell: Cell,
  view: Pick<ServerView, 'id' | 'sync' | 'vote'>,
  { at, serves, newId }: Pick<Asking, 'at' | 'serves' | 'newId'>,
): Cell {
  const heeded = view.sync ? heedPromise(cell, at, view.sync, newId) : cell;
  return view.vote ? answerVote(heeded, { at, asker: view.id, vote: view.vote, serves, newId }) : heeded;
}

/** So many cells give a term away. */
export const majority = (cells: readonly CellName[]): number => Math.floor(cells.length / 2) + 1;

/** A cell as it was last told; undefined when it was not, or when its memory is another one. */
export type Told = (name: CellName) => Cell | undefined;

const told = (cells: readonly CellName[], cellAt: Told): Cell[] =>
  cells.flatMap((name) => {
    const cell = cellAt(name);
    return cell?.id === name.id ? [cell] : [];
  });

/**
 * Only a cell that holds the term for this very attempt has said yes. dead: nobody else has the term, and this attempt cannot win it
 * any more, but a later one can.
 */
export function outcomeOf(vote: Vote, asker: ServerId, cellAt: Told): 'won' | 'lost' | 'dead' | 'open' {
  const { cells, term, attempt } = vote;
  const answers = told(cells, cellAt);
  const yes = answers.filter(
    (cell) => cell.term === term && cell.holder === asker && cell.attempt === attempt,
  );
  if (yes.length >= majority(cells)) return 'won';
  const no = answers.filter((cell) => isNo(cell, term, asker, attempt));
  if (cells.length - no.length < majority(cells)) return 'lost';
  const dead = answers.filter((cell) => isDead(cell, asker, vote));
  return cells.length - no.length - dead.length < majority(cells) ? 'dead' : 'open';
}

/** The latest attempt of this server that a cell remembers; 0 when it remembers none. */
export const attemptIn = (cell: Cell | undefined, asker: ServerId): number =>
  cell && (cell.holder === asker || cell.gaveBack === asker) ? cell.attempt : 0;

/** A cell has said no, so that it can take long until a majority says yes. */
export const isContested = ({ cells, term, attempt }: Vote, asker: ServerId, cellAt: Told): boolean =>
  told(cells, cellAt).some((cell) => isNo(cell, term, asker, attempt));

const isNo = (cell: Cell, term: number, asker: ServerId, attempt: number): boolean =>
  cell.term > term ||
  (cell.term === term && cell.holder !== null && (cell.holder !== asker || cell.attempt > attempt));

/** Another server that holds the term, or a later one, as a majority of the cells tells; null where that is not known. */
export function takenBy(
  cells: readonly CellName[],
  term: number,
  asker: ServerId,
  cellAt: Told,
): { readonly holder: ServerId; readonly term: number; readonly attempt: number } | null {
  const taken = told(cells, cellAt).flatMap((cell) =>
    cell.term >= term && cell.holder !== null && cell.holder !== asker
      ? [{ ...cell, holder: cell.holder }]
      : [],
  );
  const [last] = [...taken].sort((one, other) => other.term - one.term || other.attempt - one.attempt);
  return taken.length >= majority(cells) ? (last ?? null) : null;
}

/** The term lies behind, whoever had it: nobody can win it any more. */
export const isPast = (cells: readonly CellName[], term: number, cellAt: Told): boolean =>
  told(cells, cellAt).filter((cell) => cell.term > term).length >= majority(cells);

/** A term that none of these cells has given away. */
export const openTerm = (cells: readonly CellName[], atLeast: number, cellAt: Told): number =>
  Math.max(atLeast, ...told(cells, cellAt).map((cell) => cell.term + 1));
