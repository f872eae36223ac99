/**
 * The stage `promote` of a takeover. A promotion that was asked for cannot be taken back: it ends with "it is primary", or with an
 * instance that is stopped and shown to be no primary; no limit of time and no broken session turns it into a no. In: a state
 * and how the instance is. Out: a decision. Pure.
 */
import { beginStart, startInstance } from './boot.ts';
import { andThen, type Decision, decided, log, replies, withOwn } from './decision.ts';
import type { CheckOutcome, Proof } from './event.ts';
import { endedHere } from './maintenance.ts';
import { switchedHere } from './passed-on.ts';
import type { Promotion, ReplyTo } from './processes.ts';
import { begunTimeline, firstPromise } from './promise.ts';
import { bytesAhead, isPromoting } from './servers.ts';
import { lastTimeline, type State, unknownPromotion } from './state.ts';
import { termOf } from './term.ts';
import type { InstanceReport, Takeover } from './view.ts';

const askAgainAfterMs = 1000;
const proveAgainAfterMs = 5000;

/** The request belongs to this start of the instance: PostgreSQL forgets it when the postmaster ends. */
export function beginPromotion(state: State, takeover: Takeover): Decision {
  const startedAtWall = state.own.report?.startedAtWall;
  const next: State = {
    ...state,
    takeover: { ...takeover, stage: 'promote', ...(startedAtWall === undefined ? {} : { startedAtWall }) },
    promotion: { asked: true, at: state.now, stopping: null, begun: null, leftBytes: null },
  };
  return decided(next, { kind: 'promote', startedAtWall: startedAtWall ?? null });
}

const change = (state: State, part: Partial<Promotion>): State => ({
  ...state,
  promotion: { ...(state.promotion ?? unknownPromotion(state.now)), ...part },
});

/** The session has ended, and nothing is known: the instance may be promoted at any moment, so it is asked for once more. */
export function onPromoteFailed(state: State, why: string): Decision {
  if (!isPromoting(state) || state.promotion?.stopping) return decided(state);
  return decided(change(state, { asked: false, at: state.now + askAgainAfterMs }), log('MCA01081', { why }));
}

/** Called with every look at the instance while the stage lasts. */
export function onPromotionCheck(state: State, outcome: CheckOutcome): Decision {
  const { takeover, promotion } = state;
  if (!takeover || promotion?.stopping) return decided(state);
  if (outcome.kind === 'gone') return stopAndProve(state, 'the instance has gone away', []);
  if (outcome.kind !== 'answer') return decided(state);
  const { report } = outcome;
  if (report.role === 'primary') return onPromoted(state, report.timeline);
  const same = takeover.startedAtWall === undefined || takeover.startedAtWall === report.startedAtWall;
  const looked = withOwn(state, { phase: 'running', report, missedChecks: 0 });
  // Another postmaster knows nothing of the request, so that it is examined again whether the takeover goes on.
  if (!same) return decided({ ...looked, takeover: examinedAgain(takeover), promotion: null });
  return askAgain(withProgress(looked, report));
}

const examinedAgain = ({ startedAtWall, ...takeover }: Takeover): Takeover => ({
  ...takeover,
  stage: 'ask',
  lsn: null,
});

function askAgain(state: State): Decision {
  const { promotion, takeover } = state;
  if (!takeover || !promotion || promotion.asked || state.now < promotion.at) return decided(state);
  return decided(change(state, { asked: true }), {
    kind: 'promote',
    startedAtWall: takeover.startedAtWall ?? null,
  });
}

/** How much is left to replay, and since when that is observed. */
function withProgress(state: State, { lsn, replayedLsn }: InstanceReport): State {
  if (!replayedLsn) return state;
  const leftBytes = Math.max(0, bytesAhead(lsn, replayedLsn));
  return change(state, { leftBytes, begun: state.promotion?.begun ?? { at: state.now, leftBytes } });
}

export function stopAndProve(state: State, why: string, replyTo: readonly ReplyTo[]): Decision {
  const stopping = change(withOwn(state, { phase: 'stopping' }), { stopping: { why, replyTo } });
  return decided(stopping, log('MCA01009', { mode: 'immediate' }), {
    kind: 'stop-instance',
    mode: 'immediate',
    prove: true,
  });
}

/** Called after every event: what could not be proven is tried again. */
export function advancePromotion(state: State): Decision {
  const { promotion, own } = state;
  if (!promotion || promotion.stopping || own.phase !== 'down' || state.now < promotion.at)
    return decided(state);
  return stopAndProve(state, 'the instance has gone away', []);
}

const recovering = ['in archive recovery', 'shut down in recovery'];
const led = ['in production', 'shutting down', 'shut down', 'in crash recovery'];

/**
 * A server takes writes only after pg_control says "in production". Who is stopped, all of it, and still in recovery, was never
 * a primary.
 */
export function onPromotionStopped(state: State, proof: Proof | null): Decision {
  const { stopping } = state.promotion ?? unknownPromotion(state.now);
  const { why, replyTo } = stopping ?? { why: '', replyTo: [] };
  const stopped = withOwn(state, { phase: 'stopped', missedChecks: 0, report: null });
  if (proof?.idle && recovering.includes(proof.state)) {
    const told = replies(replyTo, true, `${state.self.id} has not become primary; it stays a standby`);
    return andThen(
      andThen(abandon(stopped, why), (it) => decided(it, ...told)),
      (it) => beginStart(it, false),
    );
  }
  if (proof?.idle && led.includes(proof.state)) {
    const told = replies(replyTo, false, `too late: ${state.self.id} has become primary`);
    return andThen(asPrimary(stopped, begunTimeline(state, state.takeover, lastTimeline(state))), (it) =>
      andThen(decided(it, ...told), startInstance),
    );
  }
  return unproven(
    stopped,
    proof === null ? 'pg_controldata says nothing' : `pg_controldata says '${proof.state}'`,
  );
}

export function onPromotionStopFailed(state: State, why: string): Decision {
  return unproven(withOwn(state, { phase: 'unknown' }), why);
}

function unproven(state: State, why: string): Decision {
  const replyTo = state.promotion?.stopping?.replyTo ?? [];
  const text = `it is not known whether ${state.self.id} was promoted: ${why}`;
  const phase = state.own.phase === 'stopped' ? 'down' : state.own.phase;
  const open = change(withOwn(state, { phase }), {
    stopping: null,
    asked: false,
    at: state.now + proveAgainAfterMs,
  });
  return decided(open, log('MCA01082', { why }), ...replies(replyTo, false, text));
}

/** Whoever has ordered it reads what stands in the log, too. */
const answer = ({ self, takeover }: State): string =>
  takeover?.unproven
    ? `${self.id} is primary. It was not known to be in sync: commits may be missing. Keep ${takeover.from ?? 'the former primary'} stopped, and its data, until it is certain that none is missed`
    : `${self.id} is primary`;

/** The instance takes writes. */
export function onPromoted(state: State, timeline: number): Decision {
  if (!isPromoting(state)) return decided(state);
  const late = replies(
    state.promotion?.stopping?.replyTo ?? [],
    false,
    `too late: ${state.self.id} is primary`,
  );
  return andThen(asPrimary(withOwn(state, { phase: 'running', report: null }), timeline), (it) =>
    decided(it, ...late),
  );
}

function asPrimary(state: State, timeline: number): Decision {
  const target = state.takeover?.from ?? '';
  const next: State = {
    ...withOwn(state, { role: 'primary' }),
    takeover: null,
    promotion: null,
    unhitched: false,
    degraded: 'switched',
    waitingForSwitch: [],
    namesSetAt: state.now,
    withdrawn: {},
    suspects: [],
    origins: {},
    strangers: [],
    sync: firstPromise(state, state.takeover, timeline),
  };
  const words = [log('MCA00062'), { kind: 'hook', hook: 'post-switch', target } as const];
  const told = replies(state.waitingForSwitch, true, answer(state));
  return andThen(decided(endedHere(next), ...words, ...told), (it) => switchedHere(it, answer(state)));
}

/** What was asked or won for the takeover is not used; a win of an earlier term was, and stays what it is. */
function takenBack({ vote, sync }: State): State['vote'] {
  const isOpen = vote != null && vote.stage !== 'back' && sync !== null && vote.term === termOf(sync);
  return isOpen ? { ...vote, stage: 'back' } : vote;
}

/** The takeover ends, and this server is a standby as before. */
export function abandon(state: State, why: string): Decision {
  const { takeover } = state;
  const declined = takeover?.kind === 'handover' ? { id: takeover.id, why } : state.declined;
  const told = replies(state.waitingForSwitch, false, why);
  const ended: State = { ...state, takeover: null, promotion: null, declined, waitingForSwitch: [] };
  const left: State = { ...ended, vote: takenBack(state) };
  return decided(left, log('MCA01052', { why }), ...told);
}
