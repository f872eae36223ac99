/**
 * The primary gives its role away: on request, with the proof that nothing is missing, or because its own instance or
 * disk has failed. It first makes sure that its instance is stopped, remembers to whom it gives, and only then says so.
 * The instance starts again only when the other side has said no. Pure.
 */
import { beginStart, countAttempt, startInstance } from './boot.ts';
import { andThen, type Decision, decided, log, replies, withOwn } from './decision.ts';
import { dutyAt, dutyOf, mayTakeOver } from './duty.ts';
import type { Proof } from './event.ts';
import { heedsMaintenance, isLeftOut, isMaintained } from './maintenance.ts';
import { doubt } from './pause.ts';
import type { Giving } from './processes.ts';
import { mayBelieve } from './promise.ts';
import { unwritten } from './remember.ts';
import { bytesAhead, type Heard, heardPeers, isBefore, isHeard, leader, positionOf } from './servers.ts';
import { believesGone, isSilent } from './silence.ts';
import type { Peer, State } from './state.ts';
import { isBound } from './term.ts';
import { type Handover, type ServerId, type ServerView, understandsProof } from './view.ts';

/** Standbys that could take over now, the preferred first, then the most advanced: whoever gets the role shows that it holds all. */
export function candidates(
  state: State,
  force: boolean,
  isFree: (view: ServerView) => boolean = ({ yield: to }) => to === null,
): ServerId[] {
  const fits = ({ line, view }: Heard): boolean =>
    view.role === 'standby' &&
    view.phase === 'running' &&
    view.leaving === null &&
    view.takeover === null &&
    isFree(view) &&
    !isLeftOut(state, line.id) &&
    heedsMaintenance(state, view) &&
    view.failedDisks.length === 0 &&
    view.unsaved === undefined &&
    (force || (state.sync?.eligible.includes(line.id) === true && mayTakeOver(dutyOf(view))));
  return heardPeers(state)
    .filter(fits)
    .sort(
      (a, b) =>
        dutyAt(state, b.line.id).priority - dutyAt(state, a.line.id).priority ||
        bytesAhead(positionOf(b.view), positionOf(a.view)) ||
        (isBefore(state, a.line.id, b.line.id) ? -1 : 1),
    )
    .map((peer) => peer.line.id);
}

/** Higher than that of the handover before it, also when the clock was set back. */
const newHandoverId = (state: State): number => Math.max(state.wall, (state.giving?.handover.id ?? 0) + 1);

/** Where a register answers, the receiver of the role has to know who else may believe that it can take over. */
export function newHandover(state: State, kind: Handover['kind'], to: ServerId): Handover {
  const { sync, withdrawn } = state;
  const handover = { id: newHandoverId(state), kind, to, checkpoint: null };
  if (!sync || !isBound(sync)) return handover;
  const all = [...sync.eligible, ...Object.keys(withdrawn)].filter((id) => id !== to);
  return { ...handover, believers: [...new Set(all)] };
}

/** The own instance or disk has failed: hands over if there is somebody to hand over to. */
export function onOwnFault(state: State, why: string, restartable: boolean): Decision {
  if (state.own.role !== 'primary' || !state.failover.enabled || state.stop || state.giving || state.ending)
    return decided(state);
  // To whom a role was given must not be forgotten.
  if (state.place !== null) return decided(state);
  // Who leads by no promise of its own, as one that somebody has promoted by hand, has no role to give away.
  if (state.sync?.primary !== state.self.id || isMaintained(state, state.self.id)) return decided(state);
  const [to] = candidates(state, false);
  if (to === undefined) return decided(state);
  const handover = newHandover(state, 'failover', to);
  const next: State = {
    ...withOwn(state, { phase: 'stopping' }),
    boot: { kind: 'left' },
    preparing: null,
    change: null,
    proving: null,
    giving: { stage: 'stop', handover, tried: [], restartable },
  };
  return decided(next, log('MCA01043', { why, server: to }), { kind: 'stop-instance', mode: 'immediate' });
}

export function onGivingStopped(state: State, proof: Proof | null): Decision {
  const { giving } = state;
  if (giving?.stage !== 'stop') return decided(state);
  const { handover } = giving;
  const stopped: State = {
    ...withOwn(state, { phase: 'stopped', missedChecks: 0 }),
    boot: { kind: 'handed' },
  };
  // To whom it was given could not be written down, so that it is given to nobody. As after a long shutdown: only new words count.
  if (state.place !== null)
    return takeBack(doubt(stopped, Object.keys(stopped.peers)), giving, unwritten(state, state.place));
  if (handover.kind === 'failover') return decided(toGiven(stopped, giving));
  if (proof?.state !== 'shut down') {
    const why = `pg_controldata says '${proof?.state ?? 'nothing'}' instead of 'shut down'`;
    // It may have taken long: meanwhile others may have taken this server for dead, and only what they say from now on counts.
    return takeBack(doubt(stopped, Object.keys(stopped.peers)), giving, why);
  }
  const proven: Giving = { ...giving, handover: { ...handover, checkpoint: proof.checkpoint } };
  return decided(toGiven(stopped, proven), log('MCA01044', { checkpoint: proof.checkpoint }));
}

const toGiven = (state: State, giving: Giving): State => ({
  ...state,
  giving: { ...giving, stage: 'given' },
});

/**
 * An instance that cannot be stopped is no obstacle to a failover: its names stay in force as long as the role is given
 * away, so that it cannot acknowledge anything once the other side has cut its receiver.
 */
export function onGivingStopFailed(state: State, why: string): Decision {
  const { giving } = state;
  if (giving?.stage !== 'stop') return decided(state);
  const { handover } = giving;
  const told = log('MCA01011', { why });
  if (handover.kind === 'failover')
    return decided(
      toGiven({ ...withOwn(state, { phase: 'silent' }), boot: { kind: 'handed' } }, giving),
      told,
    );
  const going: State = {
    ...withOwn(state, { phase: 'unknown' }),
    giving: null,
    waitingForSwitch: [],
  };
  return decided(going, told, ...replies(state.waitingForSwitch, false, `the instance did not stop: ${why}`));
}

/** Looks how the other side does. Called after every event. */
export function advanceHandover(state: State): Decision {
  const { giving } = state;
  if (giving?.stage !== 'given') return decided(state);
  const { handover } = giving;
  const peer = state.peers[handover.to];
  const view = peer?.reach === 'up' ? peer.view : null;
  // Its first report tells the port to follow it by.
  const led = leader(state);
  const promoted = led?.view.report ? led : undefined;
  if (promoted) return handedOver(state, giving, promoted);
  if (view?.declined?.id === handover.id && isProven(view)) return next(state, giving, view.declined.why);
  if (!peer || mayTakeBack(state, peer)) return next(state, giving, `${handover.to} is not heard any more`);
  if (isSilent(state, handover.to)) return answerUnknown(state, handover);
  return view?.takeover?.id === handover.id && giving.taken !== handover.to
    ? decided({ ...state, giving: { ...giving, taken: handover.to } })
    : decided(state);
}

/** What has become of it only the other side, or the register, can say; whoever has asked does not wait for that. */
function answerUnknown(state: State, { to }: Handover): Decision {
  const text = `${to} was given the role and is not heard any more: it may have become primary, and ${state.self.id} stays stopped until that is known. What to do says mc_ctl status`;
  return decided({ ...state, waitingForSwitch: [] }, ...replies(state.waitingForSwitch, false, text));
}

/** An earlier version declines when a limit of time is over, and its instance may still become primary. */
const isProven = ({ takeover, understands = 1 }: ServerView): boolean =>
  takeover === null && understands >= understandsProof;

/**
 * Silence takes the role back only while the other side has not said that it takes it: it may have acknowledged commits
 * since, even if it is dead now. Then a person decides, with mc_ctl start here, or it comes back and says no.
 */
const mayTakeBack = (state: State, peer: Peer): boolean =>
  !hasBegun(peer) && believesGone(state, peer.line.id);

/** What it said before this start of the controller is forgotten, so that it may have been yes. */
const hasBegun = ({ view }: Peer): boolean =>
  view === null || view.takeover !== null || view.role === 'primary';

/** The role was given to a server that has not said that it takes it, and is silent: the register can answer for it. */
export function silentTaker(state: State): ServerId[] {
  const { giving } = state;
  const peer = giving?.stage === 'given' ? state.peers[giving.handover.to] : undefined;
  if (!peer || hasBegun(peer) || !isSilent(state, peer.line.id) || !mayBelieve(state, peer.line.id))
    return [];
  return [peer.line.id];
}

function handedOver(state: State, giving: Giving, to: Heard): Decision {
  if (giving.handover.kind === 'failover') {
    const why = `${to.line.id} is primary; this server must be rebuilt as its standby`;
    const over: State = { ...state, giving: null, boot: { kind: 'failed', why } };
    // What is remembered from now on is whose promise counts: this server never starts again on another's silence.
    return decided({ ...over, sync: to.view.sync ?? state.sync }, log('MCA01045', { server: to.line.id }));
  }
  const address = addressOf(state, to.line.id);
  const following: State = { ...state, giving: { ...giving, stage: 'following' } };
  return decided(following, log('MCA01046', { server: to.line.id }), { kind: 'follow', ...address });
}

/**
 * Where a server can be replicated from: by the word that is configured, since the password file has a line for that one and
 * libpq compares text; else as a primary has seen it, else where its controller is.
 */
export function addressOf(state: State, server: ServerId): { host: string; port: number } {
  const peer = state.peers[server];
  const report = peer?.view?.report;
  const seen = state.addresses[server];
  const observed = seen === '' ? report?.socketDir : (seen ?? peer?.line.host);
  const host = state.conf.logTransferAddresses[server] ?? observed ?? '';
  return { host, port: report?.port ?? 5432 };
}

/** The other side has refused: the next one, or the own instance again. */
function next(state: State, giving: Giving, why: string): Decision {
  const { handover } = giving;
  const tried = [...giving.tried, handover.to];
  // Who has cut its receiver for one that has declined is about to hear of that, and then takes the role.
  const declined = (id: ServerId): boolean => tried.includes(id) && hasDeclined(state, id);
  const isFree = ({ yield: word }: ServerView): boolean => word === null || declined(word.to);
  const other =
    handover.kind === 'failover'
      ? candidates(state, false, isFree).find((it) => !tried.includes(it))
      : undefined;
  if (other === undefined) return takeBack(state, giving, why);
  const again: Giving = { ...giving, handover: newHandover(state, handover.kind, other), tried };
  return decided({ ...state, giving: again }, log('MCA01043', { why, server: other }));
}

function hasDeclined({ peers }: State, id: ServerId): boolean {
  const peer = peers[id];
  return isHeard(peer) && peer.view.takeover === null && peer.view.declined !== null;
}

function takeBack(state: State, { handover: { to }, restartable }: Giving, why: string): Decision {
  const told = replies(state.waitingForSwitch, false, `${to} did not take over: ${why}`);
  const back: State = { ...state, giving: null, waitingForSwitch: [] };
  const words = [log('MCA01047', { server: to, why }), ...told];
  const counted = countAttempt(back);
  if (restartable) return andThen(decided(counted, ...words), (it) => beginStart(it, false));
  // Its disk has failed: it is down until that works again, or until another standby can take over (`revive.ts`).
  return decided({ ...withOwn(counted, { phase: 'down' }), boot: { kind: 'failed', why } }, ...words);
}

/** The former primary is a standby from now on; it starts as one. */
export function onFollowedAfterSwitch(state: State): Decision {
  if (state.giving?.stage !== 'following') return decided(state);
  const { to } = state.giving.handover;
  const told = replies(state.waitingForSwitch, true, `${to} is primary; ${state.self.id} follows it`);
  // What the new primary promises holds from now on; it is not learnt as a change that would have to be followed again.
  const sync = state.peers[to]?.view?.sync ?? state.sync;
  const standby: State = {
    ...withOwn(state, { role: 'standby' }),
    sync,
    giving: null,
    waitingForSwitch: [],
  };
  return andThen(decided({ ...standby, degraded: null }, ...told), startInstance);
}

export function onFollowFailedAfterSwitch(state: State, why: string): Decision {
  if (state.giving?.stage !== 'following') return decided(state);
  const { to } = state.giving.handover;
  const text = `${to} is primary, but ${state.self.id} does not follow it: ${why}`;
  const over: State = {
    ...state,
    giving: null,
    waitingForSwitch: [],
    boot: { kind: 'failed', why: text },
  };
  return decided(over, log('MCA01048', { why }), ...replies(state.waitingForSwitch, false, text));
}
