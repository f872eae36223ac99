/**
 * The process `detach`: a person takes a standby out, so that no commit waits for it. The primary carries it out; the names change as for any
 * other reason (`sync.ts`), and whoever has asked is answered about that standby alone. In: a state. Out: a decision. Pure.
 */
import { andThen, type Decision, decided, log, replies } from './decision.ts';
import type { Detaching, ReplyTo } from './processes.ts';
import { streams } from './rows.ts';
import { isHeard } from './servers.ts';
import { fenceWords, fencing } from './silence.ts';
import type { State } from './state.ts';
import type { ServerId } from './view.ts';

/** Less than a request that is passed on is waited for. */
const patienceMs = 60_000;

/** Those that are waited for, and that no person has taken out yet. */
const voters = ({ sync, parked }: State): ServerId[] =>
  (sync?.voters ?? []).filter((id) => parked[id] === undefined);

/**
 * Silent servers without whose word a detach does not come about: each may believe that it can take over. Nobody but a person says that one
 * of them is down, so that its detach does not wait for the one that waits for it.
 */
const heldUpBy = (state: State): ServerId[] =>
  state.waitingForDetach.length > 0 && state.detaching === null && state.change?.stage === 'reporting'
    ? voters(state).filter((id) => !isHeard(state.peers[id]))
    : [];

/** Another detach is under way, and waits for this one. */
export function isWaitedFor(state: State, named: ServerId | undefined): boolean {
  const silent = heldUpBy(state);
  return named === undefined ? silent.length > 0 : silent.includes(named);
}

/** Takes out the standby that is named, or one that commits wait for: with several of them the one that is worst off. */
export function detachHere(state: State, replyTo: ReplyTo, noFencing: boolean, named?: ServerId): Decision {
  const all = state.sync?.voters ?? [];
  if (all.length === 0) return decided(state, ...replies([replyTo], false, 'no standby is waited for'));
  if (named !== undefined && !all.includes(named))
    return decided(
      state,
      ...replies([replyTo], false, `no commit waits for ${named}; those waited for: ${all.join(', ')}`),
    );
  const open = voters(state).length > 0 ? voters(state) : all;
  const id = named ?? open.find((it) => !streams(state, it)) ?? open.at(-1) ?? '';
  const startedAtWall = state.peers[id]?.view?.report?.startedAtWall ?? 0;
  const detaching = { id, startedAtWall };
  const asking = { replyTo, id, untilAt: state.now + patienceMs };
  const waiting: State = { ...state, waitingForDetach: [...state.waitingForDetach, asking] };
  const told = decided({ ...waiting, detaching }, log('MCA01057', { server: id }));
  if (state.conf.fencingCommand === undefined || noFencing) return andThen(told, park);
  return andThen(told, (it) => decided(it, fencing(id, 'detach', 'command')));
}

/** From here on the standby is to be out, whatever else is seen of it. */
function park(state: State): Decision {
  const { detaching } = state;
  if (!detaching) return decided(state);
  const parked = { ...state.parked, [detaching.id]: detaching.startedAtWall };
  return decided({ ...state, parked, detaching: null });
}

/** The fencing command of mc_ctl detach has ended. */
export function onDetachFenced(state: State, done: boolean, why: string): Decision {
  const { detaching } = state;
  if (!detaching) return decided(state);
  const told = decided({ ...state, detaching: null }, fenceWords(detaching.id, done, why));
  if (done) return andThen(told, (it) => park({ ...it, detaching }));
  const text = `the fencing command failed, so ${detaching.id} is not taken out: ${why}`;
  return andThen(told, (it) => answered(it, ({ id }) => id === detaching.id, false, text));
}

function answered(state: State, isMeant: (it: Detaching) => boolean, ok: boolean, text: string): Decision {
  const settled = state.waitingForDetach.filter(isMeant);
  if (settled.length === 0) return decided(state);
  const waitingForDetach = state.waitingForDetach.filter((it) => !isMeant(it));
  return decided(
    { ...state, waitingForDetach },
    ...replies(
      settled.map(({ replyTo }) => replyTo),
      ok,
      text,
    ),
  );
}

/** The names are changed, for this reason or for another one. */
export const answerOut = (state: State, gone: readonly ServerId[]): Decision =>
  answered(
    state,
    ({ id }) => gone.includes(id),
    true,
    `${gone.join(', ')} is out; the primary goes on without it`,
  );

/** They could not be changed to these. */
export const answerNotOut = (state: State, to: readonly ServerId[], why: string): Decision =>
  answered(state, ({ id }) => !to.includes(id), false, why);

/** Called after every event: whoever waits for what does not come, or not soon, is told. */
export function endDetach(state: State): Decision {
  const { own, detaching, waitingForDetach } = state;
  if (own.role !== 'primary' || (waitingForDetach.length === 0 && detaching === null)) return decided(state);
  if (own.phase !== 'running' || state.giving || state.stop || state.ending) return giveUp(state);
  return andThen(endRestarted(state), endLate);
}

/** A primary that stops or hands over takes nobody out any more. */
function giveUp(state: State): Decision {
  // Who was told that it failed must not find it done after the next start.
  const parked = Object.fromEntries(
    Object.entries(state.parked).filter(([id]) => !state.sync?.voters.includes(id)),
  );
  const text = `${state.self.id} does not serve as primary any more`;
  return answered({ ...state, parked, detaching: null }, () => true, false, text);
}

/** What is announced already is done all the same. */
function endRestarted(state: State): Decision {
  const { change, parked, detaching } = state;
  const leaves = (id: ServerId): boolean =>
    change !== null && change.stage !== 'failed' && !change.to.includes(id);
  const isOver = ({ id }: Detaching): boolean =>
    parked[id] === undefined && detaching?.id !== id && !leaves(id);
  const ids = [...new Set(state.waitingForDetach.filter(isOver).map(({ id }) => id))];
  const text = `the instance of ${ids.join(', ')} was started anew, which ends the detach`;
  return answered(state, isOver, false, text);
}

function endLate(state: State): Decision {
  const isLate = ({ id, untilAt }: Detaching): boolean =>
    state.now >= untilAt && state.parked[id] !== undefined;
  const ids = [...new Set(state.waitingForDetach.filter(isLate).map(({ id }) => id))];
  const silent = heldUpBy(state);
  const [first] = silent;
  const why =
    first === undefined
      ? ', and goes on; see mc_ctl status'
      : `: ${silent.join(', ')} has not confirmed that it knows. It is out once that is heard; if ${first} is surely down: mc_ctl detach --server ${first}`;
  return answered(state, isLate, false, `${ids.join(', ')} is not out yet${why}`);
}
