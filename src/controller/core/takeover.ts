/**
 * A standby becomes primary: because the primary hands over, because it is silent and the policy says so, or because a
 * person forces it. Only a standby that is known to hold every acknowledged commit may; its receiver is cut first, and
 * with several standbys enough of them must have cut theirs, so that nobody can be acknowledged behind its back. Pure.
 */
import { giveUpTimeMs } from '../config.ts';
import { andThen, type Decision, decided, log, replies, withOwn } from './decision.ts';
import { dutyOf, dutyWords, isPreferred, mayTakeOver, ownDuty } from './duty.ts';
import { enough, isGathered, isUnanswered, mayPromote, votes } from './gather.ts';
import { addressOf } from './handover.ts';
import { byHandWords, isMaintained, leftOutWords } from './maintenance.ts';
import { lsnValue } from './names.ts';
import { isDoubtful } from './pause.ts';
import type { ReplyTo } from './processes.ts';
import { abandon, advancePromotion, beginPromotion } from './promotion.ts';
import { unwritten } from './remember.ts';
import {
  asksBeforeItStarts,
  bytesAhead,
  type Heard,
  heardPeers,
  isBroken,
  isHeard,
  noPosition,
  ownPosition,
  positionOf,
  serves,
  takesOut,
} from './servers.ts';
import { believesGone, fenceWords, fencing, isSilent } from './silence.ts';
import type { State } from './state.ts';
import { isBound, isTermGone, waitsForRegister } from './term.ts';
import type { Handover, ServerId, Takeover } from './view.ts';

const followAgainMs = 5000;
const cutAgainMs = 5000;

const begins = (from: ServerId | null, kind: Takeover['kind'], more: Partial<Takeover>): Takeover => ({
  from,
  kind,
  id: 0,
  checkpoint: null,
  stage: 'cut',
  lsn: null,
  ...more,
});

/** May this server be promoted without a person? */
export const isEligible = (state: State): boolean =>
  state.own.role === 'standby' && state.confirmed && state.sync?.eligible.includes(state.self.id) === true;

export function advanceTakeover(state: State): Decision {
  if (state.own.role !== 'standby' || state.stop) return decided(state);
  if (state.takeover) return goOn(state, state.takeover);
  return andThen(andThen(considerHandover(state), considerSilence), considerYield);
}

/** The primary has stopped and names this server. What it said before a pause of this server it may have taken back. */
function considerHandover(state: State): Decision {
  const isGiver = ({ line, view }: Heard): boolean =>
    view.handover?.to === state.self.id && !isDoubtful(state, line.id) && !isMaintained(state, line.id);
  const giver = heardPeers(state).find(isGiver);
  const handover = giver?.view.handover;
  if (!giver || !handover || state.takeover || state.declined?.id === handover.id) return decided(state);
  // Another server has this one's word for its takeover, and may be primary at any moment.
  if (state.yield) return decided(state);
  if (state.own.phase === 'starting' || state.own.phase === 'unknown') return decided(state);
  const obstacle = handoverObstacle(state, handover);
  if (obstacle !== null) {
    return decided(
      { ...state, declined: { id: handover.id, why: obstacle } },
      log('MCA01049', { why: obstacle }),
    );
  }
  const { id, checkpoint } = handover;
  // It could not stop its instance; all that is known is that it wanted to.
  const alive = giver.view.phase === 'silent' && state.conf.fencingCommand !== undefined;
  return start(state, begins(giver.line.id, 'handover', { id, checkpoint, ...(alive ? fenced(state) : {}) }));
}

const fenceFirst = { stage: 'fence', unfenced: true } as const;
/** With a register the fence comes behind its answer. */
const fenceLater = { unfenced: true } as const;
const fenced = ({ sync }: State) => (isBound(sync) ? fenceLater : fenceFirst);

function handoverObstacle(state: State, { kind, checkpoint }: Handover): string | null {
  if (state.own.phase !== 'running') return `the instance of ${state.self.id} does not run`;
  if (isBroken(state)) return `a disk of ${state.self.id} has failed`;
  if (state.place !== null) return unwritten(state, state.place);
  if (isMaintained(state, state.self.id)) return leftOutWords(state, state.self.id);
  if (kind === 'failover' && !mayTakeOver(ownDuty(state))) return dutyWords(state.self.id, ownDuty(state));
  if (checkpoint === null && !isEligible(state)) return `${state.self.id} is not known to hold every commit`;
  return null;
}

/** The primary is not heard, and nothing comes from it over the replication connection either. */
function considerSilence(state: State): Decision {
  const { sync } = state;
  if (
    !sync ||
    state.takeover ||
    state.yield ||
    state.aborted === sync.primary ||
    !state.failover.enabled ||
    !isEligible(state) ||
    !mayTakeOver(ownDuty(state)) ||
    isMaintained(state, state.self.id) ||
    state.own.phase !== 'running' ||
    state.place !== null ||
    isBroken(state)
  )
    return decided(state);
  const primary = state.peers[sync.primary];
  if (!primary || primary.reach === 'up' || primary.view?.leaving || primary.view?.handover)
    return decided(state);
  if (state.own.report?.receiver === 'streaming' || !believesGone(state, sync.primary)) return decided(state);
  if (isTermGone(state)) return decided(state);
  if (heardPeers(state).some(serves) || betterOne(state)) return decided(state);
  const fence = state.conf.fencingCommand !== undefined;
  return start(state, begins(sync.primary, 'silence', fence ? fenced(state) : {}));
}

/**
 * A heard standby with more WAL, or with as much and preferred, takes over in place of this one. Where the one with more is a voter
 * that may not take over, nobody can without a person: what it holds may have been acknowledged.
 */
function betterOne(state: State): boolean {
  return heardPeers(state).some((peer) => {
    const { line, view } = peer;
    if (view.role !== 'standby' || view.phase !== 'running') return false;
    const may =
      state.sync?.eligible.includes(line.id) === true &&
      mayTakeOver(dutyOf(view)) &&
      !isMaintained(state, line.id);
    if (!may || view.unsaved !== undefined)
      return votes(state, line.id) && bytesAhead(positionOf(view), ownPosition(state)) > 0;
    if (view.failedDisks.some((part) => takesOut(state, part))) return false;
    return beats(state, peer, ownPosition(state));
  });
}

function beats(state: State, { line, view }: Heard, ours: string): boolean {
  const more = bytesAhead(positionOf(view), ours);
  return more > 0 || (more === 0 && isPreferred(state, line.id, state.self.id));
}

/** Without a record a pair still knows whom it takes over from. */
function onlyPeer(state: State): ServerId | null {
  const [only, ...more] = Object.keys(state.peers);
  return only !== undefined && more.length === 0 ? only : null;
}

/** A takeover that has begun by itself and has all but the word of the register becomes one that a person orders. */
function force(state: State, takeover: Takeover, replyTo: ReplyTo, noFencing: boolean): Decision {
  const waitingForSwitch = [...state.waitingForSwitch, replyTo];
  const voteAfter = state.now + giveUpTimeMs(state.conf);
  const unfenced = takeover.unfenced === true && !noFencing;
  const ordered: Takeover = { ...takeover, kind: 'force', unfenced };
  return decided({ ...state, waitingForSwitch, voteAfter, takeover: ordered });
}

/** mc_ctl switch --force on a standby whose primary does not answer. */
export function onForcedTakeover(state: State, replyTo: ReplyTo, noFencing: boolean): Decision {
  const refuse = (why: string): Decision => decided(state, ...replies([replyTo], false, why));
  if (state.takeover && waitsForRegister(state)) return force(state, state.takeover, replyTo, noFencing);
  if (state.takeover) return refuse('this server is already taking over');
  if (state.yield)
    return refuse(
      `${state.yield.to} takes over with the word of ${state.self.id}, and may be primary; mc_ctl switch --abort here takes the word back`,
    );
  if (state.own.role !== 'standby') return refuse(`${state.self.id} is no standby`);
  if (state.own.phase !== 'running')
    return refuse(
      `the instance of ${state.self.id} does not run; where the primary is surely down, mc_ctl start --force-start here starts it first`,
    );
  if (state.place !== null) return refuse(unwritten(state, state.place));
  const serving = heardPeers(state).find(serves);
  const taker = heardPeers(state).find((it) => it.view.takeover !== null);
  if (taker) return refuse(`${taker.line.id} is taking over`);
  if (serving && isMaintained(state, serving.line.id)) return refuse(byHandWords(serving.line.id));
  if (serving) return refuse(`${serving.line.id} is primary; mc_ctl switch without --force asks it`);
  const returning = heardPeers(state).find(asksBeforeItStarts);
  if (returning)
    return refuse(
      `${returning.line.id}, which was primary, is heard and asks the others before it starts; wait a moment, or end its controller first (mc_ctl stop there)`,
    );
  const fence = state.conf.fencingCommand !== undefined && !noFencing;
  const from = state.sync?.primary ?? onlyPeer(state);
  if (fence && from === null)
    return refuse(
      'it is not known which server was primary, so that the fencing command has no target; --no-fencing leaves it out',
    );
  const waiting = { ...state, waitingForSwitch: [...state.waitingForSwitch, replyTo] };
  // Where a register answers, its answer tells whether commits may be missing (see below).
  const sure = isEligible(state) && enough(state, []);
  const words = sure ? [] : [log('MCA01050', { server: state.self.id })];
  return andThen(decided(waiting, ...words), (it) =>
    start(it, begins(from, 'force', { ...(fence ? fenced(it) : {}), ...(sure ? {} : { unproven: true }) })),
  );
}

function start(state: State, takeover: Takeover): Decision {
  const told: Takeover = { ...takeover, toldSeq: state.seq };
  const next: State = { ...state, takeover: told, yield: null, declined: null };
  const from = takeover.from ?? 'nobody';
  const words = log('MCA01051', { peer: from, why: reasons[takeover.kind] });
  return andThen(decided(next, words), (it) => act(it, told));
}

const reasons: Readonly<Record<Takeover['kind'], string>> = {
  handover: 'it hands over',
  silence: 'it is not heard any more',
  force: 'a person has ordered it',
};

/** The action that belongs to the stage. */
function act(state: State, takeover: Takeover): Decision {
  const target = takeover.from ?? '';
  const mode = takeover.kind === 'force' ? 'command' : 'monitor';
  switch (takeover.stage) {
    case 'fence':
      return decided(state, fencing(target, 'switch', mode));
    case 'cut':
      return decided({ ...state, unhitched: true }, { kind: 'cut-receiver' });
    case 'promote':
      return beginPromotion(state, takeover);
    case 'ask':
    case 'gather':
      return decided(state);
  }
}

const at = (state: State, takeover: Takeover, change: Partial<Takeover>): Decision => {
  const next = { ...takeover, ...change };
  return act({ ...state, takeover: next }, next);
};

/**
 * A takeover that was interrupted, by a restart of the controller or a long pause, goes on only with a new word for it:
 * meanwhile the primary may have taken its role back, and may have acknowledged commits without this server.
 */
export function resumeTakeover(state: State): Decision {
  const { takeover } = state;
  if (takeover?.stage !== 'ask' || state.own.phase !== 'running') return decided(state);
  const primary = takeover.from === null ? undefined : state.peers[takeover.from];
  const stage = takeover.unfenced && !isBound(state.sync) ? 'fence' : 'cut';
  // Messages are counted anew by each start of the controller.
  const again = { stage, toldSeq: state.seq } as const;
  if (!primary) return at(state, takeover, again);
  const heardNow =
    (primary.heardAt > state.graceFrom && !isDoubtful(state, primary.line.id)) || primary.reach === 'refused';
  if (!heardNow && !isSilent(state, primary.line.id)) return decided(state);
  const given = isHeard(primary) && primary.view.handover?.id === takeover.id;
  // Its proof is worth nothing once the role was taken back, of which the file may know nothing.
  const named = takeover.kind !== 'handover' || primary.view?.handover?.id === takeover.id;
  if (takeover.kind === 'force' || given || (named && isEligible(state))) return at(state, takeover, again);
  return abandon(state, `${primary.line.id} has not said again that this server may take over`);
}

function goOn(state: State, takeover: Takeover): Decision {
  if (takeover.stage === 'promote') return advancePromotion(state);
  const primary = takeover.from === null ? undefined : state.peers[takeover.from];
  const alive = heardPeers(state).find(serves);
  if (alive) return abandon(state, `${alive.line.id} is primary`);
  if (takeover.kind === 'handover' && isHeard(primary) && primary.view.handover?.id !== takeover.id)
    return abandon(state, `${primary.line.id} does not hand over any more`);
  if (takeover.kind === 'silence' && isBound(state.sync) && !isEligible(state))
    return abandon(state, `${takeover.from} has said that this server may not take over`);
  if (takeover.kind !== 'force' && isMaintained(state, state.self.id))
    return abandon(state, leftOutWords(state, state.self.id));
  if (state.place !== null) return abandon(state, unwritten(state, state.place));
  if (takeover.stage === 'ask') return resumeTakeover(state);
  return takeover.stage === 'gather' ? gather(state, takeover) : decided(state);
}

function gather(state: State, takeover: Takeover): Decision {
  const mine = takeover.lsn ?? noPosition;
  // What somebody holds whose word acknowledges nothing was acknowledged to nobody.
  const rivals = heardPeers(state).filter(
    (it) => it.view.takeover?.lsn || (it.view.yield?.lsn && votes(state, it.line.id)),
  );
  const ahead = rivals.find((it) =>
    it.view.takeover ? beats(state, it, mine) : bytesAhead(positionOf(it.view), mine) > 0,
  );
  if (ahead && (takeover.kind !== 'force' || ahead.view.takeover))
    return abandon(state, `${ahead.line.id} is ahead`);
  if (!isGathered(state, takeover) || !mayPromote(state, takeover)) return decided(state);
  // A server is fenced only once it is settled that this one takes its place.
  const fence = takeover.unfenced === true && isBound(state.sync);
  const bare = isUnanswered(state, takeover);
  const words = bare ? [log('MCA01050', { server: state.self.id })] : [];
  const next = { stage: fence ? 'fence' : 'promote', ...(bare ? { unproven: true } : {}) } as const;
  return andThen(decided(state, ...words), (it) => at(it, takeover, next));
}

/** The last look was before the cut: what came in between counts when it is asked who holds the most. */
const endsAt = (state: State, lsn: string): State =>
  state.own.report ? withOwn(state, { report: { ...state.own.report, lsn } }) : state;

export function onReceiverCut(before: State, lsn: string): Decision {
  const { takeover } = before;
  const state = endsAt(before, lsn);
  if (state.yield && !takeover) return decided({ ...state, yield: { ...state.yield, lsn } });
  if (takeover?.stage !== 'cut') return decided(before);
  const { checkpoint } = takeover;
  if (checkpoint !== null && lsnValue(lsn) <= lsnValue(checkpoint)) {
    return abandon(state, `it received WAL up to ${lsn}, but the shutdown checkpoint is at ${checkpoint}`);
  }
  if (checkpoint !== null && !isBound(state.sync))
    return at(state, { ...takeover, lsn }, { stage: 'promote' });
  const next: State = { ...state, takeover: { ...takeover, lsn, stage: 'gather' } };
  return goOn(next, { ...takeover, lsn, stage: 'gather' });
}

export function onCutFailed(state: State, why: string): Decision {
  const failed = { ...state, cutAfter: state.now + cutAgainMs };
  // As after a fence that has failed: not at once again, but only after the time of a new silence.
  if (state.takeover?.stage === 'cut') return abandon({ ...failed, graceFrom: state.now }, why);
  return decided({ ...failed, yield: null }, log('MCA01052', { why }));
}

export function onFenced(state: State, done: boolean, why: string): Decision {
  const { takeover } = state;
  if (takeover?.stage !== 'fence') return decided(state);
  const words = fenceWords(takeover.from ?? '', done, why);
  if (done)
    return andThen(decided(state, words), (it) =>
      at(it, takeover, { stage: takeover.lsn === null ? 'cut' : 'promote', unfenced: false }),
    );
  // Without this the next tick would begin anew; the fence is asked again only after the time of a new silence.
  return andThen(decided({ ...state, graceFrom: state.now }, words), (it) =>
    abandon(it, `the fencing command failed: ${why}`),
  );
}

/** Another standby wants to take over: if this one does not hear the primary either, it cuts its receiver for it. */
function considerYield(state: State): Decision {
  if (state.takeover) return decided(state);
  const taker = heardPeers(state).find((it) => it.view.takeover && it.view.takeover.stage !== 'ask');
  if (state.yield) {
    // It may have become primary, and may have acknowledged commits, before it fell silent: only its own word ends this.
    const to = state.peers[state.yield.to];
    const over = isHeard(to) && to.view.takeover === null;
    return over ? decided({ ...state, yield: null }) : decided(state);
  }
  if (!taker || state.own.phase !== 'running' || heardPeers(state).some(serves)) return decided(state);
  if (isBroken(state) || state.place !== null || state.now < state.cutAfter) return decided(state);
  const from = state.sync === null ? undefined : state.peers[state.sync.primary];
  const handed = isHeard(from) && from.view.handover !== null;
  // A former primary that waits for the outcome of this takeover is as good as silent.
  const quiet = !(isHeard(from) && serves(from)) && state.own.report?.receiver !== 'streaming';
  if (!handed && !quiet && taker.view.takeover?.kind !== 'force') return decided(state);
  const next: State = { ...state, yield: { to: taker.line.id, lsn: null }, unhitched: true };
  return decided(next, log('MCA01053', { peer: taker.line.id }), { kind: 'cut-receiver' });
}

/** A standby whose receiver was cut, or whose primary has changed, is pointed at the primary that serves now. */
export function advanceFollow(state: State): Decision {
  if (
    !state.unhitched ||
    state.hitching ||
    state.now < state.hitchAfter ||
    state.takeover ||
    state.yield ||
    state.own.role !== 'standby'
  )
    return decided(state);
  // Only the newest primary that is known: a former one may still be running, and must not get a voter back.
  const newest = heardPeers(state).find((it) => it.line.id === state.sync?.primary);
  const primary = newest && serves(newest) && newest.view.phase === 'running' ? newest : undefined;
  if (!primary?.view.report || state.own.phase !== 'running' || state.stop) return decided(state);
  if (primary.view.report?.systemId !== state.own.report?.systemId) return decided(state);
  const words = log('MCA01046', { server: primary.line.id });
  return decided({ ...state, hitching: true }, words, {
    kind: 'follow',
    ...addressOf(state, primary.line.id),
  });
}

export const onFollowed = (state: State): Decision =>
  decided({ ...state, hitching: false, unhitched: false });

export const onFollowFailed = (state: State, why: string): Decision =>
  decided({ ...state, hitching: false, hitchAfter: state.now + followAgainMs }, log('MCA01048', { why }));
