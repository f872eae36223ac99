/**
 * Whose word acknowledges commits: the names in force and the rows of pg_stat_replication, beside the servers of the
 * cluster. The server knows a standby by nothing but its name, so that a receiver of somebody else can stand for it.
 * In: a state and a report. Out: rows, names, addresses, strangers. It decides nothing. Pure.
 */
import { type Names, parseNames, sameName } from '../../postgres/standby-names.ts';
import { dutyOf, isAsynchronous } from './duty.ts';
import { isMaintained } from './maintenance.ts';
import { lsnValue } from './names.ts';
import { isHeard } from './servers.ts';
import type { State } from './state.ts';
import type { InstanceReport, Sender, ServerId, Stranger } from './view.ts';

/** A row in one of these states confirms commits, or will in a moment. */
const counting = ['streaming', 'catchup', 'stopping'];
const counts = (row: Sender): boolean => counting.includes(row.state);

const rowsOf = (report: InstanceReport, id: ServerId): Sender[] =>
  report.senders.filter((row) => sameName(row.name, id));

/** The row of a server; none while several receivers use its name. */
export function rowOf(report: InstanceReport, id: ServerId): Sender | undefined {
  const rows = rowsOf(report, id);
  const [first, second] = rows.length > 1 ? rows.filter(counts) : rows;
  return second ? undefined : first;
}

/** Where the WAL ends that a receiver has confirmed. */
const confirmedBy = (report: InstanceReport, row: Sender): number => lsnValue(report.lsn) - row.lagBytes;

/** The standby streams from this server, as far as the rows tell. */
export const streams = (state: State, id: ServerId): boolean =>
  state.own.report !== null && hasStream(state.own.report, id, state.strangers);

const hasStream = (report: InstanceReport, id: ServerId, strangers: readonly Stranger[]): boolean =>
  !strangers.some(({ kind, name }) => kind === 'row' && name === id) &&
  rowsOf(report, id).some((row) => row.state === 'streaming');

/**
 * It streams, and not only by a row of a stream that is cut, which stands until wal_sender_timeout: when that owes
 * something and has not moved since the last look, it is no sign of life.
 */
export function getsOn(
  last: InstanceReport | null,
  report: InstanceReport,
  id: ServerId,
  strangers: readonly Stranger[],
): boolean {
  if (!hasStream(report, id, strangers)) return false;
  const before = last ? rowsOf(last, id) : [];
  const rows = rowsOf(report, id);
  if (!last || before.length !== rows.length) return true;
  return rows.some(
    (row, index) =>
      row.lagBytes === 0 || confirmedBy(report, row) !== confirmedBy(last, before[index] ?? row),
  );
}

/** The names in force that are servers of the cluster, by their identifiers, and those that are not. */
export interface InForce extends Names {
  readonly foreign: readonly string[];
}

/** A foreign name may be the one that confirms, so that `needed` says how many of `ids` it takes in any case. */
export function namesInForce(state: State, report: InstanceReport): InForce {
  const names = parseNames(report.synchronousStandbyNames);
  const peers = Object.keys(state.peers);
  const ids = peers.filter((id) => names.ids.some((name) => sameName(name, id)));
  ids.sort((one, other) => placeOf(names, one) - placeOf(names, other));
  const foreign = names.ids.filter((name) => !peers.some((id) => sameName(name, id)));
  return { ids, foreign, needed: Math.max(0, names.needed - foreign.length) };
}

const placeOf = (names: Names, id: ServerId): number => names.ids.findIndex((name) => sameName(name, id));

/** Log transfer addresses of servers, as a primary sees them; none of a name whose row may be another one's. */
export function addressesIn(
  report: InstanceReport,
  ids: readonly ServerId[],
  strangers: readonly Stranger[],
): Readonly<Record<ServerId, string>> {
  const known = ids.flatMap((id) => {
    const row = strangers.some(({ name }) => name === id) ? undefined : rowOf(report, id);
    return row ? [[id, row.address] as const] : [];
  });
  return Object.fromEntries(known);
}

/** By what commits may be acknowledged that no standby of the cluster has. */
export function findStrangers(state: State, report: InstanceReport): Stranger[] {
  const foreign = namesInForce(state, report).foreign.map((name) => ({ kind: 'name', name }) as const);
  return [...foreign, ...Object.keys(state.peers).flatMap((id) => strangeRows(state, report, id))];
}

function strangeRows(state: State, report: InstanceReport, id: ServerId): Stranger[] {
  const rows = rowsOf(report, id).filter(counts);
  const isNamed = namesInForce(state, report).ids.includes(id);
  // What its receivers confirm acknowledges nothing, and nobody is to wait for it.
  if (!isNamed && (isAsynchronous(dutyOf(state.peers[id]?.view)) || isMaintained(state, id))) return [];
  if (rows.length > 1) return [{ kind: 'rows', name: id }];
  const peer = state.peers[id];
  const isForeign = isOthers(report, peer?.view?.report, rows);
  if (isForeign && isHeard(peer)) return [{ kind: 'row', name: id }];
  const confirms = rows.length > 0 && isNamed;
  return confirms && (isForeign || state.suspects.includes(id)) ? [{ kind: 'suspect', name: id }] : [];
}

/** The standby said last that it receives nothing, and yet its name has confirmed more than it holds. */
function isOthers(
  report: InstanceReport,
  theirs: InstanceReport | null | undefined,
  rows: readonly Sender[],
): boolean {
  if (!theirs || theirs.receiver === 'streaming') return false;
  return rows.some((row) => confirmedBy(report, row) > lsnValue(theirs.lsn));
}

/** From where the only receiver of each name comes. */
export function originsIn(report: InstanceReport, ids: readonly ServerId[]): Record<ServerId, string> {
  const only = ids.flatMap((id) => {
    const row = rowOf(report, id);
    return row && counts(row) ? [[id, row.address] as const] : [];
  });
  return Object.fromEntries(only);
}
