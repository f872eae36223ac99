/**
 * What the checks of the own instance and its disks mean. Failures are counted here; a fault is reported once, when
 * it begins, and once when it is over. Watching only: nothing is switched from here. Pure.
 */
import { andThen, type Decision, decided, log, withOwn } from './decision.ts';
import type { CheckOutcome, Happening } from './event.ts';
import type { InstanceReport, State } from './state.ts';

export function onInstanceCheck(state: State, outcome: CheckOutcome): Decision {
  // While the instance is started or stopped on purpose, start and stop themselves report how it goes.
  if (state.own.phase === 'stopping' || state.boot.kind === 'starting' || state.boot.kind === 'new') {
    return decided(state);
  }
  switch (outcome.kind) {
    case 'answer':
      return onAnswer(state, outcome.report);
    case 'busy':
      return decided(alive(state));
    case 'starting':
      return decided(withOwn(state, { phase: 'starting', missedChecks: 0 }));
    case 'timeout':
      return onTimeout(state);
    case 'refused':
      return onRefused(state, outcome.why);
    case 'gone':
      return onGone(state);
  }
}

const alive = (state: State): State => withOwn(state, { phase: 'running', missedChecks: 0 });

function onAnswer(before: State, report: InstanceReport): Decision {
  const state: State = {
    ...withOwn(alive(before), { role: report.role, report, refusal: null }),
    // Whoever started it, from now on it is the instance in charge.
    boot: { kind: 'done' },
  };
  const again = before.own.phase === 'silent' || before.own.phase === 'down';
  const first = before.own.report === null;
  const changed = !first && before.own.report?.role !== report.role;
  return decided(
    state,
    ...(again ? [log('MCA01015')] : []),
    ...(first ? [log('MCA01004', { role: report.role, timeline: String(report.timeline) })] : []),
    ...(changed ? [log('MCA01033', { role: report.role })] : []),
  );
}

function onTimeout(before: State): Decision {
  const missed = before.own.missedChecks + 1;
  const state = withOwn(before, { missedChecks: missed });
  const { dbInstanceCheckRetry, dbInstanceTimeoutAction } = state.conf;
  const known = ['running', 'starting', 'unknown'].includes(state.own.phase);
  if (!known || missed <= dbInstanceCheckRetry) return decided(state);
  const silent = withOwn(state, { phase: 'silent' });
  return dbInstanceTimeoutAction === 'none'
    ? decided(silent)
    : decided(silent, log('MCA01014', { checks: String(missed) }));
}

function onRefused(before: State, why: string): Decision {
  const state = withOwn(alive(before), { refusal: why });
  return before.own.refusal === why ? decided(state) : decided(state, log('MCA01016', { why }));
}

/** A postmaster that does not exist needs no retries: there is nothing that could still answer. */
function onGone(state: State): Decision {
  const { phase } = state.own;
  if (phase === 'unknown') return decided(withOwn(state, { phase: 'stopped' }));
  if (phase !== 'running' && phase !== 'silent' && phase !== 'starting') return decided(state);
  return decided(withOwn(state, { phase: 'down', missedChecks: 0, report: null }), log('MCA01013'));
}

export function onDiskCheck(before: State, check: Extract<Happening, { kind: 'disk-check' }>): Decision {
  const limit = before.conf.diskCheckRetry;
  const { part, error } = check;
  const was = before.own.disks[part].missed;
  const missed = check.ok ? 0 : was + 1;
  const state = withOwn(before, { disks: { ...before.own.disks, [part]: { missed, error } } });
  if (was <= limit && missed > limit) return decided(state, log('MCA01017', { part, error }));
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
