/**
 * The controllers of the small world: the real `decide`, called once for each state and event that differ, and remembered. Time is
 * no clock but a choice: in `aged` everything that can be too late is, if nothing has come since; so no rule can count on two
 * hosts whose clocks run alike. In: states and happenings by number. Out: what follows, by number.
 */
import { type ServerConf, serverConf } from '../../../src/controller/config.ts';
import type { Action, Deed } from '../../../src/controller/core/action.ts';
import { decide } from '../../../src/controller/core/decide.ts';
import type { Happening } from '../../../src/controller/core/event.ts';
import { initialState } from '../../../src/controller/core/initial-state.ts';
import type { Persisted, State } from '../../../src/controller/core/state.ts';
import type { ServerView } from '../../../src/controller/core/view.ts';
import { Interned } from './interned.ts';
import { brokenRules } from './rules.ts';
import { now, wordsOfRecord, wordsOfState, wordsOfView } from './words.ts';

/** Longer than every time that a controller waits for others, and shorter than what it takes for a pause of its own. */
const passMs = 12_000;
export const arbiterId = 'arbiter';

const conf: ServerConf = serverConf({
  dbInstance: '/data',
  heartbeatIntervalMs: 10_000,
  heartbeatTimeoutMs: 1,
  heartbeatRetry: 0,
  heartbeatErrorAction: 'arbitration',
});

export type Work = Exclude<Deed, { kind: 'log' | 'heartbeat' | 'ask-peer' | 'reply' | 'exit' | 'hook' }>;

/** What a controller does about something that happens. */
export interface Turn {
  /** 0: the controller has ended. */
  readonly state: number;
  /** What it tells everybody; 0: nothing. */
  readonly view: number;
  readonly works: readonly Work[];
  /** It asks a register once more. */
  readonly asks: boolean;
  /** The number of its own promise; 0 of who makes none. */
  readonly epoch: number;
  /** The term that it uses: it has won it, and its promise is in the next one. */
  readonly uses: string | null;
  /** Rules that the decision breaks. */
  readonly broken: readonly string[];
}

const isWork = (action: Action): action is Work =>
  !['log', 'persist', 'heartbeat', 'ask-peer', 'reply', 'exit', 'hook'].includes(action.kind);

export class Controllers {
  readonly views = new Interned<ServerView>(wordsOfView);
  readonly records = new Interned<Persisted>(wordsOfRecord);
  readonly happenings = new Interned<Happening>((it) => JSON.stringify(it));
  readonly #numbers = new WeakMap<ServerView, number>();
  readonly states = new Interned<State>(wordsOfState((view) => this.#numberOf(view)));
  readonly #turns: Map<number, Turn>[] = [];
  readonly #aged: number[] = [];
  readonly #ids: readonly string[];
  readonly #withArbiter: boolean;
  calls = 0;

  constructor(ids: readonly string[], withArbiter: boolean) {
    this.#ids = ids;
    this.#withArbiter = withArbiter;
  }

  #numberOf(view: ServerView): number {
    const known = this.#numbers.get(view);
    if (known !== undefined) return known;
    const number = this.views.numberOf(view);
    this.#numbers.set(view, number);
    return number;
  }

  #newState(id: string, incarnation: number): State {
    const servers = this.#ids.map((it) => ({ id: it, host: it, port: 1 }));
    const self = servers.find((it) => it.id === id);
    if (!self) throw new Error(`no server ${id}`);
    const arbiters = this.#withArbiter ? [{ id: arbiterId, host: arbiterId, port: 1 }] : [];
    // Handovers and attempts are numbered from the clock on the wall: no two servers and starts have the same.
    const wall = 100 * (this.#ids.indexOf(id) + 1) + 10 * incarnation;
    const clocks = { at: now, wall, sinceBoot: now };
    return { ...initialState({ self, servers, arbiters, conf, controllerVersion: '0', clocks }), seq: 0 };
  }

  boot(id: string, incarnation: number, happening: Extract<Happening, { kind: 'boot' }>): Turn {
    return this.#turn(this.#newState(id, incarnation), happening);
  }

  /** `wanted` has a number among the happenings, or is something told by a view, with that one's number. */
  turn(state: number, kind: 'happens' | 'hears', number: number): Turn {
    const known = this.#turns[state];
    const turns = known ?? new Map<number, Turn>();
    if (!known) this.#turns[state] = turns;
    const key = 2 * number + (kind === 'hears' ? 1 : 0);
    const done = turns.get(key);
    if (done) return done;
    const turn = this.#turn(this.states.get(state), this.happening(kind, number));
    turns.set(key, turn);
    return turn;
  }

  happening(kind: 'happens' | 'hears', number: number): Happening {
    if (kind === 'happens') return this.happenings.get(number);
    const view = this.views.get(number);
    return { kind: 'heard', peer: view.id, view };
  }

  decision(
    before: State,
    happening: Happening,
  ): { readonly state: State; readonly actions: readonly Action[] } {
    const { state, actions } = decide(before, { ...happening, at: now, wall: before.wall, sinceBoot: now });
    return { state: renumbered(before, state), actions };
  }

  #turn(before: State, happening: Happening): Turn {
    this.calls += 1;
    const { state, actions } = this.decision(before, happening);
    const told = actions.flatMap((it) => (it.kind === 'heartbeat' ? [it.view] : []));
    const [view] = told;
    const ended = actions.some((it) => it.kind === 'exit');
    return {
      state: ended ? 0 : this.states.numberOf(state),
      view: view ? this.views.numberOf({ ...view, seq: state.seq, takeover: state.takeover }) : 0,
      works: actions.filter(isWork),
      asks: state.vote?.stage === 'asking' && state.vote.attempt !== before.vote?.attempt,
      epoch: state.sync?.primary === state.self.id ? state.sync.epoch : 0,
      uses: usedTerm(state),
      broken: brokenRules(before, state, actions),
    };
  }

  /** The time has passed in which somebody would have had to be heard. */
  aged(number: number): number {
    const known = this.#aged[number];
    if (known !== undefined) return known;
    const aged = this.states.numberOf(older(this.states.get(number)));
    this.#aged[number] = aged;
    return aged;
  }
}

/**
 * Messages are numbered only as far as it makes a difference: whether one is older or younger than that which told of the takeover
 * of a role that is handed over.
 */
function renumbered(before: State, state: State): State {
  const wall = Math.max(state.wall, (state.giving?.handover.id ?? 0) + 1);
  const { takeover, persisted } = state;
  if (takeover?.kind === 'handover')
    return { ...state, wall, seq: takeover.toldSeq === state.seq ? state.seq : before.seq };
  const unnumbered = takeover && { ...takeover, toldSeq: 0 };
  return {
    ...state,
    wall,
    seq: before.seq,
    takeover: unnumbered,
    persisted: persisted && { ...persisted, takeover: unnumbered },
  };
}

const usedTerm = ({ self, sync, vote }: State): string | null =>
  sync?.primary === self.id && vote?.stage === 'won' && vote.term + 1 === sync.term
    ? `${vote.term} of ${JSON.stringify(vote.cells)}`
    : null;

/** A moment that lies behind; what is further back makes no difference. */
const past = (at: number): number => (at < 0 ? at : Math.max(at - passMs, now - passMs));
/** A moment that is waited for; that it is over is all that counts then. */
const due = (at: number): number => Math.max(at - passMs, now - 1);

const eachOf = <T>(all: Readonly<Record<string, T>>, change: (one: T) => T): Record<string, T> =>
  Object.fromEntries(Object.entries(all).map(([id, one]) => [id, change(one)]));

function older(state: State): State {
  const { own, boot, change, proving, preparing, promotion, revival } = state;
  return {
    ...state,
    graceFrom: past(state.graceFrom),
    own: { ...own, missedSince: past(own.missedSince) },
    peers: eachOf(state.peers, (it) => ({
      ...it,
      sinceAt: past(it.sinceAt),
      signAt: past(it.signAt),
      heardAt: past(it.heardAt),
    })),
    boot:
      boot.kind === 'asking-peers'
        ? { ...boot, untilAt: due(boot.untilAt) }
        : boot.kind === 'waiting-for-primary'
          ? { ...boot, probedAt: past(boot.probedAt), remindedAt: past(boot.remindedAt) }
          : boot,
    change: change && { ...change, at: past(change.at) },
    proving: proving?.stage === 'failed' ? { ...proving, at: past(proving.at) } : proving,
    rowAt: eachOf(state.rowAt, past),
    namesSetAt: past(state.namesSetAt),
    preparing: preparing && { ...preparing, untilAt: due(preparing.untilAt) },
    promotion: promotion && { ...promotion, at: due(promotion.at) },
    revival: revival && { ...revival, nextAt: due(revival.nextAt) },
    voteAfter: due(state.voteAfter),
    hitchAfter: due(state.hitchAfter),
    cutAfter: due(state.cutAfter),
  };
}
