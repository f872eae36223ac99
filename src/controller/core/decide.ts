/**
 * decide(state, event) → {state, actions}: the whole judgement of the controller, without clock, timer, socket or
 * database. The same state and event always give the same answer, so a log of events can be replayed. README.md of this
 * folder describes the processes, the duties of the caller and the invariants.
 */
import { onAbortSwitch } from './abort.ts';
import type { Action } from './action.ts';
import { onArbiterHeard, onArbiterLost } from './arbiters.ts';
import { advanceBoot, onBoot, onBootTick, onInstanceStarted, onPrimaryProbe, onStartFailed } from './boot.ts';
import { askedBy, keepTask, obstacleToChange, obstacleToStart, obstacleToStop, refuseBusy } from './busy.ts';
import { andThen, type Decision, decided, log, replies } from './decision.ts';
import { endDetach, isWaitedFor, onDetachFenced } from './detach.ts';
import type { ControlRequest, Event, PeerRequest } from './event.ts';
import { nothingToReport, sameJudgement } from './fields.ts';
import { endGrant } from './granted.ts';
import { advanceHandover, onFollowedAfterSwitch, onFollowFailedAfterSwitch } from './handover.ts';
import { onDiskCheck, onInstanceCheck } from './instance.ts';
import { advanceMaintenance } from './maintaining.ts';
import { ownView } from './own-view.ts';
import { endPassedOn, onPeerReply } from './passed-on.ts';
import { awake, clocksOf } from './pause.ts';
import { onHeard, onPeerRefused, onPeersTick, onReload, onSetFailover } from './peers.ts';
import { advancePreparation, onSwitchCheckpoint } from './preparation.ts';
import type { ReplyTo } from './processes.ts';
import { onPromoted, onPromoteFailed } from './promotion.ts';
import { askReferences, isCutOff, onReferences } from './references.ts';
import { onPersistFailed, onPlaceBack, onPlaceLost, onRetry, toPersist } from './remember.ts';
import {
  endSwitch,
  onAttachRequest,
  onDetachRequest,
  onMaintenanceRequest,
  onSwitchCommand,
} from './request.ts';
import { advanceRevival } from './revive.ts';
import { streams } from './rows.ts';
import { hasPostmaster, heardPeers, isLater, isPrimaryHere } from './servers.ts';
import { askAbout, onFenceVerdict, onVerdict } from './silence.ts';
import { advanceSlots, onSlotsSet } from './slots.ts';
import { isRunning, onStartRequest } from './start-request.ts';
import type { State } from './state.ts';
import { assess, livePrimaries } from './status.ts';
import {
  advanceStop,
  demote,
  isolate,
  onInstanceStopped,
  onStopFailed,
  onStopReply,
  onStopRequest,
} from './stop.ts';
import { advanceSync, onNamesFailed, onNamesSet, onPreDetached, onProvingCheckpoint } from './sync.ts';
import {
  advanceFollow,
  advanceTakeover,
  onCutFailed,
  onFenced,
  onFollowed,
  onFollowFailed,
  onReceiverCut,
} from './takeover.ts';
import { isTaken, waitsForRegister } from './term.ts';
import { advanceVote } from './vote.ts';
import { unpark } from './waited-for.ts';

export type { Decision } from './decision.ts';

export function decide(before: State, event: Event): Decision {
  const { at, wall, sinceBoot } = event;
  const state = { ...before, now: at, wall, sinceBoot, seq: before.seq + 1 };
  // Nothing goes on while a record is outstanding; the time of the last tick stays, so that it ends as a pause.
  if (event.kind === 'persist-failed')
    return andThen(onPersistFailed(state, event.why), (it) => judge(before, it));
  return settle(
    before,
    andThen(onRetry(awake(state)), (it) => handle(it, event)),
    event.kind === 'tick',
  );
}

function handle(state: State, event: Exclude<Event, { kind: 'persist-failed' }>): Decision {
  switch (event.kind) {
    case 'boot':
      return onBoot(state, event);
    case 'tick':
      return onTick(state);
    case 'heard':
      return onHeard(state, event.peer, event.view);
    case 'peer-refused':
      return onPeerRefused(state, event.peer);
    case 'arbiter-heard':
      return onArbiterHeard(state, event);
    case 'arbiter-lost':
      return onArbiterLost(state, event.arbiter, event.why);
    case 'unknown-peer':
      return decided(state, log('MCA01022', { from: event.from, why: event.why }));
    case 'primary-probe':
      return onPrimaryProbe(state, event.open);
    case 'instance-check':
      return onInstanceCheck(state, event.outcome);
    case 'disk-check':
      return onDiskCheck(state, event);
    case 'instance-started':
      return onInstanceStarted(state);
    case 'start-failed':
      return onStartFailed(state, event.why);
    case 'instance-stopped':
      return onInstanceStopped(state, event.proof, event.endedSenders);
    case 'stop-failed':
      return onStopFailed(state, event.why);
    case 'control':
      return onControl(state, event.id, event.request);
    case 'peer-request':
      return onRequest(state, { kind: 'peer', peer: event.peer, id: event.id }, event.request);
    case 'peer-reply':
      return andThen(onPeerReply(state, event), (it) => onStopReply(it, event));
    case 'terminate':
      return onStopRequest(state, null, { all: false, mcOnly: false, force: false });
    case 'reload':
      return onReload(state, event);
    case 'place-lost':
      return onPlaceLost(state, event.why);
    case 'place-back':
      return onPlaceBack(state);
    case 'reload-failed':
      return decided(state, log('MCA01029', { why: event.why }));
    default:
      return onOutcome(state, event);
  }
}

type Outcome = Extract<
  Event,
  {
    kind:
      | 'checkpointed'
      | 'pre-detached'
      | 'names-set'
      | 'names-failed'
      | 'slots-set'
      | 'receiver-cut'
      | 'cut-failed'
      | 'promoted'
      | 'promote-failed'
      | 'followed'
      | 'follow-failed'
      | 'references'
      | 'command-ended'
      | 'hook-failed';
  }
>;

/** How an action ended. */
function onOutcome(state: State, event: Outcome): Decision {
  switch (event.kind) {
    case 'checkpointed':
      return event.purpose === 'switch' ? onSwitchCheckpoint(state) : onProvingCheckpoint(state, event.why);
    case 'pre-detached':
      return onPreDetached(state, event.failures);
    case 'names-set':
      return onNamesSet(state, event.ids, event.needed);
    case 'names-failed':
      return onNamesFailed(state, event.why);
    case 'slots-set':
      return onSlotsSet(state, event.why);
    case 'receiver-cut':
      return onReceiverCut(state, event.lsn);
    case 'cut-failed':
      return onCutFailed(state, event.why);
    case 'promoted':
      return onPromoted(state, event.timeline);
    case 'promote-failed':
      return onPromoteFailed(state, event.why);
    case 'followed':
      return state.giving ? onFollowedAfterSwitch(state) : onFollowed(state);
    case 'follow-failed':
      return state.giving ? onFollowFailedAfterSwitch(state, event.why) : onFollowFailed(state, event.why);
    case 'references':
      return andThen(onReferences(state, event.answered), advanceBoot);
    case 'command-ended':
      return event.command === 'fencing'
        ? onFencingEnded(state, event)
        : onVerdict(state, event.target, event.yes, event.why);
    case 'hook-failed':
      return decided(state, log('MCA01056', { hook: event.hook, why: event.why }));
  }
}

/** The fencing command was called for a takeover, for a person's detach, or because a standby is silent. */
function onFencingEnded(
  state: State,
  { target, yes, why }: Extract<Event, { kind: 'command-ended' }>,
): Decision {
  if (state.takeover?.stage === 'fence') return onFenced(state, yes, why);
  if (state.detaching?.id === target) return onDetachFenced(state, yes, why);
  return onFenceVerdict(state, target, yes, why);
}

/** Without mercy means now; another server that stops this one does so in its turn. */
function busyWith(state: State, replyTo: ReplyTo, request: ControlRequest | PeerRequest): string | null {
  switch (request.kind) {
    case 'start':
      return obstacleToStart(state);
    case 'stop':
      return request.force || replyTo.kind === 'peer' ? null : obstacleToStop(state);
    case 'switch':
    case 'detach':
    case 'attach':
    case 'maintenance-begin':
    case 'maintenance-end':
      // What the register does not answer is what a person decides.
      if (request.kind === 'switch' && request.force && waitsForRegister(state)) return null;
      if (request.kind === 'detach' && isPrimaryHere(state) && isWaitedFor(state, request.server))
        return null;
      return obstacleToChange(state, replyTo, request.by);
    case 'wait-started':
    case 'set-failover':
    case 'abort-switch':
      return null;
  }
}

function onControl(state: State, id: number, request: ControlRequest): Decision {
  const replyTo = { kind: 'control', id } as const;
  const busy = busyWith(state, replyTo, request);
  return busy === null
    ? askedBy(request.by, carryOut(state, replyTo, request))
    : refuseBusy(state, replyTo, busy);
}

function carryOut(state: State, replyTo: ReplyTo, request: ControlRequest): Decision {
  switch (request.kind) {
    case 'start':
    case 'wait-started':
      return onStartRequest(state, replyTo, request.kind, request.kind === 'start' && request.force);
    case 'stop':
      return onStopRequest(state, replyTo, request);
    case 'set-failover':
      return onSetFailover(state, replyTo, request.enabled);
    case 'switch':
      return onSwitchCommand(state, replyTo, request);
    case 'abort-switch':
      return onAbortSwitch(state, replyTo);
    case 'detach':
      return onDetachRequest(state, replyTo, request);
    case 'attach':
      return onAttachRequest(state, replyTo, request);
    case 'maintenance-begin':
    case 'maintenance-end':
      return onMaintenanceRequest(state, replyTo, request);
  }
}

function onRequest(state: State, replyTo: ReplyTo, request: PeerRequest): Decision {
  const busy = busyWith(state, replyTo, request);
  return busy === null
    ? askedBy(request.by, carryOutFor(state, replyTo, request))
    : refuseBusy(state, replyTo, busy);
}

function carryOutFor(state: State, replyTo: ReplyTo, request: PeerRequest): Decision {
  switch (request.kind) {
    case 'stop':
      return onStopRequest(state, replyTo, { ...request, all: false });
    case 'switch':
      return onSwitchCommand(state, replyTo, request);
    case 'abort-switch':
      return onAbortSwitch(state, replyTo);
    case 'detach':
      return onDetachRequest(state, replyTo, request);
    case 'attach':
      return onAttachRequest(state, replyTo, request);
    case 'maintenance-begin':
    case 'maintenance-end':
      return onMaintenanceRequest(state, replyTo, request);
  }
}

function onTick(before: State): Decision {
  const state: State = { ...before, tick: clocksOf(before) };
  const boot = [askReferences, askPolicy, onBootTick].reduce(andThen, onPeersTick(state));
  return andThen(boot, advanceBoot);
}

/** Asks the policy about the peers whose silence could make this server act. */
function askPolicy(state: State): Decision {
  const { sync, own, giving } = state;
  if (!sync || !state.failover.enabled || state.stop) return decided(state);
  if (own.role === 'standby') {
    const concerned = sync.eligible.includes(state.self.id) && own.report?.receiver !== 'streaming';
    const leaves = state.peers[sync.primary]?.view?.leaving;
    return concerned && !leaves && !state.takeover ? askAbout(state, [sync.primary]) : decided(state);
  }
  const booting = state.boot.kind === 'asking-peers';
  const voters = booting ? sync.eligible : sync.voters.filter((id) => !streams(state, id));
  return askAbout(state, giving ? [giving.handover.to] : voters);
}

/** After every event: go on with what is under way, judge the pair again, persist before anyone else can see it. */
function settle(before: State, decision: Decision, isTick: boolean): Decision {
  const steps = [
    advanceStop,
    advanceVote,
    watchOthers,
    advancePreparation,
    advanceHandover,
    advanceRevival,
    advanceTakeover,
    advanceFollow,
    advanceSync,
    advanceMaintenance,
    advanceSlots,
    endDetach,
    endSwitch,
    endPassedOn,
  ];
  const further = steps.reduce(
    andThen,
    andThen(decision, (state) => decided(endGrant(unpark(state)))),
  );
  const kept = andThen(andThen(further, answerStarts), (state) => decided(keepTask(state)));
  const judged = andThen(kept, (state) => judge(before, state));
  const told = andThen(judged, (state) => report(before, state, isTick));
  const record = toPersist(told.state);
  if (!record) return told;
  const first: Action = { kind: 'persist', ...record };
  return { state: { ...told.state, persisted: record.persisted }, actions: [first, ...told.actions] };
}

/**
 * What others act upon is told at once, not only with the next heartbeat. Once for each event, as it is at its end: two views
 * of one number would say different things, and the older one could overtake the newer.
 */
const report = (before: State, state: State, isTick: boolean): Decision =>
  nothingToReport(before, state) && !isTick
    ? decided(state)
    : decided(state, { kind: 'heartbeat', view: ownView(state) });

/** A primary that learns of a newer one, or that it is cut off itself, stops; it has promised not to go on alone. */
function watchOthers(state: State): Decision {
  const { own, sync } = state;
  const serving = own.role === 'primary' && (own.phase === 'running' || own.phase === 'silent');
  if (!serving || !sync || state.stop || state.giving || state.ending) return decided(state);
  // One that is being stopped may have acknowledged commits before that, as one that runs may.
  const newer = heardPeers(state).find(({ view }) => isLater(sync, view) && hasPostmaster(view.phase));
  if (newer && sync.voters.includes(newer.line.id)) return demote(state, newer.line.id);
  // It has written down who took over, and its controller ended before its instance was stopped.
  if (own.phase === 'running' && isOvertaken(state)) return demote(state, sync.primary);
  const taker = isTaken(state);
  if (taker !== null) return isolate(state, log('MCA01134', { server: taker }));
  return isCutOff(state) ? isolate(state) : decided(state);
}

/** Its own record names a primary that is newer than its instance. */
const isOvertaken = ({ self, sync, own }: State): boolean =>
  sync !== null && own.report !== null && sync.primary !== self.id && sync.timeline > own.report.timeline;

/** Whoever waits for the instance is answered as soon as it runs, however it came to run. */
function answerStarts(state: State): Decision {
  if (state.waitingForStart.length === 0 || state.own.phase !== 'running') return decided(state);
  const told = replies(state.waitingForStart, true, isRunning);
  return decided({ ...state, waitingForStart: [] }, ...told);
}

function judge(before: State, state: State): Decision {
  if (sameJudgement(before, state) && !state.mirroring.moving) return decided(state);
  const judgement = assess(state);
  const { status, reason } = judgement;
  const whole = status === 'switchable' || status === 'failover-disabled';
  const changed = status !== state.mirroring.status;
  const sinceWall = changed ? state.wall : state.mirroring.sinceWall;
  const sameReason = !changed && reason === state.mirroring.reason;
  const reasonSinceWall = sameReason ? state.mirroring.reasonSinceWall : state.wall;
  const next: State = {
    ...state,
    mirroring: { ...judgement, sinceWall, reasonSinceWall },
    degraded: whole ? null : state.degraded,
  };
  const primaries = livePrimaries(next);
  const split = primaries.length > 1 && livePrimaries(before).length <= 1;
  // A controller on its way out only sees what it does itself.
  const quiet = state.stop !== null || !changed;
  return decided(
    next,
    ...(split ? [log('MCA01030', { servers: primaries.join(', ') })] : []),
    ...(quiet ? [] : [log(whole ? 'MCA01023' : 'MCA01024', { status, reason })]),
  );
}
