/** What `mc_ctl status --arbiter` shows. In: a state. Out: plain data and text. Pure. */
import type { State } from './state.ts';
import { tableLines } from './table.ts';
import { hearsArbiter, registerAnswers, termOf } from './term.ts';

/** One arbiter of the status, in the form of `--json`. The names never change their meaning. */
export interface ArbiterRow {
  readonly id: string;
  readonly host: string;
  readonly port: number;
  readonly status: 'online' | 'offline';
  /** Why it is offline; null while it is online. */
  readonly why: string | null;
  /** The last term that it gave away, as it was last told, and to whom. */
  readonly term: number | null;
  readonly holder: string | null;
}

export const arbiterRows = (state: State): ArbiterRow[] =>
  Object.values(state.arbiters).map(({ line: { id, host, port }, view, why }) => {
    const online = hearsArbiter(state, id);
    return {
      id,
      host,
      port,
      status: online ? 'online' : 'offline',
      why: online ? null : why || 'it does not answer',
      term: view?.cell.term ?? null,
      holder: view?.cell.holder ?? null,
    };
  });

/** The register that the promise of the primary names, as this server was told it. */
export interface RegisterRow {
  readonly term: number;
  /** The arbiter, or the servers, in the order of their names. */
  readonly members: readonly string[];
  /** A majority of them is heard here, with the memory that the promise names. */
  readonly answers: boolean;
}

export function registerRow(state: State): RegisterRow | null {
  const { sync } = state;
  const members = (sync?.cells ?? []).map(({ at }) => at).sort();
  if (sync === null || members.length === 0) return null;
  return { term: termOf(sync), members, answers: registerAnswers(state) };
}

/** The layout that operators know, then a line for each that is offline. */
export function renderArbiters(rows: readonly ArbiterRow[]): string {
  const lines = tableLines(
    ['arbiter_id', 'host', 'status'],
    rows.map(({ id, host, status }) => [id, host, status]),
  );
  const why = rows.flatMap(({ id, why }) => (why === null ? [] : [`why: ${id} is not heard: ${why}`]));
  return `${[...lines, ...why].join('\n')}\n`;
}
