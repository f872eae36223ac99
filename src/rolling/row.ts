/**
 * The row of a server in a rolling update: which steps are done there. It stands on the host of that server alone, so that it goes back with
 * the host where a snapshot is put back. In: an order, the text of a file. Out: rows. Pure.
 */
import type { Order } from './order.ts';

/** The steps of one server, in their order. `fetch` comes before anything changes for the others. */
export const rowSteps = [
  'fetch',
  'out',
  'stop',
  'packages',
  'run',
  'command',
  'reboot',
  'pause',
  'proof',
  'back',
  'check',
] as const;
export type RowStep = (typeof rowSteps)[number];
/** `switch` and `home` stand in the row of the server that has given the role away. */
export type Step = RowStep | 'switch' | 'home';

/** `held`: it was primary, and a person has to rebuild it. */
export type ServerState = 'primary' | 'standby' | 'out' | 'away' | 'held';

export interface Done {
  readonly step: Step;
  /** Counts through all rows: the order in which things were done. */
  readonly at: number;
  /** ISO 8601. */
  readonly began: string;
  readonly ms: number;
  /** What every server was when it was done. */
  readonly states: Readonly<Record<string, ServerState>>;
  /** What was seen: versions, how it came back. */
  readonly seen?: string;
  /** It was done, and does not hold any more: it stays in the sheet, and is done again. */
  readonly undone?: true;
}

export interface Row {
  readonly id: string;
  readonly done: readonly Done[];
  /** Nothing more is done on it in this update; it stays as it is. */
  readonly skipped?: true;
  /** A person was told that it is his turn; only then going on means that the work is done. */
  readonly asked?: true;
  /** The boot of the host behind its last work; another one is the proof of a reboot. */
  readonly boot?: string;
  /** Where data and WAL were mounted before the work. */
  readonly mounts?: string;
}

export const emptyRow = (id: string): Row => ({ id, done: [] });

export const rowText = (row: Row): string => `${JSON.stringify(row, null, 1)}\n`;

/** The row of this order; empty where the file is that of another one, or cannot be understood: then everything is looked at. */
export function parseRow(text: string, id: string): Row {
  try {
    const value = JSON.parse(text) as Partial<Row> | null;
    if (value?.id === id && Array.isArray(value.done)) return value as Row;
  } catch {
    // Nothing is known to be done.
  }
  return emptyRow(id);
}

/** The steps that a server has in this order; none where nothing is asked for it. */
export function stepsOf({ work }: Order, name: string): readonly RowStep[] {
  const asked = {
    packages: work.packages?.[name] !== undefined,
    run: work.run !== undefined,
    command: work.command !== undefined,
    reboot: work.reboot,
    pause: work.pause,
  };
  if (!Object.values(asked).includes(true)) return [];
  const isAsked: Readonly<Record<RowStep, boolean>> = {
    ...asked,
    fetch: asked.packages,
    out: true,
    // Its programs are replaced, or its host goes down.
    stop: asked.packages || asked.reboot,
    proof: true,
    back: true,
    check: true,
  };
  return rowSteps.filter((step) => isAsked[step]);
}

export const isDone = (row: Row, step: Step): boolean =>
  row.done.some((one) => one.step === step && !one.undone);

export const openSteps = (order: Order, row: Row, name: string): readonly RowStep[] =>
  stepsOf(order, name).filter((step) => !isDone(row, step));

/** It was taken out, or is about to be, and is not back and checked. */
export const isBegun = (order: Order, row: Row, name: string): boolean =>
  !row.skipped && isDone(row, 'out') && openSteps(order, row, name).length > 0;

export const isFinished = (order: Order, row: Row, name: string): boolean =>
  row.skipped === true || openSteps(order, row, name).length === 0;

/** Taken back: the server is not out any more although its row says so, or the other way round. */
export function asSeen(row: Row, isOut: boolean): Row {
  const wasOut = isDone(row, 'out') && !isDone(row, 'back');
  if (!wasOut || isOut) return row;
  const { asked: _, ...kept } = row;
  const holds = ({ step }: Done): boolean => step !== 'out' && step !== 'stop' && step !== 'proof';
  return { ...kept, done: row.done.map((one) => (holds(one) ? one : { ...one, undone: true as const })) };
}
