/**
 * Reference addresses: whether this server itself is cut off. They are asked in good times too, so that one that never
 * answers is known before it is needed. In: rounds, each with the addresses that answered. Out: yes, no, or not known. Pure.
 */
import { type Decision, decided, log } from './decision.ts';
import { givesUpAfterMs } from './granted.ts';
import { sameIds } from './names.ts';
import { doubt } from './pause.ts';
import type { State } from './state.ts';
import type { ServerId } from './view.ts';

/** What the reference addresses have said to this start of the controller. */
export interface References {
  /** When the last round began; -1 when there was none. */
  readonly askedAt: number;
  /** It has not ended yet. */
  readonly open: boolean;
  /** Whether anybody answered it; null until it has ended, and as long as no address counts. */
  readonly answer: boolean | null;
  /** Addresses that have answered once: only their silence means anything. */
  readonly counting: readonly string[];
  /** By address, how many rounds in a row it did not answer. */
  readonly missed: Readonly<Record<string, number>>;
}

export const notAsked: References = { askedAt: -1, open: false, answer: null, counting: [], missed: {} };

const askEveryMs = 10_000;
/** So many rounds in a row without an answer are no lost packet any more. */
const quietAfter = 3;

const usesReferences = ({ conf }: State): boolean =>
  conf.heartbeatErrorAction === 'fallback' && conf.referenceAddresses.length > 0;

/** Addresses that do not answer, as is reported. */
export const quietReferences = ({ missed }: References): string[] =>
  Object.entries(missed).flatMap(([address, rounds]) => (rounds >= quietAfter ? [address] : []));

/** Whether this server is connected to anything, as far as the silence of another one is concerned; null while it is not known. */
export function reaches(state: State, id: ServerId): boolean | null {
  if (!usesReferences(state)) return true;
  const { askedAt, answer } = state.references;
  const peer = state.peers[id];
  const since = Math.max(peer?.heardAt ?? 0, state.graceFrom);
  // An answer from before the silence is complete may be older than what has cut this server off.
  return peer && askedAt - since > givesUpAfterMs(state, peer) ? answer : null;
}

/** Servers without whose word this one may be left behind: a primary's voters, a standby's primary. */
function counterparts({ own, sync, giving, named, self }: State): readonly ServerId[] {
  if (giving) return [giving.handover.to];
  if (!sync) return own.role === 'primary' ? named : [];
  return sync.primary === self.id ? [...new Set([...sync.voters, ...sync.eligible])] : [sync.primary];
}

/**
 * Begins a round now and then; and with every tick while a counterpart is late: the heartbeats of the time to give up cannot
 * all be lost in a cut without a round that falls into it.
 */
export function askReferences(state: State): Decision {
  const { references, now, conf } = state;
  if (!usesReferences(state) || references.open) return decided(state);
  const late = counterparts(state).some(
    (id) => now - (state.peers[id]?.heardAt ?? now) > conf.heartbeatIntervalMs,
  );
  if (references.askedAt >= 0 && !late && now - references.askedAt < askEveryMs) return decided(state);
  return decided(
    { ...state, references: { ...references, askedAt: now, open: true, answer: null } },
    { kind: 'ask-references' },
  );
}

/** A round has ended. An address counts once it has answered to this start of the controller. */
export function onReferences(state: State, answered: readonly string[]): Decision {
  const { references: before, conf } = state;
  const answers = (address: string): boolean => answered.includes(address);
  const known = conf.referenceAddresses;
  const counting = known.filter((it) => answers(it) || before.counting.includes(it));
  const missed = Object.fromEntries(known.map((it) => [it, answers(it) ? 0 : (before.missed[it] ?? 0) + 1]));
  const answer = counting.length > 0 ? known.some(answers) : null;
  const references = { askedAt: before.askedAt, open: false, answer, counting, missed };
  const next = { ...state, references };
  return decided(answer === true ? next : doubtUnheard(next), ...words(before, references));
}

function words(before: References, after: References) {
  const were = quietReferences(before);
  const are = quietReferences(after);
  return [
    ...are
      .filter((it) => !were.includes(it))
      .map((address) => log(after.counting.includes(address) ? 'MCA01110' : 'MCA01111', { address })),
    ...were.filter((it) => after.missed[it] === 0).map((address) => log('MCA01112', { address })),
  ];
}

/** This server was perhaps cut off: a counterpart that was not heard since may have gone on without it. */
function doubtUnheard(state: State): State {
  const { askedAt } = state.references;
  const unheard = counterparts(state).filter((id) => (state.peers[id]?.heardAt ?? 0) <= askedAt);
  return unheard.length > 0 ? doubt(state, unheard) : state;
}

/** Other addresses after a reload: what the last round said was said of the former ones. */
export function renewReferences({ references, conf }: State): References {
  const known = conf.referenceAddresses;
  const missed = Object.fromEntries(known.map((it) => [it, references.missed[it] ?? 0]));
  const counting = references.counting.filter((it) => known.includes(it));
  return { ...references, askedAt: -1, answer: null, counting, missed };
}

/** Rounds have ended, and no reference address has ever answered: nobody acts on silence. */
export const isUndecidable = (state: State): boolean =>
  usesReferences(state) && nobodyCounts(state.references);

const nobodyCounts = ({ counting, missed }: References): boolean =>
  counting.length === 0 && Object.keys(missed).length > 0;

/** True when the same is said of them. */
export const sameReferences = (before: References, after: References): boolean =>
  before === after ||
  (sameIds(quietReferences(before), quietReferences(after)) && nobodyCounts(before) === nobodyCounts(after));

const noWord = (state: State, id: ServerId): boolean => {
  const reach = state.peers[id]?.reach;
  return reach !== 'up' && reach !== 'refused';
};

/** A primary by itself: none of those whose word its commits need is heard, and no reference address answers. */
export function isCutOff(state: State): boolean {
  const voters = state.sync?.voters ?? [];
  if (!usesReferences(state) || !state.failover.enabled || voters.length === 0) return false;
  return voters.every((id) => noWord(state, id) && reaches(state, id) === false);
}

/** Nobody is heard of those who may have gone on, and no reference address says that this is their silence: a start has to wait. */
export function mayBeCutOff(state: State): boolean {
  const others = counterparts(state);
  if (!usesReferences(state) || !state.failover.enabled || others.length === 0) return false;
  const alone = Object.keys(state.peers).every((id) => noWord(state, id));
  return alone && !others.some((id) => reaches(state, id) === true);
}
