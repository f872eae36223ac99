/**
 * decide(state, event) → {state, actions}: the whole judgement of the controller, without clock, timer, socket or
 * database. The same state and event always give the same answer, so a log of events can be replayed.
 */
import type { Action } from './action.ts';
import {
  advanceBoot,
  onBoot,
  onBootTick,
  onInstanceStarted,
  onPrimaryProbe,
  onStartFailed,
  onStartRequest,
} from './boot.ts';
import { andThen, type Decision, decided, log, replies } from './decision.ts';
import type { ControlRequest, Event } from './event.ts';
import { onDiskCheck, onInstanceCheck } from './instance.ts';
import { onHeard, onPeerRefused, onPeersTick, onReload, onSetFailover } from './peers.ts';
import { noPosition, ownView, type Persisted, type State } from './state.ts';
import { assess, livePrimaries } from './status.ts';
import { onInstanceStopped, onPeerReply, onStopFailed, onStopRequest } from './stop.ts';

export type { Decision } from './decision.ts';

const rewritePositionEveryMs = 60_000;

export function decide(before: State, event: Event): Decision {
  const state = { ...before, now: event.at, wall: event.wall };
  return settle(before, handle(state, event));
}

function handle(state: State, event: Event): Decision {
  switch (event.kind) {
    case 'boot':
      return onBoot(state, event);
    case 'tick':
      return onTick(state);
    case 'heard':
      return onHeard(state, event.peer, event.view);
    case 'peer-refused':
      return onPeerRefused(state, event.peer);
    case 'stranger':
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
      return onInstanceStopped(state);
    case 'stop-failed':
      return onStopFailed(state, event.why);
    case 'control':
      return onControl(state, event.id, event.request);
    case 'peer-request':
      return onStopRequest(
        state,
        { kind: 'peer', peer: event.peer, id: event.id },
        { ...event.request, all: false },
      );
    case 'peer-reply':
      return onPeerReply(state, event.peer, event.ok, event.text);
    case 'terminate':
      return onStopRequest(state, null, { all: false, mcOnly: false, force: false });
    case 'reload':
      return onReload(state, event);
    case 'reload-failed':
      return decided(state, log('MCA01029', { why: event.why }));
    case 'persist-failed':
      return decided({ ...state, persisted: null }, log('MCA01027', { why: event.why }));
  }
}

function onControl(state: State, id: number, request: ControlRequest): Decision {
  const replyTo = { kind: 'control', id } as const;
  switch (request.kind) {
    case 'start':
    case 'wait-started':
      return onStartRequest(state, replyTo, request.kind);
    case 'stop':
      return onStopRequest(state, replyTo, request);
    case 'set-failover':
      return onSetFailover(state, replyTo, request.enabled);
  }
}

function onTick(state: State): Decision {
  const peers = onPeersTick(state);
  const boot = andThen(peers, onBootTick);
  const advanced = andThen(boot, advanceBoot);
  return andThen(advanced, (it) => decided(it, { kind: 'heartbeat', view: ownView(it) }));
}

/** After every event: judge the pair again, say what changed, and persist before anyone else can see it. */
function settle(before: State, decision: Decision): Decision {
  const judged = andThen(andThen(decision, answerStarts), (state) => judge(before, state));
  const persisted = toPersist(judged.state);
  if (!persisted) return judged;
  const first: Action = { kind: 'persist', persisted };
  return { state: { ...judged.state, persisted }, actions: [first, ...judged.actions] };
}

/** Whoever waits for the instance is answered as soon as it runs, however it came to run. */
function answerStarts(state: State): Decision {
  if (state.waitingForStart.length === 0 || state.own.phase !== 'running') return decided(state);
  const told = replies(state.waitingForStart, true, 'the instance is running');
  return decided({ ...state, waitingForStart: [] }, ...told);
}

function judge(before: State, state: State): Decision {
  const mirroring = assess(state);
  const whole = mirroring.status === 'switchable' || mirroring.status === 'failover-disabled';
  const changed = mirroring.status !== state.mirroring.status;
  const next: State = {
    ...state,
    mirroring,
    mirroringSinceWall: changed ? state.wall : state.mirroringSinceWall,
    degraded: whole ? null : state.degraded,
  };
  const primaries = livePrimaries(next);
  const split = primaries.length > 1 && livePrimaries(before).length <= 1;
  const words = { status: mirroring.status, reason: mirroring.reason };
  // A controller on its way out only sees what it does itself.
  const quiet = state.stop !== null || !changed;
  return decided(
    next,
    ...(split ? [log('MCA01030', { servers: primaries.join(', ') })] : []),
    ...(quiet ? [] : [log(whole ? 'MCA01023' : 'MCA01024', words)]),
  );
}

/** The position is written now and then; what a restart must not forget, at once. */
function toPersist(state: State): Persisted | null {
  const { own, failover, degraded, persisted: last } = state;
  if (state.boot.kind === 'new') return null;
  const now: Persisted = {
    role: own.role,
    timeline: own.report?.timeline ?? last?.timeline ?? 0,
    lsn: own.report?.lsn ?? last?.lsn ?? noPosition,
    systemId: own.report?.systemId ?? last?.systemId ?? '',
    failover,
    degraded,
    wroteWall: state.wall,
  };
  const important = ['role', 'timeline', 'systemId', 'degraded'] as const;
  const same = last !== null && important.every((key) => last[key] === now[key]);
  const flag = last?.failover;
  const sameFlag = flag?.enabled === failover.enabled && flag.changedAtWall === failover.changedAtWall;
  const old = last !== null && last.lsn !== now.lsn && state.wall - last.wroteWall >= rewritePositionEveryMs;
  return same && sameFlag && !old ? null : now;
}
