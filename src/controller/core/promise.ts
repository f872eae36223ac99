/**
 * The promise of a primary about its commits: how it gets newer, who knows it, and who may still believe in an earlier one.
 * In: a state. Out: the state with another promise. Pure. docs/adr/0005-who-may-acknowledge.md has the reasons.
 */
import { isMaintained } from './maintenance.ts';
import { isDoubtful } from './pause.ts';
import { isPromoting } from './servers.ts';
import type { State } from './state.ts';
import { holdsTerm, isBound, termOf } from './term.ts';
import type { ServerId, ServerView, SyncSet, Takeover } from './view.ts';

/** The epoch of a promise that could not be told yet, so that nobody confirms it: an epoch that is never reached. */
export const notToldYet = Number.MAX_SAFE_INTEGER;

/** A new promise. Its epoch makes it newer than every one before. */
export function promise(state: State, change: Partial<SyncSet>): State {
  const before = state.sync ?? nothingPromised(state);
  const sync: SyncSet = { ...before, ...change, epoch: before.epoch + 1 };
  return { ...state, sync, withdrawn: withdrawnBy(state, before, sync) };
}

/** Who may take over no more may still believe that it may, until it is heard that it knows. */
function withdrawnBy(state: State, before: SyncSet, after: SyncSet): State['withdrawn'] {
  if (before.primary !== state.self.id || before.timeline !== after.timeline) return {};
  // Who believes in the term before has to ask the register for it, and that has given it away.
  if (termOf(before) !== termOf(after)) return {};
  const open = Object.entries(state.withdrawn).filter(([id]) => !after.eligible.includes(id));
  const news = before.eligible.filter((id) => !after.eligible.includes(id));
  if (news.length === 0 && open.length === Object.keys(state.withdrawn).length) return state.withdrawn;
  const all = { ...Object.fromEntries(open), ...Object.fromEntries(news.map((id) => [id, after.epoch])) };
  return ofCluster(all, state.peers);
}

/**
 * A standby has told that it knows the promise by which it may not take over. Who has taken over, or does so, confirms nothing. Who was primary
 * before this promise's timeline, and is no standby since, was never told anything on it.
 */
export function confirmedBy(state: State, id: ServerId, view: ServerView): State {
  const { sync, role, takeover } = view;
  const epoch = state.withdrawn[id];
  if (epoch === undefined || takeover) return state;
  if (wasBefore(state, view)) return { ...state, withdrawn: without(state.withdrawn, [id]) };
  if (role !== 'standby') return state;
  if (sync?.primary !== state.self.id || sync.timeline !== state.sync?.timeline) return state;
  return sync.epoch >= epoch ? { ...state, withdrawn: without(state.withdrawn, [id]) } : state;
}

/** Zero where its record is lost, too: then it cannot say. */
const wasBefore = ({ sync, self }: State, { role, lastTimeline }: ServerView): boolean =>
  sync?.primary === self.id && role === 'primary' && lastTimeline > 0 && lastTimeline < sync.timeline;

export const without = <T>(
  all: Readonly<Record<ServerId, T>>,
  ids: readonly ServerId[],
): Record<ServerId, T> => Object.fromEntries(Object.entries(all).filter(([id]) => !ids.includes(id)));

/** Who is no server of the cluster any more, as a person has said, has nothing to confirm. */
export const ofCluster = (withdrawn: State['withdrawn'], peers: State['peers']): State['withdrawn'] =>
  Object.fromEntries(Object.entries(withdrawn).filter(([id]) => peers[id] !== undefined));

function nothingPromised(state: State): SyncSet {
  const timeline = state.own.report?.timeline ?? 0;
  const none = { members: [], eligible: [], voters: [], needed: 0 };
  return { primary: state.self.id, timeline, epoch: 0, ...none };
}

export const isNewer = (one: SyncSet, other: SyncSet | null): boolean =>
  other === null ||
  one.timeline > other.timeline ||
  (one.timeline === other.timeline && one.epoch >= other.epoch);

/** An epoch is used once, but for a primary that has lost its state file: then the words decide. */
const isSame = (one: SyncSet, other: SyncSet | null): boolean =>
  other?.primary === one.primary && JSON.stringify(other) === JSON.stringify(one);

/** A standby takes over what its primary promises; a promise that was overtaken on its way counts for nothing. */
export function learn(state: State, view: ServerView): State {
  const { sync } = view;
  // Who is being promoted has nobody's promise any more, and confirms none.
  if (isPromoting(state) || isMaintained(state, view.id)) return state;
  if (state.own.role === 'primary' || !sync || sync.primary !== view.id || view.role !== 'primary')
    return state;
  if (!isNewer(sync, state.sync)) return state;
  // What was sent before a pause of this process says nothing about what was promised during it.
  const confirmed = !isDoubtful(state, view.id);
  // The same promise, heard again with every heartbeat, is no news; telling it on would never end.
  if (state.confirmed === confirmed && isSame(sync, state.sync)) return state;
  const moved = state.sync !== null && state.sync.primary !== sync.primary;
  return { ...state, sync, confirmed, refused: null, unhitched: state.unhitched || moved };
}

/** It may take over, or may believe so. */
export const mayBelieve = (state: State, id: ServerId): boolean =>
  state.sync?.eligible.includes(id) === true || state.withdrawn[id] !== undefined;

/** A peer has written down the promise that is in force. */
export const knows = (state: State, view: ServerView): boolean =>
  state.sync !== null &&
  view.sync?.primary === state.self.id &&
  view.sync.timeline === state.sync.timeline &&
  view.sync.epoch >= state.sync.epoch;

/**
 * The timeline that the promotion of a takeover begins. A standby whose receiver was cut tells that of its last checkpoint, which may be an earlier one: it was
 * on that of the promise by which it takes over. Where a person has forced it nobody knows whether it had come so far.
 */
export const begunTimeline = ({ sync }: State, takeover: Takeover | null, seen: number): number =>
  (takeover === null || takeover.kind === 'force' ? seen : Math.max(seen, sync?.timeline ?? 0)) + 1;

/**
 * What a server promises first after it has become primary: nobody but itself holds what it acknowledges. In the next term, if
 * the register has given it the one before; in the same, if the role was handed to it. A takeover without either, which a
 * person has forced, is bound to no register.
 */
export function firstPromise(state: State, takeover: Takeover | null, timeline: number): SyncSet {
  const { sync, self } = state;
  const members = state.servers.map((line) => line.id).filter((id) => id !== self.id);
  const own = { primary: self.id, timeline, epoch: (sync?.epoch ?? 0) + 1 };
  const nobody: SyncSet = { ...own, members, eligible: [], voters: [], needed: 0 };
  if (!sync || !isBound(sync)) return nobody;
  if (holdsTerm(state)) return { ...nobody, term: termOf(sync) + 1, cells: sync.cells };
  return takeover?.kind === 'handover'
    ? { ...nobody, term: termOf(sync), cells: sync.cells }
    : { ...nobody, term: termOf(sync) };
}
