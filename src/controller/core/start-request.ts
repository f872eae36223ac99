/** A person, or the unit, asks the controller for its instance: started now, or waited for. In: a state. Out: a decision. Pure. */
import { beginStart, startInstance } from './boot.ts';
import { type Decision, decided, log, replies } from './decision.ts';
import { endedHere, entryOf, entryWords, isMaintained } from './maintenance.ts';
import type { ReplyTo } from './processes.ts';
import { heardPeers, isServingPrimary, leadsNobody } from './servers.ts';
import type { State } from './state.ts';

/** A person asks a controller in charge to start its instance, or waits for it. */
export function onStartRequest(
  state: State,
  replyTo: ReplyTo,
  wanted: 'start' | 'wait-started',
  force = false,
): Decision {
  if (state.stop) return decided(state, ...replies([replyTo], false, 'the controller is being stopped'));
  if (state.own.phase === 'running' || state.own.phase === 'silent') {
    if (force && leadsNobody(state)) return leadAllTheSame(state, replyTo);
    return decided(state, ...replies([replyTo], true, 'the instance is running'));
  }
  if (isMaintained(state, state.self.id) && !state.takeover && state.boot.kind !== 'starting')
    return startInMaintenance(state, replyTo, wanted, force);
  // It may be in maintenance without having heard of it: the person has said what is meant.
  if (force && state.boot.kind === 'waiting-for-primary')
    return startInstance({ ...state, waitingForStart: [...state.waitingForStart, replyTo] });
  const to = state.giving?.handover.to;
  if (to !== undefined && state.peers[to]?.reach === 'up') {
    const why = `this server gives its role to ${to}; it starts again only if that refuses`;
    return decided(state, ...replies([replyTo], false, why));
  }
  const revival = wanted === 'start' ? null : state.revival;
  const waiting = { ...state, revival, waitingForStart: [...state.waitingForStart, replyTo] };
  if (state.boot.kind === 'left') {
    return wanted === 'start'
      ? beginStart(waiting, true)
      : decided(state, ...replies([replyTo], true, 'the instance is left alone (--mc-only)'));
  }
  if (state.boot.kind === 'failed' && wanted === 'wait-started') {
    return decided(state, ...replies([replyTo], false, state.boot.why));
  }
  const away = ['down', 'stopped', 'held'].includes(state.own.phase) && state.giving === null;
  // Whoever asks for the start after it was said that this server waits for another one's word has decided.
  const waits = state.boot.kind === 'asking-peers' && state.boot.said;
  return wanted === 'start' && (away || waits) ? beginStart(waiting, true) : decided(waiting);
}

/**
 * A person says that this one counts, of a server in maintenance that runs as primary: somebody has promoted its instance by hand, or the record of a
 * forced takeover is lost. What other servers alone hold is given up by that, so that nothing but this word does it.
 */
function leadAllTheSame(state: State, replyTo: ReplyTo): Decision {
  const other = heardPeers(state).find((it) => isServingPrimary(it) && !isMaintained(state, it.line.id));
  if (other)
    return decided(state, ...replies([replyTo], false, `${other.line.id} is primary, and only one can be`));
  const { id } = state.self;
  const text = `${id} leads from now on, and its maintenance is over. It was not known to be in sync: commits may be missing. Keep the data of the former primary until it is certain that none is missed`;
  return decided(endedHere(state), log('MCA01050', { server: id }), ...replies([replyTo], true, text));
}

/** Only a person starts it, and only this once: nothing is left waiting behind it. */
function startInMaintenance(
  state: State,
  replyTo: ReplyTo,
  wanted: 'start' | 'wait-started',
  force: boolean,
): Decision {
  const entry = entryOf(state, state.self.id);
  const words = `${state.self.id} is in maintenance ${entry ? entryWords(entry) : ''}`;
  if (wanted === 'wait-started')
    return decided(state, ...replies([replyTo], true, `${words}: the instance is left alone`));
  const refuse = (why: string): Decision => decided(state, ...replies([replyTo], false, why));
  if (!force)
    return refuse(
      `${words}. To end it: mc_ctl maintenance end --server ${state.self.id}; to start the instance all the same, once: mc_ctl start --force-start`,
    );
  if (state.own.phase === 'unknown')
    return refuse('the controller looks at the instance still; wait a moment');
  const waiting = { ...state, waitingForStart: [...state.waitingForStart, replyTo] };
  return state.own.role === 'standby' ? startInstance(waiting) : beginStart(endedHere(waiting), true);
}
