/** What is written to the state file, and when: positions now and then, promises and decisions at once. Pure. */
import type { Action } from './action.ts';
import { type Decision, decided, log } from './decision.ts';
import { noPosition } from './servers.ts';
import { given, type Persisted, type State } from './state.ts';
import { isBound } from './term.ts';

const rewritePositionEveryMs = 60_000;
const sayUnsavedEveryMs = 60_000;

export type Record = Omit<Extract<Action, { kind: 'persist' }>, 'kind'>;

/**
 * The record to write now, or null when the last one still says what must not be forgotten. A position may be written late,
 * and a controller on its way out takes nothing upon itself that it would have to remember.
 */
export function toPersist(state: State): Record | null {
  if (state.boot.kind === 'new') return null;
  const { persisted: last } = state;
  const persisted = current(state);
  if (last === null || !saysTheSame(last, persisted)) {
    const excused = state.stop !== null || declinesUnwritten(state, last, persisted);
    return { persisted, must: !excused || bindsOthers(last, persisted) };
  }
  const old = last.lsn !== persisted.lsn && state.wall - last.wroteWall >= rewritePositionEveryMs;
  return old ? { persisted, must: false } : null;
}

/**
 * A handover is declined because nothing can be written. The giver has to hear that; what the file says still goes on only with a new word of the
 * giver (`resumeTakeover`).
 */
function declinesUnwritten({ place }: State, last: Persisted | null, now: Persisted): boolean {
  const over = last?.takeover?.kind === 'handover' && now.takeover === null && now.role === 'standby';
  return place !== null && over && saysTheSame({ ...last, takeover: null }, now);
}

/** A cell, a vote, and a promise that names a register are what others act upon, whatever this controller does next. */
const bindsOthers = (last: Persisted | null, { cell, vote, sync }: Persisted): boolean =>
  !equal(last?.cell, cell) || !equal(last?.vote, vote) || (isBound(sync) && !equal(last?.sync, sync));

/** The state file could not be written; it is said now and then, as long as it lasts. */
export function onPersistFailed(state: State, why: string): Decision {
  const { unsaved } = state;
  const saidLately = unsaved !== null && state.now - unsaved.saidAt < sayUnsavedEveryMs;
  const failed = { since: unsaved?.since ?? state.now, why, saidAt: saidLately ? unsaved.saidAt : state.now };
  return decided({ ...state, unsaved: failed }, ...(saidLately ? [] : [log('MCA01027', { why })]));
}

/** In words, of this server. */
export const unwritten = ({ self }: State, why: string): string =>
  `${self.id} can write down nothing that it decides (${why})`;

/** It is told before anything has to be written, so that nobody counts on this server for what it could not remember. */
export function onPlaceLost(state: State, why: string): Decision {
  const news = state.place === null ? [log('MCA01155', { why })] : [];
  return decided({ ...state, place: why }, ...news);
}

export const onPlaceBack = (state: State): Decision =>
  decided({ ...state, place: null }, ...(state.place === null ? [] : [log('MCA01156')]));

/** The event whose record could not be written is handed in again: if this decision counts, its record was written. */
export function onRetry(state: State): Decision {
  if (!state.unsaved) return decided(state);
  const seconds = ((state.now - state.unsaved.since) / 1000).toFixed(1);
  return decided({ ...state, unsaved: null }, log('MCA01080', { seconds }));
}

function current(state: State): Persisted {
  const { own, persisted: last } = state;
  return {
    role: own.role,
    timeline: own.report?.timeline ?? ownTimeline(state) ?? last?.timeline ?? 0,
    lsn: own.report?.lsn ?? last?.lsn ?? noPosition,
    systemId: own.report?.systemId ?? last?.systemId ?? '',
    failover: state.failover,
    degraded: state.degraded,
    sync: state.sync,
    ...(state.sync === null && state.forgotten ? { forgotten: true } : {}),
    handover: given(state),
    takeover: state.takeover,
    yield: state.yield,
    unhitched: state.unhitched,
    parked: state.parked,
    withdrawn: state.withdrawn,
    suspects: state.suspects,
    origins: state.origins,
    cell: state.cell ?? null,
    vote: state.vote ?? null,
    ...(state.lineages ? { lineages: state.lineages } : {}),
    grantedMs: state.grantedMs,
    ...(state.maintenance ? { maintenance: state.maintenance } : {}),
    wroteWall: state.wall,
  };
}

/** Right after a promotion there is no report yet, but the timeline is known. */
const ownTimeline = (state: State): number | undefined =>
  state.own.role === 'primary' && state.sync?.primary === state.self.id ? state.sync.timeline : undefined;

/** True when only the position and the time differ, which may be written later. */
function saysTheSame(last: Persisted, now: Persisted): boolean {
  for (const field in now) {
    const key = field as keyof Persisted;
    if (key !== 'lsn' && key !== 'wroteWall' && !equal(last[key], now[key])) return false;
  }
  return true;
}

/** Values are plain data that is replaced and never changed, so most comparisons end with the identity. */
const equal = (one: unknown, other: unknown): boolean =>
  one === other || JSON.stringify(one ?? null) === JSON.stringify(other ?? null);
