/**
 * Stopping: this server, or all of them, standbys first and the primary last, so that no commit waits for a standby
 * that is gone and every standby has the shutdown checkpoint's way open. The controller ends only after it. Pure.
 */
import { giveUpTimeMs } from '../config.ts';
import type { Action } from './action.ts';
import { andThen, type Decision, decided, log, replies, withOwn } from './decision.ts';
import type { Happening, Proof } from './event.ts';
import { onGivingStopFailed, onGivingStopped } from './handover.ts';
import type { PassedOn, ReplyTo, Stop } from './processes.ts';
import { promise } from './promise.ts';
import { onPromotionStopFailed, onPromotionStopped } from './promotion.ts';
import { hasPostmaster } from './servers.ts';
import type { State } from './state.ts';
import type { ServerId } from './view.ts';

/** One server is asked to stop at a time; what is passed on for a person has the number of its event, which is higher. */
const stopRequest = 0;

export interface StopOptions {
  readonly all: boolean;
  readonly mcOnly: boolean;
  readonly force: boolean;
}

export function onStopRequest(state: State, replyTo: ReplyTo | null, options: StopOptions): Decision {
  const asking = replyTo ? [replyTo] : [];
  if (state.stop) return joinStop(state, state.stop, asking, options);
  const { order, failures } = options.all ? stopOrder(state) : { order: [state.self.id], failures: [] };
  const given = replies(state.waitingForStart, false, 'the controller is being stopped');
  const stop: Stop = {
    replyTo: asking,
    ...options,
    queue: order,
    current: state.self.id,
    failures,
    announcingUntil: null,
  };
  const going: State = { ...state, stop, waitingForStart: [], preparing: null, change: null, proving: null };
  return andThen(decided(going, ...given), nextServer);
}

/** A second request waits for the first; with -e it also makes the running one forceful. */
function joinStop(state: State, stop: Stop, asking: readonly ReplyTo[], options: StopOptions): Decision {
  const joined = { ...stop, replyTo: [...stop.replyTo, ...asking], force: stop.force || options.force };
  const harder =
    options.force && !stop.force && stop.current === state.self.id && hasPostmaster(state.own.phase);
  return decided(
    { ...state, stop: joined },
    ...(harder
      ? [log('MCA01009', { mode: 'forced' }), { kind: 'stop-instance', mode: 'forced' } as const]
      : []),
  );
}

/** Standbys, then the primary; servers that cannot be asked are named, unless there is nothing to stop there. */
function stopOrder(state: State): { order: ServerId[]; failures: string[] } {
  const others = Object.values(state.peers);
  const reachable = others.filter((peer) => peer.reach === 'up').map((peer) => peer.line.id);
  const isPrimary = (id: ServerId) =>
    (id === state.self.id ? state.own.role : state.peers[id]?.view?.role) === 'primary';
  const servers = [...reachable, state.self.id];
  const failures = others
    .filter((peer) => peer.reach === 'lost' || peer.reach === 'unknown')
    .map((peer) => `${peer.line.id} could not be reached and was not stopped`);
  return { order: [...servers.filter((id) => !isPrimary(id)), ...servers.filter(isPrimary)], failures };
}

function nextServer(state: State): Decision {
  const { stop } = state;
  if (!stop) return decided(state);
  const [current, ...queue] = stop.queue;
  if (current === undefined) return finish(state, stop);
  const going: State = { ...state, stop: { ...stop, current, queue } };
  if (current === state.self.id) return announceLeaving(going, going.stop);
  const request = { kind: 'stop', mcOnly: stop.mcOnly, force: stop.force } as const;
  return decided(going, { kind: 'ask-peer', peer: current, id: stopRequest, request });
}

/**
 * The others hear first that this is no fault: a primary takes back its promise, so that no standby takes over while it
 * is away, and a standby is taken out before its WAL stops. A primary does not wait much longer than an answer takes; a
 * standby gives the primary time, since its commits would wait for a standby that is gone.
 */
function announceLeaving(state: State, stop: Stop | null): Decision {
  if (!stop) return decided(state);
  const leads = promises(state) && state.sync !== null && state.sync.eligible.length > 0;
  const told: State = { ...state, leaving: stop.mcOnly ? 'controller' : 'instance' };
  const patienceMs = state.own.role === 'standby' ? giveUpTimeMs(state.conf) : state.conf.heartbeatTimeoutMs;
  const announcingUntil = state.now + patienceMs;
  const next: State = {
    ...(leads ? takenBack(told) : told),
    stop: { ...stop, announcingUntil },
  };
  return advanceStop(next);
}

/**
 * Nobody may take over any more. A standby that has told that its instance stops need not be asked for at the next start: it takes
 * nothing over on its way out, and after its next start only on a new word.
 */
function takenBack(state: State): State {
  const next = promise(state, { eligible: [] });
  const leaves = (id: ServerId): boolean => {
    const view = state.peers[id]?.view;
    const takesOver = view?.role !== 'standby' || view.takeover !== null || view.yield !== null;
    return view?.leaving === 'instance' && !takesOver;
  };
  const open = Object.entries(next.withdrawn).filter(([id]) => !leaves(id));
  return { ...next, withdrawn: Object.fromEntries(open) };
}

/** Whether everybody who must know of the leaving does. Called after every event. */
export function advanceStop(state: State): Decision {
  const { stop } = state;
  if (!stop || stop.announcingUntil === null || stop.current !== state.self.id) return decided(state);
  if (state.now < stop.announcingUntil && !everybodyKnows(state, stop)) return decided(state);
  return stopOwn({ ...state, stop: { ...stop, announcingUntil: null } }, stop);
}

/** Only a primary that serves can take its promise back: a former one would forget whom it has to ask before it starts. */
const promises = ({ own, self, sync, giving, ending }: State): boolean =>
  own.role === 'primary' && hasPostmaster(own.phase) && sync?.primary === self.id && !giving && !ending;

function everybodyKnows(state: State, { mcOnly }: Stop): boolean {
  const { sync } = state;
  if (!sync) return true;
  const up = Object.values(state.peers).filter((peer) => peer.reach === 'up');
  if (state.own.role === 'primary') {
    return up
      .filter((peer) => sync.voters.includes(peer.line.id))
      .every((peer) => peer.view?.sync?.primary !== state.self.id || peer.view.sync.epoch >= sync.epoch);
  }
  // A standby waits until the primary does without it, if the primary can be heard and would wait for it.
  const primary = up.find((peer) => peer.line.id === sync.primary);
  const voters = primary?.view?.sync?.voters ?? [];
  return (
    mcOnly || !state.failover.enabled || primary?.view?.leaving != null || !voters.includes(state.self.id)
  );
}

function stopOwn(state: State, { mcOnly, force }: Stop): Decision {
  // 'unknown' is a controller that has just attached: there may be a postmaster.
  const there = hasPostmaster(state.own.phase) || state.own.phase === 'unknown';
  if (mcOnly || !there) return nextServer({ ...state, boot: { kind: 'left' } });
  const stopping: State = { ...withOwn(state, { phase: 'stopping' }), boot: { kind: 'left' } };
  const mode = force ? 'forced' : 'fast';
  return decided(stopping, log('MCA01009', { mode }), { kind: 'stop-instance', mode });
}

export function onInstanceStopped(state: State, proof: Proof | null, endedSenders = 0): Decision {
  const words = endedSenders > 0 ? [log('MCA01092', { count: String(endedSenders) })] : [];
  return andThen(decided(state, ...words), (it) => stopped(it, proof));
}

function stopped(state: State, proof: Proof | null): Decision {
  if (state.own.phase !== 'stopping') return decided(state);
  if (state.promotion?.stopping && !state.stop) return onPromotionStopped(state, proof);
  if (state.giving?.stage === 'stop' && !state.stop) return onGivingStopped(state, proof);
  if (state.ending && !state.stop) return onEnded(state);
  const ended = withOwn(state, { phase: 'stopped', missedChecks: 0 });
  return andThen(decided(ended, log('MCA01010')), nextServer);
}

/** Without -e the controller stays: an instance that will not stop needs watching more than any other. */
export function onStopFailed(state: State, why: string): Decision {
  const { stop } = state;
  if (state.own.phase !== 'stopping') return decided(state);
  if (!stop && state.promotion?.stopping) return onPromotionStopFailed(state, why);
  if (!stop && state.giving) return onGivingStopFailed(state, why);
  if (!stop)
    return decided({ ...withOwn(state, { phase: 'silent' }), ending: null }, log('MCA01011', { why }));
  const going = withOwn(state, { phase: 'unknown' });
  const told = decided(going, log('MCA01011', { why }));
  const failures = [...stop.failures, `the instance of ${state.self.id} did not stop: ${why}`];
  if (stop.force) return andThen(told, (it) => nextServer({ ...it, stop: { ...stop, failures } }));
  const answers = replies(stop.replyTo, false, failures.join('; '));
  const over = { stop: null, leaving: null };
  // It was being stopped before, for something that waits for the outcome still.
  const goesOn = state.promotion?.stopping || state.giving?.stage === 'stop' || state.ending;
  return goesOn
    ? andThen(decided({ ...state, ...over }, ...answers), (it) => onStopFailed(it, why))
    : andThen(told, (it) => decided({ ...it, ...over }, ...answers));
}

export function onStopReply(
  state: State,
  { peer, id, ok, text }: Omit<Extract<Happening, { kind: 'peer-reply' }>, 'kind'>,
): Decision {
  const { stop } = state;
  if (!stop || id !== stopRequest || stop.current !== peer) return decided(state);
  const failures = ok ? stop.failures : [...stop.failures, `${peer}: ${text}`];
  return nextServer({ ...state, stop: { ...stop, failures } });
}

/** A connection that just ends looks like a controller that hangs. */
function leftBehind({ self, passedOn, waitingForSwitch, promotion }: State): Action[] {
  const here = [...waitingForSwitch, ...(promotion?.stopping?.replyTo ?? [])];
  const ends = `the controller of ${self.id} was stopped meanwhile`;
  const goesOn = ({ peer, replyTo }: PassedOn) =>
    replies([replyTo], false, `${ends}; ${peer} goes on with what it was asked for: mc_ctl status there`);
  return [...replies(here, false, `${ends}; see mc_ctl status`), ...passedOn.flatMap(goesOn)];
}

function finish(state: State, stop: Stop): Decision {
  const text = stop.failures.length === 0 ? 'stopped' : stop.failures.join('; ');
  const told = replies(stop.replyTo, stop.failures.length === 0, text);
  return decided(state, log('MCA01012'), ...told, ...leftBehind(state), { kind: 'exit', code: 0 });
}

/** This server was primary while another one is now, and has promised not to acknowledge anything without it. */
export function demote(state: State, by: ServerId): Decision {
  const why = `${by} is primary; this server must be rebuilt as its standby`;
  const ending: State = {
    ...withOwn(state, { phase: 'stopping' }),
    ending: 'demoted',
    sync: state.peers[by]?.view?.sync ?? state.sync,
    boot: { kind: 'failed', why },
    change: null,
    proving: null,
  };
  return decided(ending, log('MCA01054', { peer: by }), { kind: 'stop-instance', mode: 'immediate' });
}

/** Neither its standbys nor any reference address can be reached: it is this server that is cut off. */
export function isolate(state: State, words: Action = log('MCA01055')): Decision {
  const ending: State = {
    ...withOwn(state, { phase: 'stopping' }),
    ending: 'isolated',
    change: null,
    proving: null,
  };
  return decided(ending, words, { kind: 'stop-instance', mode: 'immediate' });
}

function onEnded(state: State): Decision {
  if (state.ending === 'demoted') {
    const why = state.boot.kind === 'failed' ? state.boot.why : 'another server is primary';
    const held: State = {
      ...withOwn(state, { phase: 'held', report: null }),
      ending: null,
      waitingForStart: [],
    };
    return decided(held, log('MCA01010'), ...replies(state.waitingForStart, false, why));
  }
  const untilAt = state.now + giveUpTimeMs(state.conf);
  const waiting: State = {
    ...withOwn(state, { phase: 'waiting', report: null }),
    ending: null,
    boot: { kind: 'asking-peers', untilAt, byPerson: false, said: false },
  };
  return decided(waiting, log('MCA01010'));
}
