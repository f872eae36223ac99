/**
 * The process `vote`: this server asks the register of its promise for the term before it acts on a silence, and its own cell
 * answers the votes of others. In: a state. Out: a decision. Pure. docs/adr/0009-who-decides-on-a-silence.md has the reasons.
 */
import { giveUpTimeMs } from '../config.ts';
import { advanceBoot, unheardRivals } from './boot.ts';
import { andThen, type Decision, decided, log } from './decision.ts';
import { asksToServe } from './gather.ts';
import { silentTaker } from './handover.ts';
import { isMaintained } from './maintenance.ts';
import { isNaming, wantedRegister } from './naming.ts';
import { promise } from './promise.ts';
import { abandon } from './promotion.ts';
import {
  answerVote,
  attemptIn,
  heedPromise,
  isContested,
  openTerm,
  outcomeOf,
  sameCells,
  takenBy,
} from './register.ts';
import { heardPeers, isServingPrimary } from './servers.ts';
import type { State } from './state.ts';
import { confirms, mustWin } from './sync.ts';
import { cellAt, isBound, termOf } from './term.ts';
import type { Cell, CellName, ServerId, SyncSet, Vote } from './view.ts';

/** Called after every event: the own cell answers, and the own vote goes on. */
export function advanceVote(state: State): Decision {
  // A controller on its way out takes nothing upon itself.
  if (!state.cell || state.stop) return decided(state);
  return andThen(andThen(decided(answerOthers(state)), goOn), (it) => decided(answerOwn(it)));
}

/** What the cell of this server learns from the promises, and says to the votes, of those that are heard. */
function answerOthers(before: State): State {
  const promises = [before.sync, ...heardPeers(before).map(({ view }) => view.sync)];
  const state = promises.reduce((so, sync) => (sync ? heeding(so, sync) : so), before);
  return heardPeers(state).reduce(
    (so, { line, view }) => (view.vote ? answered(so, line.id, view.vote) : so),
    state,
  );
}

const newId = ({ incarnation, seq }: State): string => `${incarnation}-${seq}`;

function heeding(state: State, sync: SyncSet): State {
  const cell = state.cell ? heedPromise(state.cell, state.self.id, sync, newId(state)) : state.cell;
  return cell === state.cell ? state : { ...state, cell };
}

const answerOwn = (state: State): State => (state.vote ? answered(state, state.self.id, state.vote) : state);

function answered(state: State, asker: ServerId, vote: Vote): State {
  if (!state.cell || isPutBack(state)) return state;
  const leads = state.own.role === 'primary' && state.own.phase === 'running' && asker !== state.self.id;
  const serves =
    leads ||
    heardPeers(state).some((it) => it.line.id !== asker && isServingPrimary(it) && !it.view.handover);
  const cell = answerVote(state.cell, { at: state.self.id, asker, vote, serves, newId: newId(state) });
  return cell === state.cell ? state : { ...state, cell };
}

/** Its host may have been put back to an earlier moment as long as it is in maintenance: its cell gives no term away before a primary that serves was heard. */
const isPutBack = (state: State): boolean =>
  isMaintained(state, state.self.id) &&
  !Object.values(state.peers).some(
    ({ view }) => view?.role === 'primary' && view.phase === 'running' && view.sync?.primary === view.id,
  );

interface Question {
  readonly cells: readonly CellName[];
  readonly term: number;
  readonly against: ServerId | null;
  readonly names?: true;
}

/** What this server would ask for now; null when it needs nothing of a register. */
function question(state: State): Question | null {
  const { sync, own, takeover, failover, stop } = state;
  if (!sync || stop) return null;
  if (own.role === 'standby') {
    const ready = takeover?.stage === 'gather' && isBound(sync) && asksToServe(state);
    return ready ? { cells: sync.cells ?? [], term: termOf(sync), against: takeover.from } : null;
  }
  if (sync.primary !== state.self.id) return null;
  if (isNaming(state)) {
    const cells = wantedRegister(state) ?? [];
    return { cells, term: namingTerm(state, cells, termOf(sync)), against: null, names: true };
  }
  // Automatic disconnection is off: only a person acts on a silence. What the promise names, and an order, need the register all the same.
  const silenced =
    isBound(sync) &&
    failover.enabled &&
    (mustWin(state).length > 0 || unheardRivals(state).length > 0 || silentTaker(state).length > 0);
  return silenced ? { cells: sync.cells ?? [], term: termOf(sync), against: null } : null;
}

/** The term that was asked for already, as long as the answer is out. */
function namingTerm(state: State, cells: readonly CellName[], atLeast: number): number {
  const { vote } = state;
  if (vote?.stage === 'asking' && vote.names && sameCells(vote.cells, cells)) return vote.term;
  return openTerm(cells, atLeast, (name) => cellAt(state, name));
}

function goOn(state: State): Decision {
  const { vote } = state;
  const wanted = question(state);
  if (vote?.stage === 'asking') return waitForAnswer(state, vote, wanted);
  if (vote && isUnused(state, vote)) return giveBack(state, vote);
  return wanted && state.now >= state.voteAfter && !isVain(state, wanted)
    ? ask(state, wanted)
    : decided(state);
}

/** A standby has won and takes nothing over any more. */
const isUnused = ({ sync, takeover, own }: State, { stage, term }: Vote): boolean =>
  stage === 'won' && own.role === 'standby' && takeover === null && sync !== null && termOf(sync) === term;

/** A primary that waits for the holder of the term would ask again and again. A standby is asked by a person, or starts no takeover. */
const isVain = (state: State, { cells, term, against, names }: Question): boolean =>
  against === null && !names && takenBy(cells, term, state.self.id, (name) => cellAt(state, name)) !== null;

function ask(state: State, wanted: Question): Decision {
  if (hasWon(state, wanted)) return decided(state);
  // A cell may remember more of this server than its own record.
  const known = wanted.cells.map((name) => attemptIn(cellAt(state, name), state.self.id));
  const attempt = Math.max(state.wall, (state.vote?.attempt ?? 0) + 1, ...known.map((it) => it + 1));
  const vote: Vote = { ...wanted, attempt, stage: 'asking' };
  return decided(
    { ...state, vote, voteAfter: state.now + giveUpTimeMs(state.conf) },
    log('MCA01130', { term: String(vote.term), register: namesOf(vote.cells) }),
  );
}

const namesOf = (cells: readonly CellName[]): string => cells.map((it) => it.at).join(', ');

const hasWon = ({ vote }: State, { cells, term }: Pick<Question, 'cells' | 'term'>): boolean =>
  vote?.stage === 'won' && vote.term === term && sameCells(vote.cells, cells);

function waitForAnswer(state: State, vote: Vote, wanted: Question | null): Decision {
  if (wanted === null || wanted.term !== vote.term || !sameCells(wanted.cells, vote.cells))
    return giveBack(state, vote);
  const told = (name: CellName): Cell | undefined => cellAt(state, name);
  switch (outcomeOf(vote, state.self.id, told)) {
    case 'open':
      return state.now > state.voteAfter && isContested(vote, state.self.id, told)
        ? giveBack(state, vote)
        : decided(state);
    case 'won':
      return won({ ...state, vote: { ...vote, stage: 'won' } }, vote);
    case 'dead':
      return giveBack(state, vote);
    case 'lost': {
      const taken = takenBy(vote.cells, vote.term, state.self.id, told);
      return lost(state, vote, taken?.holder ?? 'another server');
    }
  }
}

/** A standby gives its takeover up, and looks at the silence anew. */
function lost(state: State, vote: Vote, holder: string): Decision {
  const words = log('MCA01132', { term: String(vote.term), server: holder });
  const back = andThen(giveBack(state, vote), (it) => decided(it, words));
  if (state.takeover?.stage !== 'gather') return back;
  const { kind } = state.takeover;
  const again =
    kind === 'force'
      ? '; the same command again goes on without it, and may lose what that one has acknowledged'
      : '';
  const told = andThen(back, (it) => decided({ ...it, refused: kind === 'force' ? vote.term : it.refused }));
  return andThen(told, (it) => abandon(it, `the register has given the term to ${holder}${again}`));
}

/** Written down before it is told, so that nobody is told that it is free while this server may still use it. */
function giveBack(state: State, vote: Vote): Decision {
  // Who comes earlier in network.conf asks earlier, so that two that share the cells do not go on to share them.
  const place = state.servers.findIndex((line) => line.id === state.self.id);
  const voteAfter = state.now + (place * giveUpTimeMs(state.conf)) / 2 + state.conf.heartbeatIntervalMs;
  return decided({ ...state, vote: { ...vote, stage: 'back' }, voteAfter });
}

/** A primary uses the term at once: its next promise is in the next one. */
function won(state: State, vote: Vote): Decision {
  const told = decided(state, log('MCA01131', { term: String(vote.term) }));
  const { sync } = state;
  if (state.own.role !== 'primary' || !sync) return told;
  const named = !sameCells(vote.cells, sync.cells ?? []);
  const news = named
    ? { cells: vote.cells }
    : { eligible: sync.eligible.filter((id) => confirms(state, id)) };
  return andThen(
    andThen(told, (it) => decided(promise(it, { term: vote.term + 1, ...news }))),
    advanceBoot,
  );
}
