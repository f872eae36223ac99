/**
 * Two servers that take writes: which of them holds more of what was acknowledged, as far as that shows. A higher timeline says
 * nothing about it. In: observations of both. Out: a reason and an advice; it names neither without evidence. Pure.
 */

import { foreignData } from './advice.ts';
import { lsnValue, megabytes } from './names.ts';
import { ctl, type Observation, type Obstacle } from './obstacle.ts';
import { bytesAhead } from './servers.ts';
import type { State } from './state.ts';
import type { InstanceReport, ServerId } from './view.ts';

/** What a switch of the WAL file writes without a single commit. */
const paddingBytes = 16 * 1024 ** 2;

interface Holding {
  readonly id: ServerId;
  readonly bytes: number;
  readonly nextXid: number;
  /** Commits wait for a standby that does not confirm, so that the newest are acknowledged to nobody. */
  readonly waits: boolean;
}

/** `undecided`: servers that may still become primary; until that is known nobody is stopped. */
export function split(
  state: State,
  one: Observation,
  other: Observation,
  undecided: readonly ServerId[],
): Obstacle {
  const line = ({ id, view }: Observation): string => `${id} on timeline ${view?.lastTimeline ?? 0}`;
  const reason = `${one.id} and ${other.id} are both primary (${line(one)}, ${line(other)})`;
  if (undecided.length > 0) {
    const advice = `stop the clients; wait until ${undecided.join(', ')} has become primary, or has not`;
    return { reason, advice };
  }
  const [ours, theirs] = [one.view?.report?.systemId, other.view?.report?.systemId];
  if (ours && theirs && ours !== theirs) {
    const found = `${one.id} and ${other.id} are of two clusters (system identifiers ${ours} and ${theirs})`;
    return { reason: `${reason}; ${found}`, advice: foreignData(`${one.id} and ${other.id}`) };
  }
  return {
    reason,
    advice: `stop the clients; keep copies of the data of both; ${further(state, one, other)}`,
  };
}

function further(state: State, one: Observation, other: Observation): string {
  const found = compare(one, other);
  if (!found) return `it does not show which of them holds more: ${findOut}`;
  const [first, second] = found.holdings;
  const facts = `since their histories parted at ${found.partedAt}: ${words(first)}, ${words(second)}`;
  const keeper = holdsMore(first, second);
  if (!keeper) return `${facts}; that does not tell which of them holds more: ${findOut}`;
  const left = keeper === first ? second.id : first.id;
  const count = Math.abs(first.nextXid - second.nextXid);
  const more = `${keeper.id} holds more of what was acknowledged (${count} more transactions)`;
  return `${facts}; ${more}; ${ctl(state, left, 'stop')}; bring over what only ${left} holds; then pgduet rebuild ${left}`;
}

const findOut =
  'compare select pg_current_snapshot() on both, and the newest rows that clients were told of; then mc_ctl stop on the one that holds less, bring over what only it holds, and pgduet rebuild it';

const words = ({ id, bytes, waits }: Holding): string =>
  `${id} has written ${megabytes(bytes)} ${waits ? '(its commits wait for a standby)' : '(it acknowledges)'}`;

function compare(
  one: Observation,
  other: Observation,
): { partedAt: string; holdings: readonly [Holding, Holding] } | null {
  const [a, b] = [one.view?.report, other.view?.report];
  const at = a && b ? partedAt(a, b) : null;
  if (!a || !b || at === null) return null;
  return { partedAt: at, holdings: [holding(one.id, a, at), holding(other.id, b, at)] };
}

const holding = (id: ServerId, report: InstanceReport, at: string): Holding => ({
  id,
  bytes: Math.max(0, bytesAhead(report.lsn, at)),
  nextXid: report.nextXid ?? Number.NaN,
  waits: report.synchronousStandbyNames !== '' && !report.senders.some(confirms),
});

const confirms = ({ syncState }: InstanceReport['senders'][number]): boolean =>
  syncState === 'sync' || syncState === 'quorum';

/**
 * Both counted on from the same number, so that whoever is further has run more transactions. Whose commits wait may have acknowledged
 * none of them, and WAL that speaks clearly for the other one is a contradiction.
 */
function holdsMore(one: Holding, other: Holding): Holding | null {
  if (!(Math.abs(one.nextXid - other.nextXid) > 0)) return null;
  const [more, less] = one.nextXid > other.nextXid ? [one, other] : [other, one];
  return more.waits || less.bytes - more.bytes > paddingBytes ? null : more;
}

/** Where two histories part; null where that does not show, as when both are on the same timeline. */
export function partedAt(one: InstanceReport, other: InstanceReport): string | null {
  if (one.systemId !== other.systemId || !one.history || !other.history) return null;
  const theirs = new Map(ends(other).map((it) => [it.timeline, it.endsAt]));
  let shared: string | null = null;
  for (const { timeline, endsAt } of ends(one)) {
    const end = theirs.get(timeline);
    if (end === undefined && shared !== null) return shared;
    if (end === undefined) continue;
    if (end !== endsAt) return earlier(end, endsAt);
    shared = endsAt;
  }
  return null;
}

/** The timelines of a server in order, with the present one, which has no end. */
const ends = ({ history = [], timeline }: InstanceReport) => [...history, { timeline, endsAt: null }];

function earlier(one: string | null, other: string | null): string | null {
  if (one === null || other === null) return one ?? other;
  return lsnValue(one) <= lsnValue(other) ? one : other;
}
