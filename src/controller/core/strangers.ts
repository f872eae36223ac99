/**
 * Names and receivers by which commits may be acknowledged although no standby of the cluster has them. While there is one,
 * nobody may take over; it is said when that begins and when it is over. In: a state with a report of the primary. Pure.
 */
import { type Decision, decided, log } from './decision.ts';
import { findStrangers } from './rows.ts';
import type { State } from './state.ts';
import type { Stranger } from './view.ts';

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
  }
}
