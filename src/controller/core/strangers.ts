/**
 * Names and receivers by which commits may be acknowledged although no standby of the cluster has them. While there is one,
 * nobody may take over; it is said when that begins and when it is over. A receiver that may be another one's stays suspect
 * until the standby itself says that it holds what was written since. In: a state with a report of the primary. Pure.
 */
import { type Decision, decided, log } from './decision.ts';
import { findStrangers, namesInForce, originsIn } from './rows.ts';
import type { State } from './state.ts';
import type { InstanceReport, ServerId, Stranger } from './view.ts';

/**
 * Called with every look of a primary, before it stands in the state. Which of several receivers has gone cannot be seen, nor
 * who comes from another address than before, or while a standby that received nothing is silent. An earlier proof is none
 * where commits wait for that name; another name joins as a suspect.
 */
export function suspect(state: State, report: InstanceReport): State {
  if (report.role !== 'primary') return state;
  const { suspects, strangers, origins: known } = state;
  const now = originsIn(report, Object.keys(state.peers));
  const news = Object.keys(now).filter((id) => now[id] !== known[id]);
  const seen: State = news.length > 0 ? { ...state, origins: { ...known, ...now } } : state;
  const { ids: named } = namesInForce(state, report);
  const moved = news.filter((id) => known[id] !== undefined);
  const found = findStrangers(state, report);
  const several = [...strangers, ...found].filter(({ kind }) => kind === 'rows');
  const silent = found.filter(({ kind, name }) => kind === 'suspect' && !suspects.includes(name));
  const more = [...moved, ...[...several, ...silent].map(({ name }) => name)];
  if (more.length === 0) return seen;
  const proving = more.some((id) => named.includes(id)) ? null : state.proving;
  return { ...seen, suspects: [...new Set([...suspects, ...more])], proving };
}

/** Whose proof comes next: a suspect is none any more before anybody is called eligible. */
export function toProve(state: State, ids: readonly ServerId[]): readonly ServerId[] {
  if (state.strangers.length === 0) return ids;
  if (state.strangers.some(({ kind }) => kind !== 'suspect')) return [];
  return ids.filter((id) => state.strangers.some(({ name }) => name === id));
}

/** The standby has shown that the receiver is its own. */
export const cleared = (state: State, id: ServerId): Decision =>
  watchStrangers({ ...state, suspects: state.suspects.filter((it) => it !== id) });

/** Called after every event, as long as this primary is in charge. */
export function watchStrangers(state: State): Decision {
  const { report } = state.own;
  if (!report) return decided(state);
  const strangers = findStrangers(state, report);
  const words = strangers.map(strangerWords).join('; ');
  if (words === state.strangers.map(strangerWords).join('; ')) return decided(state);
  const told = words === '' ? log('MCA01091') : log('MCA01090', { why: words });
  return decided({ ...state, strangers }, told);
}

export function strangerWords({ kind, name }: Stranger): string {
  switch (kind) {
    case 'name':
      return `synchronous_standby_names names ${name}, which is no standby of this cluster`;
    case 'rows':
      return `several receivers use the name ${name}`;
    case 'row':
      return `a receiver that is not ${name} uses its name`;
    case 'suspect':
      return `${name} has not shown yet that the receiver of its name is its own`;
  }
}
