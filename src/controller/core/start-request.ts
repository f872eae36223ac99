/** A person, or the unit, asks the controller for its instance: started now, or waited for. In: a state. Out: a decision. Pure. */
import { beginStart, startInstance } from './boot.ts';
import { type Decision, decided, log, replies } from './decision.ts';
import { endedHere, entryOf, entryWords, isMaintained } from './maintenance.ts';
import type { Giving, ReplyTo } from './processes.ts';
import { asksBeforeItStarts, type Heard, heardPeers, leadsNobody, serves } from './servers.ts';
import { lastTimeline, type State } from './state.ts';

/** The answer of a start that needs no word: whoever has asked sees more only where there is more to say. */
export const isRunning = 'the instance is running';

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
    return decided(state, ...replies([replyTo], true, isRunning));
  }
  if (isMaintained(state, state.self.id) && !state.takeover && state.boot.kind !== 'starting')
    return startInMaintenance(state, replyTo, wanted, force);
  // It may be in maintenance without having heard of it: the person has said what is meant.
  if (force && state.boot.kind === 'waiting-for-primary')
    return startInstance({ ...state, waitingForStart: [...state.waitingForStart, replyTo] });
  const given = state.giving ? obstacleToTakeBack(state, state.giving, wanted) : null;
  if (given !== null) return decided(state, ...replies([replyTo], false, given));
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
  const away = ['down', 'stopped', 'held'].includes(state.own.phase);
  // Whoever asks for the start after it was said that this server waits for another one's word has decided.
  const waits = state.boot.kind === 'asking-peers' && state.boot.said;
  return wanted === 'start' && (away || waits) ? beginStart(waiting, true) : decided(waiting);
}

/**
 * Why a role that was given away does not come back by a person's word: whoever has it is heard, or was not waited for yet. Where that one is
 * lost nothing but this word brings the role back.
 */
function obstacleToTakeBack(
  { peers }: State,
  { stage, handover: { to } }: Giving,
  wanted: 'start' | 'wait-started',
): string | null {
  const reach = peers[to]?.reach;
  if (reach === 'up') return `this server gives its role to ${to}; it starts again only if that refuses`;
  if (stage !== 'given') return `this server is giving its role to ${to}; wait a moment`;
  if (reach === 'unknown') return `this server gave its role to ${to}, which is being asked; wait a moment`;
  return wanted === 'start'
    ? null
    : `this server gave its role to ${to}, which is not heard any more; only if ${to} has never become primary: mc_ctl start once more`;
}

/**
 * A person says that this one counts, of a server in maintenance that runs as primary: somebody has promoted its instance by hand, or the record of a
 * forced takeover is lost. What other servers alone hold is given up by that, so that nothing but this word does it.
 */
function leadAllTheSame(state: State, replyTo: ReplyTo): Decision {
  const why = obstacleToLead(state);
  if (why !== null) return decided(state, ...replies([replyTo], false, why));
  const { id } = state.self;
  const text = `${id} leads from now on, and its maintenance is over. It was not known to be in sync: commits may be missing. Keep the data of the former primary until it is certain that none is missed`;
  return decided(endedHere(state), log('MCA01050', { server: id }), ...replies([replyTo], true, text));
}

const unmaintained = (state: State): Heard[] =>
  heardPeers(state).filter(({ line }) => !isMaintained(state, line.id));

function primaryBeside(state: State): string | null {
  const other = unmaintained(state).find(serves);
  return other ? `${other.line.id} is primary, and only one can be` : null;
}

/** Who leads already, or may in a moment, or would not follow. */
function obstacleToLead(state: State): string | null {
  const others = unmaintained(state);
  const other = primaryBeside(state);
  if (other !== null) return other;
  const taker = others.find(({ view }) => view.takeover !== null);
  if (taker) return `${taker.line.id} is taking over`;
  const asking = others.find(asksBeforeItStarts);
  if (asking)
    return `${asking.line.id}, which was primary, asks the others before it starts; wait a moment, or end its controller first (mc_ctl stop there)`;
  const own = lastTimeline(state);
  const later = others.find(
    ({ view: { sync } }) => sync != null && sync.primary !== state.self.id && sync.timeline >= own,
  );
  const { primary } = later?.view.sync ?? {};
  return later && primary
    ? `${later.line.id} knows ${primary} as a primary on timeline ${later.view.sync?.timeline}, and ${state.self.id} is on timeline ${own}: it would not follow. Start ${primary}, or, if it is lost, make ${later.line.id} primary, once the instance of ${state.self.id} is stopped`
    : null;
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
  if (state.own.role === 'standby') return startInstance(waiting);
  // It would be held, and a start that is none ends no maintenance.
  const other = primaryBeside(state);
  return other === null ? beginStart(endedHere(waiting), true) : refuse(other);
}
