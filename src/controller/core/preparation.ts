/**
 * A switch that a person has asked for, before it begins: the primary serves on until the standby has replayed what it would have
 * to replay before it takes writes. Given up in time, it has cost nobody anything. In: a state. Out: a decision. Pure.
 */
import { andThen, type Decision, decided, log, replies, withOwn } from './decision.ts';
import { dutyAt, dutyWords, mayTakeOver } from './duty.ts';
import { candidates, newHandover } from './handover.ts';
import { leftOutWords } from './maintenance.ts';
import { lsnValue } from './names.ts';
import type { Preparation, ReplyTo } from './processes.ts';
import { mayBelieve } from './promise.ts';
import { unwritten } from './remember.ts';
import { isInCharge, ledByHand } from './servers.ts';
import type { State } from './state.ts';
import { isBound } from './term.ts';
import { type Sender, type ServerId, understandsProof, understandsRegister } from './view.ts';

export const defaultMaxWaitMs = 30_000;
/** One segment of WAL: what a standby replays in a moment. */
const mostLeftBytes = 16 * 1024 ** 2;
const bytesPerMegabyte = 1024 ** 2;

interface Wanted {
  readonly force: boolean;
  readonly to?: ServerId | undefined;
  readonly maxWaitMs?: number | undefined;
}

/** mc_ctl switch on the primary, to the standby that was named, or to the most advanced one. */
export function onSwitchRequest(state: State, replyTo: ReplyTo, wanted: Wanted): Decision {
  const refuse = (why: string): Decision => decided(state, ...replies([replyTo], false, why));
  const { force, to: named, maxWaitMs = defaultMaxWaitMs } = wanted;
  if (state.change && state.change.stage !== 'failed')
    return refuse('synchronous_standby_names is being changed; try again in a moment');
  if (state.place !== null) return refuse(unwritten(state, state.place));
  const byHand = ledByHand(state);
  if (byHand !== undefined)
    return refuse(
      `${byHand} is in maintenance, and somebody has made it primary by hand: nobody takes over beside it; bring over what only ${byHand} holds, and stop its instance first`,
    );
  const able = candidates(state, force);
  const allowed = (id: ServerId): boolean => mayTakeOver(dutyAt(state, id));
  if (named !== undefined && !force && named !== state.self.id && !allowed(named))
    return refuse(
      `${dutyWords(named, dutyAt(state, named))}; mc_ctl switch --to ${named} --force makes it primary all the same, once it has received everything`,
    );
  const out = named === undefined ? '' : leftOutWords(state, named);
  if (out !== '') return refuse(`${out}; end that first (mc_ctl maintenance end --server ${named})`);
  // Who is not named by a person is one that may take over without one.
  const to = named === undefined ? able.find(allowed) : able.find((it) => it === named);
  if (to === undefined && named !== undefined)
    return refuse(`${named} cannot take over: ${state.mirroring.reason || 'it is no standby in sync'}`);
  if (to === undefined)
    return refuse(`no standby can take over: ${state.mirroring.reason || 'none is in sync'}`);
  const needed = isBound(state.sync) ? understandsRegister : understandsProof;
  if ((state.peers[to]?.view?.understands ?? 1) < needed)
    return refuse(`the controller of ${to} is of an earlier version; run pgduet provision first`);
  const preparing: Preparation = {
    to,
    force,
    stage: 'checkpoint',
    mark: null,
    untilAt: state.now + maxWaitMs,
  };
  const next: State = { ...state, preparing, waitingForSwitch: [...state.waitingForSwitch, replyTo] };
  return decided(next, log('MCA01042', { server: to }), { kind: 'checkpoint', purpose: 'switch' });
}

/** A checkpoint that failed only makes the shutdown longer. The time to wait counts from here. */
export function onSwitchCheckpoint(state: State): Decision {
  const { preparing } = state;
  if (preparing?.stage !== 'checkpoint') return decided(state);
  return decided({ ...state, preparing: { ...preparing, stage: 'mark' } });
}

/** Called with every answer of the instance: one from before the checkpoint knows nothing of a standby that has stood still since. */
export function onPreparingReport(state: State): Decision {
  const { preparing, own } = state;
  if (preparing?.stage !== 'mark' || !own.report) return decided(state);
  return decided({ ...state, preparing: { ...preparing, stage: 'replay', mark: own.report.lsn } });
}

/** Called after every event. */
export function advancePreparation(state: State): Decision {
  const { preparing } = state;
  if (!preparing) return decided(state);
  const { to, force } = preparing;
  if (!isInCharge(state)) return giveUpSwitch(state, `${state.self.id} does not serve as primary any more`);
  if (state.place !== null) return giveUpSwitch(state, unwritten(state, state.place));
  if (!candidates(state, force).includes(to))
    return giveUpSwitch(
      state,
      `${to} cannot take over any more: ${state.mirroring.reason || 'it is not in sync'}`,
    );
  if (preparing.stage === 'checkpoint' || (state.change && state.change.stage !== 'failed'))
    return decided(state);
  if (givesAside(state) && believers(state, to).length > 0) return waitForBelievers(state, preparing);
  const row = state.own.report?.senders.find((it) => it.name === to);
  if (force || (row && hasReplayed(state, preparing, row))) return begin(state, to);
  if (state.now < preparing.untilAt) return decided(state);
  const left = Math.ceil((row?.replayLagBytes ?? 0) / bytesPerMegabyte);
  return giveUpSwitch(
    state,
    `${to} still has ${left} MB of WAL to replay, and nobody could write until it has; writes go on here. Give it longer with --max-wait, or look for long queries and slow disks on ${to}`,
  );
}

/**
 * Nobody needs the word of the receiver of the role to acknowledge a commit, or to gather what was acknowledged: whoever may take
 * over could do so beside it, unheard. Where no register answers, they have to know first that they may not.
 */
export function givesAside({ preparing, sync }: State): boolean {
  if (preparing === null || sync === null || isBound(sync)) return false;
  const { voters, needed } = sync;
  return voters.filter((id) => id !== preparing.to).length >= voters.length - needed + 1;
}

const believers = (state: State, to: ServerId): ServerId[] =>
  Object.keys(state.peers).filter((id) => id !== to && mayBelieve(state, id));

/** They are told by the next promise (`sync.ts`). */
function waitForBelievers(state: State, { to, untilAt }: Preparation): Decision {
  if (state.now < untilAt) return decided(state);
  const open = believers(state, to);
  const names = open.join(', ');
  // Only who is waited for can be detached; another one would go in its place.
  const isIn = open.every((id) => state.sync?.voters.includes(id));
  const way = isIn ? ', or, if it is surely down, take it out first (mc_ctl detach)' : '';
  return giveUpSwitch(
    state,
    `${names} could take over beside ${to}, and has not confirmed that it does not. Make it heard${way}`,
  );
}

/** It holds in memory what the primary had written when the switch was asked for, and nearly all of what came later. */
function hasReplayed(state: State, { mark }: Preparation, { replayLagBytes = 0 }: Sender): boolean {
  const replayed = lsnValue(state.own.report?.lsn ?? '0/0') - replayLagBytes;
  return mark !== null && replayed >= lsnValue(mark) && replayLagBytes <= mostLeftBytes;
}

/** Who gets the role without being one that may take over may believe it from now on, until it knows a later promise. */
function withBeliever(state: State, to: ServerId): State['withdrawn'] {
  const { sync, withdrawn } = state;
  if (!sync || !isBound(sync) || sync.eligible.includes(to)) return withdrawn;
  return { ...withdrawn, [to]: sync.epoch + 1 };
}

function begin(state: State, to: ServerId): Decision {
  const handover = newHandover(state, 'switch', to);
  const stopping: State = {
    ...withOwn(state, { phase: 'stopping' }),
    withdrawn: withBeliever(state, to),
    preparing: null,
    change: null,
    proving: null,
    giving: { stage: 'stop', handover, tried: [], restartable: true },
  };
  return decided(stopping, log('MCA01009', { mode: 'fast' }), { kind: 'stop-instance', mode: 'limited' });
}

/** Writes go on. */
export function giveUpSwitch(state: State, why: string): Decision {
  const { preparing } = state;
  if (!preparing) return decided(state);
  const over: State = { ...state, preparing: null, waitingForSwitch: [] };
  return andThen(decided(over, log('MCA01083', { server: preparing.to, why })), (it) =>
    decided(it, ...replies(state.waitingForSwitch, false, `the switch is given up: ${why}`)),
  );
}
