/**
 * Standbys that have much WAL yet to replay. Commits do not wait for that, but a takeover does: the new primary takes writes
 * only when it has replayed everything. In: a state with a new report. Out: who is late, and a message when that begins
 * and when it is over. Nothing else follows from it. Pure.
 */
import { type Decision, decided, log } from './decision.ts';
import { sameIds } from './names.ts';
import { rowOf } from './rows.ts';
import type { State } from './state.ts';

const bytesPerMegabyte = 1024 ** 2;

/** Called with every answer of the instance. Half of the limit ends it, so that a lag at the limit is not said all the time. */
export function watchLag(state: State): Decision {
  const limit = state.conf.replayLagWarningBytes;
  const { role, report } = state.own;
  const ids = role === 'primary' && report ? Object.keys(state.peers) : [];
  const rows = ids.flatMap((name) => {
    const row = report ? rowOf(report, name) : undefined;
    return row ? [{ ...row, name }] : [];
  });
  const late = rows.filter(({ name, replayLagBytes = 0 }) => {
    const most = state.lagging.includes(name) ? limit / 2 : limit;
    return limit > 0 && replayLagBytes > most;
  });
  const lagging = late.map(({ name }) => name);
  if (sameIds(lagging, state.lagging)) return decided(state);
  const begun = late.filter(({ name }) => !state.lagging.includes(name));
  // A standby without a row is away, which is another matter.
  const over = rows.filter(({ name }) => state.lagging.includes(name) && !lagging.includes(name));
  return decided(
    { ...state, lagging },
    ...begun.map(({ name, replayLagBytes = 0 }) =>
      log('MCA01074', { server: name, megabytes: String(Math.round(replayLagBytes / bytesPerMegabyte)) }),
    ),
    ...over.map(({ name }) => log('MCA01075', { server: name })),
  );
}
