/**
 * The instance of a primary has gone away while nobody can take over: it is started again, so that it recovers from its
 * WAL. Never while another server may have become primary, and not for ever. With a failed disk it is not started; as soon as
 * a standby can take over, the role goes there. Pure.
 */
import { beginStart, countAttempt } from './boot.ts';
import { andThen, type Decision, decided, log } from './decision.ts';
import { candidates, onOwnFault } from './handover.ts';
import { isMaintained } from './maintenance.ts';
import { failedDisks, type State } from './state.ts';

const revivalAttempts = 4;
/** An instance that ran so long has recovered; the next crash begins a new series. */
const calmAfterMs = 600_000;

/** Called after every event. */
export function advanceRevival(state: State): Decision {
  if (!isDown(state)) return decided(calmed(state));
  const waits = state.revival !== null && state.now < state.revival.nextAt;
  const isSound = failedDisks(state).length === 0;
  // Where nothing is started in between, only the pause keeps a role that is refused from being offered all the time.
  if (candidates(state, false).length > 0 && (isSound || !waits))
    return onOwnFault(state, 'the instance has gone away', isSound);
  if (!isSound) return decided(state);
  const attempts = state.revival?.attempts ?? 0;
  if (attempts >= revivalAttempts) return giveUp(state);
  if (waits) return decided(state);
  const words = { attempt: String(attempts + 1), attempts: String(revivalAttempts) };
  return andThen(decided(countAttempt(state), log('MCA01072', words)), (it) => beginStart(it, false));
}

/** It went away without being told to, or was stopped for a fault that nobody takes over for, and automatic actions are allowed. */
const isDown = (state: State): boolean =>
  state.own.role === 'primary' &&
  state.own.phase === 'down' &&
  !isMaintained(state, state.self.id) &&
  state.failover.enabled &&
  !state.stop &&
  !state.giving &&
  !state.ending;

function calmed(state: State): State {
  const { revival, own } = state;
  if (!revival || own.phase !== 'running') return state;
  return state.now - revival.nextAt > calmAfterMs ? { ...state, revival: null } : state;
}

function giveUp(state: State): Decision {
  const { revival } = state;
  if (!revival || revival.over) return decided(state);
  return decided(
    { ...state, revival: { ...revival, over: true } },
    log('MCA01073', { attempts: String(revivalAttempts) }),
  );
}
