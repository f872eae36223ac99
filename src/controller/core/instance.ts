/**
 * What the checks of the own instance and its disks mean. Failures are counted here; a fault is reported once, when
 * it begins, and once when it is over. What follows from a fault of a
 * primary is decided in handover.ts. Pure.
 */
import { andThen, type Decision, decided, log, withOwn } from './decision.ts';
import type { CheckOutcome, Happening } from './event.ts';
import { onOwnFault } from './handover.ts';
import { watchLag } from './lag.ts';
import { watchParted } from './parted.ts';
import { onPreparingReport } from './preparation.ts';
import { onPromotionCheck } from './promotion.ts';
import { addressesIn, findStrangers, getsOn, namesInForce } from './rows.ts';
import { isPromoting, takesOut } from './servers.ts';
import { given, type State } from './state.ts';
import { suspect } from './strangers.ts';
import { onProvingReport } from './sync.ts';
import type { DiskPart, InstanceReport } from './view.ts';
import { watchWeakening } from './weakening.ts';

const leastFreeBytes = 16 * 1024 ** 2;

export function onInstanceCheck(state: State, outcome: CheckOutcome): Decision {
  // While the instance is started or stopped on purpose, start and stop themselves report how it goes.
  if (state.own.phase === 'stopping' || state.boot.kind === 'starting' || state.boot.kind === 'new') {
    return decided(state);
  }
  // A role that was given away, or is being taken, changes only by the steps of the switch.
  if (given(state)) return decided(state);
  if (isPromoting(state)) return onPromotionCheck(state, outcome);
  switch (outcome.kind) {
    case 'answer':
      return onAnswer(state, outcome.report);
    case 'busy':
      return decided(alive(state));
    case 'starting':
      return decided(withOwn(state, { phase: 'starting', missedChecks: 0 }));
    case 'timeout':
      return andThen(onUnlet(state, outcome.why), onTimeout);
    case 'refused':
      return onRefused(state, outcome.why);
    case 'gone':
      return onGone(state);
  }
}

const alive = (state: State): State => withOwn(state, { phase: 'running', missedChecks: 0 });

function onAnswer(last: State, report: InstanceReport): Decision {
  const before = suspect(last, report);
  const state: State = {
    ...withOwn(alive(before), { role: report.role, report, refusal: null }),
    // Whoever started it, from now on it is the instance in charge.
    boot: before.boot.kind === 'done' ? before.boot : { kind: 'done' },
    ...withRows(before, report),
  };
  const again = before.own.phase === 'silent' || before.own.phase === 'down';
  const first = before.own.report === null;
  const changed = !first && before.own.report?.role !== report.role;
  const told = decided(
    state,
    ...(again ? [log('MCA01015')] : []),
    ...(first ? [log('MCA01004', { role: report.role, timeline: String(report.timeline) })] : []),
    ...(changed ? [log('MCA01033', { role: report.role })] : []),
  );
  return [onProvingReport, onPreparingReport, watchLag, watchParted, watchWeakening].reduce(andThen, told);
}

/** When each standby streamed last, and where it is reached. */
function withRows(state: State, report: InstanceReport): Pick<State, 'rowAt' | 'addresses'> {
  const ids = Object.keys(state.peers);
  const strangers = findStrangers(state, report);
  const streaming = ids.filter((id) => getsOn(state.own.report, report, id, strangers));
  // A name that is new, as on a primary that has just started, gets its time from the first look.
  const { ids: names } = namesInForce(state, report);
  const first = names.filter((name) => state.rowAt[name] === undefined || state.own.report === null);
  const rowAt = Object.fromEntries([...streaming, ...first].map((id) => [id, state.now]));
  const addresses = addressesIn(
    report,
    ids.filter((id) => !state.suspects.includes(id)),
    strangers,
  );
  return { rowAt: { ...state.rowAt, ...rowAt }, addresses: { ...state.addresses, ...addresses } };
}

/** Said once, and kept until it answers: it is why it is called silent. */
function onUnlet(state: State, why: string | undefined): Decision {
  if (why === undefined || why === state.own.refusal) return decided(state);
  return decided(withOwn(state, { refusal: why }), log('MCA01143', { why }));
}

function onTimeout(before: State): Decision {
  const { conf, own } = before;
  // A check that waited while this process stood still says nothing about the instance.
  const paused = before.graceFrom > 0 && before.now - before.graceFrom <= conf.dbInstanceCheckTimeoutMs;
  const missedChecks = paused ? own.missedChecks : own.missedChecks + 1;
  const missedSince = own.missedChecks === 0 ? before.now : own.missedSince;
  const state = withOwn(before, { missedChecks, missedSince });
  if (missedChecks <= conf.dbInstanceCheckRetry) return decided(state);
  if (own.phase === 'silent') return giveUpSilent(state);
  if (!['running', 'starting', 'unknown'].includes(own.phase)) return decided(state);
  const silent = withOwn(state, { phase: 'silent' });
  const words =
    conf.dbInstanceTimeoutAction === 'none' ? [] : [log('MCA01014', { checks: String(missedChecks) })];
  return andThen(decided(silent, ...words), giveUpSilent);
}

/**
 * Hands over when the time for it has come. It is looked at with every check, because a standby may be able to take over
 * only later; as long as none is, nothing is stopped. An answer in between begins the time anew, a pause of this process does, too.
 */
function giveUpSilent(state: State): Decision {
  const { dbInstanceTimeoutAction: action, dbInstanceFailoverDelayMs: delayMs } = state.conf;
  const silentMs = state.now - Math.max(state.own.missedSince, state.graceFrom);
  const over = action === 'failover' || (action === 'delayed_failover' && silentMs >= delayMs);
  return over ? onOwnFault(state, 'the instance does not answer', true) : decided(state);
}

function onRefused(before: State, why: string): Decision {
  const state = withOwn(alive(before), { refusal: why });
  return before.own.refusal === why ? decided(state) : decided(state, log('MCA01016', { why }));
}

/** A postmaster that does not exist needs no retries: there is nothing that could still answer. */
function onGone(state: State): Decision {
  // One that was there when the controller came, or that did not stop in time, has gone away like any other: whoever ended
  // it, nobody waits for that any more.
  if (!['running', 'silent', 'starting', 'unknown'].includes(state.own.phase)) return decided(state);
  const down = withOwn(state, { phase: 'down', missedChecks: 0, report: null });
  return andThen(decided(down, log('MCA01013')), (it) => onOwnFault(it, 'the instance has gone away', true));
}

export function onDiskCheck(before: State, check: Extract<Happening, { kind: 'disk-check' }>): Decision {
  const { part, error } = check;
  const was = before.own.disks[part].missed;
  const missed = check.ok ? 0 : was + 1;
  const full = isFull(before.own.disks[part].full, check.freeBytes);
  const state = withOwn(before, { disks: { ...before.own.disks, [part]: { missed, error, full } } });
  return andThen(onMissedDisk(state, part, was), (it) => tellOfRoom(it, part, before.own.disks[part].full));
}

/** Less than one segment of WAL; twice that ends it, so that it is not said all the time. */
function isFull(was: boolean, freeBytes: number | null | undefined): boolean {
  return freeBytes === null || freeBytes === undefined ? was : freeBytes < (was ? 2 : 1) * leastFreeBytes;
}

function tellOfRoom(state: State, part: DiskPart, was: boolean): Decision {
  const { full } = state.own.disks[part];
  if (full === was) return decided(state);
  return decided(state, full ? log('MCA01120', { part }) : log('MCA01121', { part }));
}

function onMissedDisk(state: State, part: DiskPart, was: number): Decision {
  const limit = state.conf.diskCheckRetry;
  const { missed, error } = state.own.disks[part];
  if (was <= limit && missed > limit) {
    const told = decided(state, log('MCA01017', { part, error }));
    const running = ['running', 'silent', 'starting'].includes(state.own.phase);
    return takesOut(state, part) && running
      ? andThen(told, (it) => onOwnFault(it, `a disk has failed (${part})`, false))
      : told;
  }
  return was > limit && missed === 0 ? decided(state, log('MCA01018', { part })) : decided(state);
}

/** Two data directories that do not come from one initdb can never follow each other; said once per peer. */
export function checkSystemId(state: State, peer: string, before: string | undefined): Decision {
  const theirs = state.peers[peer]?.view?.report?.systemId;
  const ours = state.own.report?.systemId;
  const news = theirs !== undefined && theirs !== before;
  if (!news || ours === undefined || theirs === ours) return decided(state);
  return andThen(decided(state), (it) => decided(it, log('MCA01031', { peer, theirs, ours })));
}
