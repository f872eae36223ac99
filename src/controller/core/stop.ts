/**
 * Stopping: this server, or all of them, standbys first and the primary last, so that no commit waits for a standby
 * that is gone and every standby has the shutdown checkpoint's way open. The controller ends only after it. Pure.
 */
import { andThen, type Decision, decided, hasPostmaster, log, replies, withOwn } from './decision.ts';
import type { ReplyTo, ServerId, State, Stop } from './state.ts';

export interface StopWish {
  readonly all: boolean;
  readonly mcOnly: boolean;
  readonly force: boolean;
}

export function onStopRequest(state: State, replyTo: ReplyTo | null, wish: StopWish): Decision {
  const asking = replyTo ? [replyTo] : [];
  if (state.stop) return joinStop(state, state.stop, asking, wish);
  const { order, failures } = wish.all ? stopOrder(state) : { order: [state.self.id], failures: [] };
  const given = replies(state.waitingForStart, false, 'the controller is being stopped');
  const stop: Stop = { replyTo: asking, ...wish, queue: order, current: state.self.id, failures };
  return andThen(decided({ ...state, stop, waitingForStart: [] }, ...given), nextServer);
}

/** A second request waits for the first; with -e it also makes the running one forceful. */
function joinStop(state: State, stop: Stop, asking: readonly ReplyTo[], wish: StopWish): Decision {
  const joined = { ...stop, replyTo: [...stop.replyTo, ...asking], force: stop.force || wish.force };
  const harder =
    wish.force && !stop.force && stop.current === state.self.id && hasPostmaster(state.own.phase);
  return decided(
    { ...state, stop: joined },
    ...(harder ? [log('MCA01009', { mode: 'forced' }), { kind: 'stop-instance', force: true } as const] : []),
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
  if (current === state.self.id) return stopOwn(going, stop);
  const request = { kind: 'stop', mcOnly: stop.mcOnly, force: stop.force } as const;
  return decided(going, { kind: 'ask-peer', peer: current, request });
}

function stopOwn(state: State, { mcOnly, force }: Stop): Decision {
  // 'unknown' is a controller that has just attached: there may be a postmaster.
  const there = hasPostmaster(state.own.phase) || state.own.phase === 'unknown';
  if (mcOnly || !there) return nextServer({ ...state, boot: { kind: 'left' } });
  const stopping: State = { ...withOwn(state, { phase: 'stopping' }), boot: { kind: 'left' } };
  const mode = force ? 'forced' : 'fast';
  return decided(stopping, log('MCA01009', { mode }), { kind: 'stop-instance', force });
}

export function onInstanceStopped(state: State): Decision {
  if (state.own.phase !== 'stopping') return decided(state);
  const stopped = withOwn(state, { phase: 'stopped', missedChecks: 0 });
  return andThen(decided(stopped, log('MCA01010')), nextServer);
}

/** Without -e the controller stays: an instance that will not stop needs watching more than any other. */
export function onStopFailed(state: State, why: string): Decision {
  const { stop } = state;
  if (state.own.phase !== 'stopping' || !stop) return decided(state);
  const going = withOwn(state, { phase: 'unknown' });
  const told = decided(going, log('MCA01011', { why }));
  const failures = [...stop.failures, `the instance of ${state.self.id} did not stop: ${why}`];
  if (stop.force) return andThen(told, (it) => nextServer({ ...it, stop: { ...stop, failures } }));
  return andThen(told, (it) =>
    decided({ ...it, stop: null }, ...replies(stop.replyTo, false, failures.join('; '))),
  );
}

export function onPeerReply(state: State, peer: ServerId, ok: boolean, text: string): Decision {
  const { stop } = state;
  if (!stop || stop.current !== peer) return decided(state);
  const failures = ok ? stop.failures : [...stop.failures, `${peer}: ${text}`];
  return nextServer({ ...state, stop: { ...stop, failures } });
}

function finish(state: State, stop: Stop): Decision {
  const text = stop.failures.length === 0 ? 'stopped' : stop.failures.join('; ');
  return decided(state, log('MCA01012'), ...replies(stop.replyTo, stop.failures.length === 0, text), {
    kind: 'exit',
    code: 0,
  });
}
