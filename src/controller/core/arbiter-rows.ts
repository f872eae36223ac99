/** What `mc_ctl status --arbiter` shows. In: a state. Out: plain data and text. Pure. */
import type { State } from './state.ts';
import { tableLines } from './table.ts';
import { hearsArbiter } from './term.ts';

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

/** The layout that operators know, then a line for each that is offline. */
export function renderArbiters(rows: readonly ArbiterRow[]): string {
  const lines = tableLines(
    ['arbiter_id', 'host', 'status'],
    rows.map(({ id, host, status }) => [id, host, status]),
  );
  const why = rows.flatMap(({ id, why }) => (why === null ? [] : [`why: ${id} is not heard: ${why}`]));
  return `${[...lines, ...why].join('\n')}\n`;
}
