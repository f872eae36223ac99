/**
 * Who holds the commits: the primary's promise about synchronous_standby_names, how it changes, and how a standby comes
 * to know it. The rule of every change: it is persisted, then told to whoever relies on the promise, and only then made.
 * Pure. docs/adr/0005-who-may-acknowledge.md has the reasons.
 */
import { giveUpTimeMs } from '../config.ts';
import type { Action } from './action.ts';
import { andThen, type Decision, decided, log, replies } from './decision.ts';
import { lsnValue, sameIds } from './names.ts';
import { isDoubtful } from './pause.ts';
import { namesInForce, rowOf, streams } from './rows.ts';
import { heardPeers, isHeard, isInCharge, isPromoting, noPosition, takesOut } from './servers.ts';
import { askFences, believesGone, isFenced } from './silence.ts';
import type { Change, Peer, State } from './state.ts';
import { cleared, toProve, watchStrangers } from './strangers.ts';
import type { ServerId, ServerView, SyncSet } from './view.ts';

const retryAfterMs = 5000;
/** A report that was on its way while the names were changed must not count as somebody else's change. */
const namesSettleMs = 3000;

/** A new promise. Its epoch makes it newer than every one before. */
export function promise(state: State, change: Partial<SyncSet>): State {
  const before = state.sync ?? nothingPromised(state);
  const sync: SyncSet = { ...before, ...change, epoch: before.epoch + 1 };
  return { ...state, sync, withdrawn: withdrawnBy(state, before, sync) };
}

/** Who may take over no more may still believe that it may, until it is heard that it knows. */
function withdrawnBy(state: State, before: SyncSet, after: SyncSet): State['withdrawn'] {
  if (before.primary !== state.self.id || before.timeline !== after.timeline) return {};
  const open = Object.entries(state.withdrawn).filter(([id]) => !after.eligible.includes(id));
  const news = before.eligible.filter((id) => !after.eligible.includes(id));
  if (news.length === 0 && open.length === Object.keys(state.withdrawn).length) return state.withdrawn;
  return { ...Object.fromEntries(open), ...Object.fromEntries(news.map((id) => [id, after.epoch])) };
}

/** A standby has told that it knows the promise by which it may not take over. Who has taken over, or does so, confirms nothing. */
export function confirmedBy(state: State, id: ServerId, { sync, role, takeover }: ServerView): State {
  const epoch = state.withdrawn[id];
  if (epoch === undefined || role !== 'standby' || takeover) return state;
  if (sync?.primary !== state.self.id || sync.timeline !== state.sync?.timeline) return state;
  return sync.epoch >= epoch ? { ...state, withdrawn: without(state.withdrawn, [id]) } : state;
}

const without = <T>(all: Readonly<Record<ServerId, T>>, ids: readonly ServerId[]): Record<ServerId, T> =>
  Object.fromEntries(Object.entries(all).filter(([id]) => !ids.includes(id)));

export function nothingPromised(state: State): SyncSet {
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
  if (isPromoting(state)) return state;
  if (state.own.role === 'primary' || !sync || sync.primary !== view.id || view.role !== 'primary')
    return state;
  if (!isNewer(sync, state.sync)) return state;
  // What was sent before a pause of this process says nothing about what was promised during it.
  const confirmed = !isDoubtful(state, view.id);
  // The same promise, heard again with every heartbeat, is no news; telling it on would never end.
  if (state.confirmed === confirmed && isSame(sync, state.sync)) return state;
  const moved = state.sync !== null && state.sync.primary !== sync.primary;
  return { ...state, sync, confirmed, unhitched: state.unhitched || moved };
}

export function advanceSync(state: State): Decision {
  if (!isInCharge(state)) return decided(state);
  const watched = andThen(watchStrangers(recollect(adoptNames(state))), (it) => decided(withdraw(it)));
  return [goOn, fenceSilent, beginChange, prove].reduce(andThen, watched);
}

/** While somebody else may acknowledge commits, nobody is known to hold all of them. */
const withdraw = (state: State): State =>
  state.strangers.length > 0 && state.sync && state.sync.eligible.length > 0
    ? promise(state, { eligible: [] })
    : state;

/** Names that somebody else has put in force, as provisioning does, are taken over as they are. */
function adoptNames(state: State): State {
  const { report } = state.own;
  if (!report) return state;
  const { ids, needed } = namesInForce(state, report);
  const { sync } = state;
  if (!sync || sync.primary !== state.self.id || sync.timeline < report.timeline) {
    // After a takeover everybody else belongs to the names again; before the first standby nobody does yet.
    const others = Object.keys(state.peers).filter((id) => sync !== null || state.named.includes(id));
    const members = [...new Set([...ids, ...others])];
    const fresh = { members, eligible: [], voters: ids, needed };
    return promise(state, { primary: state.self.id, timeline: report.timeline, ...fresh });
  }
  const settling = state.namesSetAt >= 0 && state.now - state.namesSetAt < namesSettleMs;
  if (settling || (state.change && state.change.stage !== 'failed') || sameIds(ids, sync.voters))
    return state;
  // A change that has just failed, as it does under ALTER SYSTEM, is tried again later and not at once: the controller
  // would do nothing else any more, and its peers would take it for dead.
  const waits = state.change?.stage === 'failed' && state.now - state.change.at < retryAfterMs;
  return promise(
    { ...state, change: waits ? state.change : null },
    {
      members: [...new Set([...sync.members, ...ids])],
      eligible: sync.eligible.filter((id) => ids.includes(id)),
      voters: ids,
      needed,
    },
  );
}

/**
 * A primary whose state file was lost counts its promises from the beginning, while a standby still holds a later one: it
 * goes on behind that, or the standby would take every new promise for an old one and rely on the wrong one.
 */
function recollect(state: State): State {
  const { sync } = state;
  if (!sync) return state;
  const told = heardPeers(state).flatMap(({ view: { sync: theirs } }) => {
    const ours = theirs?.primary === state.self.id && theirs.timeline === sync.timeline;
    return ours && theirs.epoch > sync.epoch ? [theirs] : [];
  });
  if (told.length === 0) return state;
  const epoch = Math.max(...told.map((it) => it.epoch));
  const members = [...new Set([...sync.members, ...told.flatMap((it) => it.members)])];
  return promise({ ...state, sync: { ...sync, epoch } }, { members });
}

/**
 * Whether a voter has to go. 'must-confirm': it is heard, so it must confirm that it knows. 'gone': it cannot have a will of its
 * own, because no controller runs there, or because the policy says so.
 */
function absence(state: State, id: ServerId): 'no' | 'must-confirm' | 'gone' {
  const peer = state.peers[id];
  // Who takes over, or was last heard to, may be primary at any moment: only its own word that it does not ends that.
  if (!peer || peer.view?.takeover || peer.view?.yield) return 'no';
  const rowSince = Math.max(state.rowAt[id] ?? 0, state.graceFrom);
  const rowLate = !streams(state, id) && state.now - rowSince > giveUpTimeMs(state.conf);
  const asked = state.parked[id] !== undefined;
  if (isHeard(peer)) {
    const late = rowLate && state.now - peer.heardAt < giveUpTimeMs(state.conf);
    return asked || (state.failover.enabled && (isAway(state, peer.view) || late)) ? 'must-confirm' : 'no';
  }
  if (asked) return 'gone';
  if (!state.failover.enabled) return 'no';
  // During a long pause of this server it may have taken over, and may have acknowledged commits before it fell silent.
  if (isDoubtful(state, id) && state.sync?.eligible.includes(id)) return 'no';
  // It was heard until its controller ended, so that it cannot have begun to take over.
  const watched = peer.view !== null && peer.sinceAt - peer.heardAt <= giveUpTimeMs(state.conf);
  if (peer.reach === 'refused' && (watched || !mayBelieve(state, id))) return rowLate ? 'gone' : 'no';
  return isDeaf(state, id) && isFenced(state, id) ? 'gone' : 'no';
}

/** It may take over, or may believe so. */
export const mayBelieve = (state: State, id: ServerId): boolean =>
  state.sync?.eligible.includes(id) === true || state.withdrawn[id] !== undefined;

/** Not heard, not streaming, and the policy says that it has failed. */
const isDeaf = (state: State, id: ServerId): boolean => !streams(state, id) && believesGone(state, id);

/** Who is only believed to be dead is fenced before it is taken out. */
function fenceSilent(state: State): Decision {
  const { sync, change, failover } = state;
  if (!sync || !failover.enabled || (change && change.stage !== 'failed')) return decided(state);
  const open = sync.voters.filter((id) => state.peers[id]?.reach !== 'refused' && isDeaf(state, id));
  return askFences(state, open);
}

/** Its own controller says that it cannot serve as a standby. */
function isAway(state: State, view: ServerView): boolean {
  const failed = view.failedDisks.some((part) => takesOut(state, part));
  return failed || view.leaving === 'instance' || ['down', 'held', 'stopped'].includes(view.phase);
}

function beginChange(state: State): Decision {
  const { sync, change } = state;
  if (!sync || (change && (change.stage !== 'failed' || state.now - change.at < retryAfterMs)))
    return decided(state);
  const leaving = sync.voters.filter((id) => absence(state, id) !== 'no');
  const joining = sync.members.find((id) => !sync.voters.includes(id) && mayJoin(state, id));
  if (leaving.length === 0 && joining === undefined) return decided({ ...state, change: null });
  const to =
    leaving.length > 0
      ? sync.voters.filter((id) => !leaving.includes(id))
      : [...sync.voters, ...(joining ? [joining] : [])];
  const words = leaving.map((id) => log('MCA01035', { server: id, why: whyAway(state, id) }));
  return announce(state, to, leaving, words);
}

/** pre_detach_command runs while nothing is promised yet; it holds the change up for its timeout at most. */
function announce(
  state: State,
  to: readonly ServerId[],
  leaving: readonly ServerId[],
  words: Action[],
): Decision {
  const before = state.change?.announced ?? [];
  const targets = leaving.filter((id) => !before.includes(id));
  const silent = state.conf.preDetachCommand === undefined || targets.length === 0;
  const announced = [...before, ...targets];
  const change: Change = { to, stage: silent ? 'hooked' : 'hook', at: state.now, announced };
  const next: State = { ...state, change, proving: null };
  return silent
    ? andThen(decided(next, ...words), goOn)
    : decided(next, ...words, { kind: 'pre-detach', targets });
}

/** What was announced is done, even if the standby has come back meanwhile: it is attached again as announced, too. */
export function onPreDetached(state: State, failures: readonly string[]): Decision {
  const told = failures.map((why) => log('MCA01056', { hook: 'pre_detach_command', why }));
  if (state.change?.stage !== 'hook') return decided(state, ...told);
  return decided({ ...state, change: { ...state.change, stage: 'hooked' } }, ...told);
}

/** The new promise: written down and told before any name is changed. */
function reportPromise(state: State, change: Change): Decision {
  const { sync } = state;
  if (!sync) return decided(state);
  const { to } = change;
  const shrinks = sync.voters.some((id) => !to.includes(id));
  const told = promise(
    { ...state, change: { ...change, stage: 'reporting', at: state.now } },
    {
      // Where one of several was enough, the others need not hold what that one has confirmed: they are proven anew.
      eligible:
        shrinks && sync.needed < sync.voters.length ? [] : sync.eligible.filter((id) => to.includes(id)),
      voters: [...new Set([...sync.voters, ...to])],
      needed: Math.min(1, Math.max(sync.needed, to.length)),
    },
  );
  return andThen(decided(told), goOn);
}

function whyAway(state: State, id: ServerId): string {
  if (state.parked[id] !== undefined) return 'a person asked for it';
  const peer = state.peers[id];
  if (!isHeard(peer))
    return peer?.reach === 'refused' ? 'neither its controller nor its stream is there' : 'it is not heard';
  if (peer.view.leaving) return 'it is being stopped';
  if (peer.view.failedDisks.length > 0) return `its disk has failed (${peer.view.failedDisks.join(', ')})`;
  return peer.view.phase === 'running' ? 'it does not receive WAL' : `its instance is ${peer.view.phase}`;
}

const knows = (state: State, view: ServerView): boolean =>
  state.sync !== null &&
  view.sync?.primary === state.self.id &&
  view.sync.timeline === state.sync.timeline &&
  view.sync.epoch >= state.sync.epoch;

/** Goes from reporting to setting when everybody who could rely on the old promise knows the new one, or cannot act. */
function goOn(state: State): Decision {
  const { change, sync } = state;
  if (change?.stage === 'hooked') return reportPromise(state, change);
  if (!sync || change?.stage !== 'reporting') return decided(state);
  const shrinks = sync.voters.some((id) => !change.to.includes(id));
  const concerned = sync.voters.filter((id) => shrinks || sync.eligible.includes(id));
  const open = concerned.filter((id) => {
    const peer = state.peers[id];
    if (isHeard(peer)) return !knows(state, peer.view);
    return absence(state, id) !== 'gone';
  });
  if (open.length > 0) return decided(state);
  const setting: State = { ...state, change: { ...change, stage: 'setting', at: state.now } };
  return decided(setting, { kind: 'set-names', ids: change.to });
}

export function onNamesSet(state: State, ids: readonly ServerId[], needed: number): Decision {
  const { sync, change } = state;
  if (!sync || change?.stage !== 'setting' || state.own.role !== 'primary') return decided(state);
  const gone = sync.voters.filter((id) => !ids.includes(id));
  const degraded = ids.length === 0 && state.degraded === null ? 'detached' : state.degraded;
  const excused = without(state.withdrawn, gone);
  const base: State = { ...state, change: null, namesSetAt: state.now, degraded, withdrawn: excused };
  const done = promise(base, { voters: ids, needed });
  const words = gone.map((id) => log('MCA01036', { server: id }));
  const told = replies(
    state.waitingForDetach,
    true,
    `${gone.join(', ')} is out; the primary goes on without it`,
  );
  return decided({ ...done, waitingForDetach: [] }, ...words, ...told);
}

export function onNamesFailed(state: State, why: string): Decision {
  const { change } = state;
  if (change?.stage !== 'setting') return decided(state);
  const failed: State = {
    ...state,
    change: { ...change, stage: 'failed', at: state.now },
    waitingForDetach: [],
  };
  return decided(failed, log('MCA01037', { why }), ...replies(state.waitingForDetach, false, why));
}

/** A standby that is out comes back by itself once it streams again, unless a person took it out since it was started. */
function mayJoin(state: State, id: ServerId): boolean {
  const peer = state.peers[id];
  if (!isHeard(peer) || state.parked[id] !== undefined) return false;
  const { view } = peer;
  return isSound(state, view) && streams(state, id);
}

function isSound(state: State, view: ServerView): boolean {
  return (
    view.role === 'standby' &&
    view.phase === 'running' &&
    view.report?.receiver === 'streaming' &&
    view.report.systemId === state.own.report?.systemId &&
    view.takeover === null &&
    view.yield === null &&
    !view.leaving &&
    !isAway(state, view)
  );
}

/** A person's detach holds until the instance of the standby is started again. */
export function unpark(state: State): State {
  const over = Object.entries(state.parked).filter(([id, startedAtWall]) => {
    const report = state.peers[id]?.view?.report;
    return report !== undefined && report !== null && report.startedAtWall !== startedAtWall;
  });
  if (over.length === 0) return state;
  const ended = over.map(([id]) => id);
  const left = Object.entries(state.parked).filter(([id]) => !ended.includes(id));
  return { ...state, parked: Object.fromEntries(left) };
}

/**
 * A voter becomes eligible when it holds everything that was acknowledged before its name was in force. The checkpoint
 * makes sure that the server has taken the names over as a whole: its checkpointer is what tells all sessions of them.
 */
function prove(state: State): Decision {
  const { sync, change, proving } = state;
  const voters = toProve(state, sync?.voters ?? []);
  if (!sync || voters.length === 0 || (change && change.stage !== 'failed'))
    return decided({ ...state, proving: null });
  const wanted = (id: ServerId): boolean => {
    const peer = state.peers[id];
    const row = state.own.report ? rowOf(state.own.report, id) : undefined;
    const sync = row?.state === 'streaming' && ['sync', 'quorum', 'potential'].includes(row.syncState);
    return sync && isHeard(peer) && isSound(state, peer.view) && absence(state, id) === 'no';
  };
  if (proving) {
    return wanted(proving.id) && voters.includes(proving.id)
      ? caughtUp(state, sync)
      : decided({ ...state, proving: null });
  }
  const checkpoint = { kind: 'checkpoint', purpose: 'proof' } as const;
  const next = voters.find((id) => !sync.eligible.includes(id) && wanted(id));
  if (next === undefined) return decided(state);
  return decided({ ...state, proving: { id: next, stage: 'checkpoint', lsn: null } }, checkpoint);
}

export function onProvingCheckpoint(state: State, why: string | null): Decision {
  const { proving } = state;
  if (proving?.stage !== 'checkpoint') return decided(state);
  if (why !== null) return decided({ ...state, proving: null }, log('MCA01038', { why }));
  return decided({ ...state, proving: { ...proving, stage: 'mark' } });
}

/** Called with every answer of the instance: marks the position, then waits until the standby has flushed up to it. */
export function onProvingReport(state: State): Decision {
  const { proving } = state;
  const { report } = state.own;
  if (!report || proving?.stage !== 'mark') return decided(state);
  return decided({ ...state, proving: { ...proving, stage: 'catching', lsn: report.lsn } });
}

/** A standby says itself that it has the WAL up to there: a row has nothing but its name, and may be another one's. */
function holds({ own }: State, peer: Peer | undefined, lsn: string): boolean {
  const theirs = isHeard(peer) ? peer.view.report : null;
  return theirs?.timeline === own.report?.timeline && lsnValue(theirs?.lsn ?? noPosition) >= lsnValue(lsn);
}

function caughtUp(state: State, sync: SyncSet): Decision {
  const { proving } = state;
  const { report } = state.own;
  if (!report || proving?.stage !== 'catching' || proving.lsn === null) return decided(state);
  if (!holds(state, state.peers[proving.id], proving.lsn)) return decided(state);
  return andThen(cleared({ ...state, proving: null }, proving.id), (it) =>
    callEligible(it, sync, proving.id),
  );
}

function callEligible(state: State, sync: SyncSet, id: ServerId): Decision {
  if (state.strangers.length > 0) return decided(state);
  const shown = promise(state, { eligible: [...sync.eligible, id] });
  const hook = { kind: 'hook', hook: 'post-attach', target: id } as const;
  return decided(shown, log('MCA01039', { server: id }), ...(state.degraded === null ? [] : [hook]));
}
