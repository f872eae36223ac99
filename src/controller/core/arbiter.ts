/**
 * The judgement of an arbiter: it has a cell, hears what the servers tell, and answers each of them. It never judges who has failed;
 * it remembers to whom it gave a term, and prefers a primary that hears it. In: a state and a view. Out: a state. Pure.
 */
import { freshCell, hearServer } from './register.ts';
import type { ArbiterView, Cell, Echo, ServerId, ServerView } from './view.ts';

interface HeardServer {
  readonly view: ServerView;
  /** Monotonic milliseconds. */
  readonly at: number;
  /** When it was last known that it hears this arbiter, too. */
  readonly hearsAt: number;
}

export interface ArbiterState {
  readonly id: ServerId;
  readonly version: string;
  readonly incarnation: string;
  readonly seq: number;
  readonly cell: Cell;
  readonly heard: Readonly<Record<ServerId, HeardServer>>;
  readonly startedAt: number;
  /** A primary that was not heard for so long is not preferred any more. */
  readonly patienceMs: number;
}

/** The state after a start; without a cell of its own it makes one, which no promise names yet. */
export function startArbiter(facts: {
  readonly id: ServerId;
  readonly version: string;
  readonly incarnation: string;
  readonly cell: Cell | null;
  readonly at: number;
  readonly patienceMs: number;
}): ArbiterState {
  const { at: startedAt, cell, incarnation, ...known } = facts;
  return { ...known, incarnation, startedAt, cell: cell ?? freshCell(incarnation), seq: 0, heard: {} };
}

/** A server tells of itself. If the cell of the result is another one, it has to be on the disk before anybody is answered. */
export function arbiterHears(before: ArbiterState, view: ServerView, at: number): ArbiterState {
  const last = before.heard[view.id];
  if (last && last.view.incarnation === view.incarnation && view.seq < last.view.seq) return before;
  const known = rememberView(before, view, at);
  const newId = `${known.incarnation}-${known.seq}`;
  const serves = prefersAnother(known, view.id, at);
  return { ...known, cell: hearServer(known.cell, view, { at: known.id, serves, newId }) };
}

function rememberView(state: ArbiterState, view: ServerView, at: number): ArbiterState {
  const before = state.heard[view.id];
  const echo = view.echoes?.[state.id];
  const last = before?.view.echoes?.[state.id];
  const news =
    echo?.incarnation === state.incarnation &&
    (echo.seq > (last?.seq ?? -1) || last?.incarnation !== echo.incarnation);
  const heard = { view, at, hearsAt: news ? at : (before?.hearsAt ?? Number.NEGATIVE_INFINITY) };
  return { ...state, seq: state.seq + 1, heard: { ...state.heard, [view.id]: heard } };
}

/**
 * Another server serves as primary, and hears this arbiter: it can ask itself if it needs to. Right after a start nobody was heard
 * yet, so that a standby waits a moment.
 */
function prefersAnother(
  { heard, startedAt, patienceMs }: ArbiterState,
  asker: ServerId,
  at: number,
): boolean {
  if (at - startedAt < patienceMs) return true;
  return Object.values(heard).some(
    ({ view, at: heardAt, hearsAt }) =>
      view.id !== asker &&
      view.role === 'primary' &&
      view.phase === 'running' &&
      view.handover === null &&
      at - heardAt < patienceMs &&
      at - hearsAt < patienceMs,
  );
}

/** What it answers. */
export function arbiterView({ id, version, incarnation, seq, cell, heard }: ArbiterState): ArbiterView {
  const echoes: Record<ServerId, Echo> = {};
  for (const { view } of Object.values(heard))
    echoes[view.id] = { incarnation: view.incarnation, seq: view.seq };
  return { id, version, incarnation, seq, cell, echoes };
}
