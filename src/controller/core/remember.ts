/** What is written to the state file, and when: positions now and then, promises and decisions at once. Pure. */
import { type Decision, decided, log } from './decision.ts';
import { noPosition } from './servers.ts';
import { given, type Persisted, type State } from './state.ts';

const rewritePositionEveryMs = 60_000;
const sayUnsavedEveryMs = 60_000;

/** The state to persist now, or null when the last one still says what must not be forgotten. */
export function toPersist(state: State): Persisted | null {
  if (state.boot.kind === 'new') return null;
  // What could not be written is tried again with the next event, never in answer to the failure itself.
  if (state.unsavedAt >= 0) return state.unsavedAt === state.now ? null : current(state);
  const { persisted: last } = state;
  const now = current(state);
  if (last === null || !saysTheSame(last, now)) return now;
  const old = last.lsn !== now.lsn && state.wall - last.wroteWall >= rewritePositionEveryMs;
  return old ? now : null;
}

/** The state file could not be written; it is said now and then, as long as it lasts. */
export function onPersistFailed(state: State, why: string): Decision {
  const said = state.unsavedSaidAt >= 0 && state.now - state.unsavedSaidAt < sayUnsavedEveryMs;
  const failed = { ...state, unsavedAt: state.now };
  return said ? decided(failed) : decided({ ...failed, unsavedSaidAt: state.now }, log('MCA01027', { why }));
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
