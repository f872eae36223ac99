/**
 * What comes next in a rolling update, from the order, the rows and the roles as they are: no sequence is stored. The sheet is this function
 * played to its end. In: a situation. Out: the next move, or the whole sheet. Pure.
 */
import type { Order } from './order.ts';
import {
  type Done,
  emptyRow,
  isBegun,
  isFinished,
  openSteps,
  type Row,
  type RowStep,
  type ServerState,
  type Step,
} from './row.ts';

export interface Situation {
  readonly order: Order;
  readonly rows: ReadonlyMap<string, Row>;
  readonly primary: string;
  /** Servers in maintenance, by whomever. */
  readonly out: ReadonlySet<string>;
  readonly away: ReadonlySet<string>;
  /** Servers that were primary and have not been rebuilt since. */
  readonly held: ReadonlySet<string>;
  /** Servers that may become primary, by the inventory. */
  readonly able: ReadonlySet<string>;
}

export type Move =
  | { readonly kind: 'work'; readonly server: string; readonly step: RowStep }
  /** `server` gives the role to `to`. */
  | { readonly kind: 'switch' | 'home'; readonly server: string; readonly to: string };

export const stepOf = (move: Move): Step => (move.kind === 'work' ? move.step : move.kind);

export const rowOf = ({ rows, order }: Situation, name: string): Row => rows.get(name) ?? emptyRow(order.id);

/** Nothing: all is done, or nobody can take over from a primary that is left. */
export function nextMove(situation: Situation): Move | undefined {
  const { order, primary } = situation;
  const names = order.servers.map(({ name }) => name);
  const begun = names.find((name) => isBegun(order, rowOf(situation, name), name));
  const open = begun ?? firstOpen(situation, names);
  if (open !== undefined) {
    const [step] = openSteps(order, rowOf(situation, open), open);
    // A primary has no step but the last look: whoever came back may have been made primary since.
    if (step !== undefined && (open !== primary || step === 'check'))
      return { kind: 'work', server: open, step };
    const to = heir(situation, names);
    return to === undefined ? undefined : { kind: 'switch', server: primary, to };
  }
  return homeward(situation);
}

/** Standbys before the primary. */
function firstOpen(situation: Situation, names: readonly string[]): string | undefined {
  const { order, primary } = situation;
  const open = names.filter((name) => !isFinished(order, rowOf(situation, name), name));
  return open.find((name) => name !== primary) ?? open[0];
}

/** A standby that the work is done on. */
function heir(situation: Situation, names: readonly string[]): string | undefined {
  const { order, primary, out, away, held, able } = situation;
  const done = names.filter(
    (name) =>
      able.has(name) &&
      name !== primary &&
      !out.has(name) &&
      !away.has(name) &&
      !held.has(name) &&
      isFinished(order, rowOf(situation, name), name) &&
      !rowOf(situation, name).skipped,
  );
  return done.find((name) => name === order.to) ?? done[0];
}

/** Whatever stands in its way ends the update all the same. */
function homeward(situation: Situation): Move | undefined {
  const { order, primary, out, away, held } = situation;
  const { home } = order;
  if (home === null || home === primary || rowOf(situation, home).skipped) return undefined;
  if ([out, away, held].some((names) => names.has(home))) return undefined;
  return { kind: 'home', server: primary, to: home };
}

/** What every server is once the move is made. */
export function statesDuring(situation: Situation, move: Move): Readonly<Record<string, ServerState>> {
  const { order, primary, out, away, held } = situation;
  const isOut = (name: string): boolean =>
    (out.has(name) || (move.kind === 'work' && move.server === name && move.step === 'out')) &&
    !(move.kind === 'work' && move.server === name && move.step === 'back');
  const now = move.kind === 'work' ? primary : move.to;
  const stateOf = (name: string): ServerState => {
    if (name === now) return 'primary';
    if (isOut(name)) return 'out';
    if (away.has(name)) return 'away';
    return held.has(name) ? 'held' : 'standby';
  };
  return Object.fromEntries([...order.servers].map(({ name }) => [name, stateOf(name)]));
}

/** The situation once the move is made. */
export function after(
  situation: Situation,
  move: Move,
  done: Omit<Done, 'step' | 'at' | 'states'>,
): Situation {
  const { rows } = situation;
  const at = 1 + Math.max(0, ...[...rows.values()].flatMap((row) => row.done.map((one) => one.at)));
  const row = rowOf(situation, move.server);
  const entry: Done = { step: stepOf(move), at, states: statesDuring(situation, move), ...done };
  const changed = new Map(rows).set(move.server, { ...row, done: [...row.done, entry] });
  const out = new Set(situation.out);
  if (move.kind === 'work' && move.step === 'out') out.add(move.server);
  if (move.kind === 'work' && move.step === 'back') out.delete(move.server);
  return { ...situation, rows: changed, out, ...(move.kind === 'work' ? {} : { primary: move.to }) };
}

export interface SheetRow {
  readonly move: Move;
  readonly states: Readonly<Record<string, ServerState>>;
  readonly state: 'done' | 'open';
  readonly done?: Done;
}

/** What was done, in its order, and what is left if nothing comes in between. */
export function sheet(situation: Situation): readonly SheetRow[] {
  return [...doneRows(situation), ...openRows(situation)];
}

function doneRows({ rows }: Situation): readonly SheetRow[] {
  const all = [...rows].flatMap(([server, row]) => row.done.map((done) => ({ server, done })));
  return all
    .sort((a, b) => a.done.at - b.done.at)
    .map(({ server, done }) => ({ move: moveOf(server, done), states: done.states, state: 'done', done }));
}

function moveOf(server: string, { step, states }: Done): Move {
  if (step !== 'switch' && step !== 'home') return { kind: 'work', server, step };
  const to = Object.keys(states).find((name) => states[name] === 'primary') ?? '';
  return { kind: step, server, to };
}

/** More moves than any order can have: the sheet of a defect of ours must end, too. */
const longestSheet = 2000;

function openRows(situation: Situation): readonly SheetRow[] {
  const found: SheetRow[] = [];
  let current = situation;
  for (let move = nextMove(current); move && found.length < longestSheet; move = nextMove(current)) {
    found.push({ move, states: statesDuring(current, move), state: 'open' });
    current = after(current, move, { began: '', ms: 0 });
  }
  return found;
}

/** Servers that the work was not done on, and no move is left for. */
export function leftOver(situation: Situation): readonly string[] {
  const { order } = situation;
  return order.servers
    .map(({ name }) => name)
    .filter((name) => rowOf(situation, name).skipped || !isFinished(order, rowOf(situation, name), name));
}
