/**
 * Who holds the commits: the primary's promise about synchronous_standby_names, how it changes, and how a standby comes
 * to know it. The rule of every change: it is persisted, then told to whoever relies on the promise, and only then made.
 * Pure. docs/adr/0005-who-may-acknowledge.md has the reasons.
 */
import { giveUpTimeMs } from '../config.ts';
import type { Action } from './action.ts';
import { andThen, type Decision, decided, log } from './decision.ts';
import { answerNotOut, answerOut } from './detach.ts';
import { dutyAt, mayTakeOver } from './duty.ts';
import { heedsMaintenance, isMaintained } from './maintenance.ts';
import { lsnValue, sameIds } from './names.ts';
import { advanceNaming, canName } from './naming.ts';
import { isParted } from './parted.ts';
import { isDoubtful } from './pause.ts';
import { givesAside } from './preparation.ts';
import type { Change, Proving } from './processes.ts';
import { knows, mayBelieve, promise, without } from './promise.ts';
import { recollect, withEverybody } from './recollect.ts';
import { namesInForce, rowOf, streams } from './rows.ts';
import { isHeard, isInCharge, isLater, noPosition, takesOut } from './servers.ts';
import { askFences, believesGone, isFenced, isSilent } from './silence.ts';
import { awaitsList } from './slots.ts';
import type { Peer, State } from './state.ts';
import { cleared, toProve, watchStrangers } from './strangers.ts';
import { isBound } from './term.ts';
import { type ServerId, type ServerView, type SyncSet, understandsRegister } from './view.ts';
import { leavesByDuty, mayBeWaitedFor, whyAway, withCopies } from './waited-for.ts';

const retryAfterMs = 5000;
/** A report that was on its way while the names were changed must not count as somebody else's change. */
const namesSettleMs = 3000;

export function advanceSync(state: State): Decision {
  if (!isInCharge(state)) return decided(state);
  const watched = andThen(watchStrangers(withCopies(recollect(adoptNames(state)))), (it) =>
    decided(withdraw(it)),
  );
  return [goOn, fenceSilent, beginChange, advanceNaming, prove].reduce(andThen, watched);
}

/** While somebody else may acknowledge commits, nobody is known to hold all of them; and whose duty forbids it takes nothing over. */
function withdraw(state: State): State {
  const before = state.sync?.eligible ?? [];
  const heeds = (id: ServerId): boolean => {
    const peer = state.peers[id];
    return !isHeard(peer) || heedsMaintenance(state, peer.view);
  };
  const able = before.filter((id) => mayTakeOver(dutyAt(state, id)) && !isMaintained(state, id) && heeds(id));
  const free = givesAside(state) ? able.filter((id) => id === state.preparing?.to) : able;
  const eligible = state.strangers.length > 0 ? [] : free;
  return eligible.length < before.length ? promise(state, { eligible }) : state;
}

/** Names that somebody else has put in force, as provisioning does, are taken over as they are. */
function adoptNames(state: State): State {
  const { report } = state.own;
  if (!report) return state;
  const { ids, needed, foreign } = namesInForce(state, report);
  const { sync } = state;
  if (!sync || sync.primary !== state.self.id || sync.timeline < report.timeline) {
    // After a takeover everybody else belongs to the names again; before the first standby nobody does yet.
    const others = Object.keys(state.peers).filter((id) => sync !== null || state.named.includes(id));
    const members = [...new Set([...ids, ...others])];
    // Whoever made this server primary without its controller, no register has given it anything.
    const fresh = { members, eligible: [], voters: ids, needed, cells: [] };
    const first = promise(state, { primary: state.self.id, timeline: report.timeline, ...fresh });
    return state.forgotten && !sync ? withEverybody(first) : first;
  }
  const settling = state.namesSetAt >= 0 && state.now - state.namesSetAt < namesSettleMs;
  // While a foreign name stands there nobody takes over, however many confirm.
  const same = sameIds(ids, sync.voters) && (needed === sync.needed || foreign.length > 0);
  if (settling || (state.change && state.change.stage !== 'failed') || same) return state;
  // A change that has just failed, as it does under ALTER SYSTEM, is tried again later and not at once: the controller
  // would do nothing else any more, and its peers would take it for dead.
  const waits = state.change?.stage === 'failed' && state.now - state.change.at < retryAfterMs;
  return promise(
    { ...state, change: waits ? state.change : null },
    {
      members: [...new Set([...sync.members, ...ids])],
      // Where fewer were enough until now, each need not hold what another one has confirmed.
      eligible: needed > sync.needed ? [] : sync.eligible.filter((id) => ids.includes(id)),
      voters: ids,
      needed,
    },
  );
}

type Absence = 'no' | 'must-confirm' | 'gone' | 'must-win';

/**
 * Whether a voter has to go. 'must-confirm': it is heard, so it must confirm that it knows. 'gone': it cannot have a will of its
 * own, because no controller runs there, or because the policy says so. 'must-win': it may believe that it can take over, so that
 * the register has to give its term to this primary first.
 */
function absence(state: State, id: ServerId): Absence {
  const peer = state.peers[id];
  if (!peer || mayBecomePrimary(state, peer)) return 'no';
  const rowSince = Math.max(state.rowAt[id] ?? 0, state.graceFrom);
  const stuck = state.now - rowSince > giveUpTimeMs(state.conf);
  const rowLate = !streams(state, id) && stuck;
  const asked = state.parked[id] !== undefined;
  const unfit = leavesByDuty(state, id);
  if (isHeard(peer)) {
    const late = rowLate && state.now - peer.heardAt < giveUpTimeMs(state.conf);
    const leaves =
      asked || unfit || (state.failover.enabled && (isAway(state, peer.view) || late || isParted(state, id)));
    if (!leaves) return 'no';
    return isBound(state.sync) && ignores(state, peer) ? shutOut(state, id) : 'must-confirm';
  }
  if (asked || (unfit && !mayBelieve(state, id))) return 'gone';
  if (!state.failover.enabled) return 'no';
  // It has taken over, and may have acknowledged commits before it was stopped.
  if (state.sync && peer.view && isLater(state.sync, peer.view)) return 'no';
  if (isBound(state.sync)) {
    const out = peer.reach === 'refused' ? rowLate : isSilent(state, id) && (stuck || !streams(state, id));
    const fenced = peer.reach === 'refused' || mayBelieve(state, id) || isFenced(state, id);
    return out && fenced ? shutOut(state, id) : 'no';
  }
  // Until the promise names its register nobody knows who could ask it.
  if (state.conf.heartbeatErrorAction === 'arbitration') return 'no';
  // During a long pause of this server it may have taken over, and may have acknowledged commits before it fell silent.
  if (isDoubtful(state, id) && mayBelieve(state, id)) return 'no';
  // It was heard until its controller ended, so that it cannot have begun to take over.
  const watched = peer.view !== null && peer.sinceAt - peer.heardAt <= giveUpTimeMs(state.conf);
  if (peer.reach === 'refused' && (watched || !mayBelieve(state, id))) return rowLate ? 'gone' : 'no';
  return isDeaf(state, id) && isFenced(state, id) ? 'gone' : 'no';
}

/**
 * Who takes over, or was last heard to, may be primary at any moment: only its own word that it does not ends that. A takeover
 * because of a silence needs the term, which the register gives to one of both.
 */
const mayBecomePrimary = ({ sync }: State, { view }: Peer): boolean =>
  isBound(sync) ? (view?.takeover?.kind ?? 'silence') !== 'silence' : Boolean(view?.takeover || view?.yield);

const shutOut = (state: State, id: ServerId): Absence => (mayBelieve(state, id) ? 'must-win' : 'gone');

/** It is heard, and has not confirmed within the time to give up: it does not hear this server, which looks like a silence to it. */
const ignores = (state: State, { view }: Peer): boolean =>
  state.change?.stage === 'reporting' &&
  state.now - state.change.at > giveUpTimeMs(state.conf) &&
  view !== null &&
  !knows(state, view);

/** Voters for which the register has to be asked before they can be taken out. */
export function mustWin(state: State): ServerId[] {
  const { sync } = state;
  if (!sync || !isInCharge(state)) return [];
  const left = Object.keys(state.withdrawn).filter((id) => !sync.voters.includes(id) && isSilent(state, id));
  return [...sync.voters.filter((id) => absence(state, id) === 'must-win'), ...left];
}

/** After the term was won, this standby stays one that may take over, with a new promise. */
export const confirms = (state: State, id: ServerId): boolean =>
  isHeard(state.peers[id]) && (isInCharge(state) ? absence(state, id) === 'no' : state.giving !== null);

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
  const leaving = sync.voters.filter((id) => ['must-confirm', 'gone'].includes(absence(state, id)));
  const able = sync.members.filter((id) => !sync.voters.includes(id) && mayJoin(state, id));
  const joining = able.find((id) => mayTakeOver(dutyAt(state, id))) ?? able[0];
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
  // What another receiver of that name confirms nobody needs to hold.
  const admitsSuspect = to.some((id) => state.suspects.includes(id) && !sync.voters.includes(id));
  // Where one of several was enough, the others need not hold what that one has confirmed. All are proven anew.
  const none = admitsSuspect || (shrinks && sync.needed < sync.voters.length);
  const told = promise(
    { ...state, change: { ...change, stage: 'reporting', at: state.now } },
    {
      eligible: none ? [] : sync.eligible.filter((id) => to.includes(id)),
      voters: [...new Set([...sync.voters, ...to])],
      needed: Math.min(1, Math.max(sync.needed, to.length)),
    },
  );
  return andThen(decided(told), goOn);
}

/** Goes from reporting to setting when everybody who could rely on the old promise knows the new one, or cannot act. */
function goOn(state: State): Decision {
  const { change, sync } = state;
  if (change?.stage === 'hooked') return reportPromise(state, change);
  if (!sync || change?.stage !== 'reporting') return decided(state);
  const shrinks = sync.voters.some((id) => !change.to.includes(id));
  const concerned = sync.voters.filter((id) => shrinks || mayBelieve(state, id));
  const open = concerned.filter((id) => {
    const peer = state.peers[id];
    if (isHeard(peer) && knows(state, peer.view)) return false;
    if (isHeard(peer) && !isBound(sync)) return true;
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
  // Where a register answers, a standby needs no word of its primary to ask it: only its own word or a later term ends that.
  const excused = isBound(sync) ? state.withdrawn : without(state.withdrawn, gone);
  const base: State = { ...state, change: null, namesSetAt: state.now, degraded, withdrawn: excused };
  const done = promise(base, { voters: ids, needed });
  const words = gone.map((id) => log('MCA01036', { server: id }));
  return andThen(decided(done, ...words), (it) => answerOut(it, gone));
}

export function onNamesFailed(state: State, why: string): Decision {
  const { change } = state;
  if (change?.stage !== 'setting') return decided(state);
  const failed: State = { ...state, change: { ...change, stage: 'failed', at: state.now } };
  return andThen(decided(failed, log('MCA01037', { why })), (it) => answerNotOut(it, change.to, why));
}

/** A standby that is out comes back by itself once it streams again, unless a person took it out since it was started. */
function mayJoin(state: State, id: ServerId): boolean {
  const peer = state.peers[id];
  if (!isHeard(peer) || state.parked[id] !== undefined || isParted(state, id)) return false;
  const { view } = peer;
  return isSound(state, view) && streams(state, id) && mayBeWaitedFor(state, id);
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
    view.unsaved === undefined &&
    !isAway(state, view)
  );
}

/**
 * A voter becomes eligible when it holds everything that was acknowledged before its name was in force. The checkpoint
 * makes sure that the server has taken the names over as a whole: its checkpointer is what tells all sessions of them.
 */
function prove(state: State): Decision {
  const { sync, change, proving } = state;
  const voters = toProve(state, sync?.voters ?? []);
  const waits = (change && change.stage !== 'failed') || canName(state) || givesAside(state);
  if (!sync || voters.length === 0 || waits) return decided({ ...state, proving: null });
  const wanted = (id: ServerId): boolean => {
    const peer = state.peers[id];
    const row = state.own.report ? rowOf(state.own.report, id) : undefined;
    const sync = row?.state === 'streaming' && ['sync', 'quorum', 'potential'].includes(row.syncState);
    return (
      sync &&
      isHeard(peer) &&
      isSound(state, peer.view) &&
      absence(state, id) === 'no' &&
      !awaitsList(state, id) &&
      isBoundBy(state, peer)
    );
  };
  if (proving?.stage === 'failed') {
    if (state.now - proving.at < retryAfterMs) return decided(state);
  } else if (proving) {
    return wanted(proving.id) && voters.includes(proving.id)
      ? caughtUp(state, sync)
      : decided({ ...state, proving: null });
  }
  const checkpoint = { kind: 'checkpoint', purpose: 'proof' } as const;
  // Who may not take over has to show only that a receiver is its own.
  const open = (id: ServerId): boolean => mayTakeOver(dutyAt(state, id)) || state.suspects.includes(id);
  const next = voters.find((id) => !sync.eligible.includes(id) && open(id) && wanted(id));
  // The end of a checkpoint that began before the names says nothing about them: it is waited for first.
  if (next === undefined || state.checkpointing) return decided(state);
  const begun: Proving = { id: next, stage: 'checkpoint', lsn: null };
  return decided({ ...state, checkpointing: true, proving: begun }, checkpoint);
}

/** A controller that does not know what a register is would take over without it. */
const isBoundBy = (state: State, { view }: Peer): boolean =>
  heedsMaintenance(state, view) && (!isBound(state.sync) || (view?.understands ?? 1) >= understandsRegister);

export function onProvingCheckpoint(before: State, why: string | null): Decision {
  const state = { ...before, checkpointing: false };
  const { proving } = state;
  if (proving?.stage !== 'checkpoint') return decided(state);
  if (why !== null) {
    const failed = { id: proving.id, stage: 'failed', at: state.now } as const;
    return decided({ ...state, proving: failed }, log('MCA01038', { why }));
  }
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
  if (state.strangers.length > 0 || !mayTakeOver(dutyAt(state, id))) return decided(state);
  const shown = promise(state, { eligible: [...sync.eligible, id] });
  const hook = { kind: 'hook', hook: 'post-attach', target: id } as const;
  return decided(shown, log('MCA01039', { server: id }), ...(state.degraded === null ? [] : [hook]));
}
