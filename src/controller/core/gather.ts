/**
 * Whether a takeover has all that it needs: those who could acknowledge behind its back have cut their receivers, and the register,
 * or the giver of the role, has said yes. In: a state. Out: plain answers. Pure.
 */
import { heardPeers, isHeard } from './servers.ts';
import { isSilent } from './silence.ts';
import type { State } from './state.ts';
import { holdsTerm, isBound, termOf } from './term.ts';
import type { ServerId, Takeover } from './view.ts';

/** After a clean shutdown that arrived here there is nothing that anybody else could hold in addition. */
export const isGathered = (state: State, { kind, checkpoint }: Takeover): boolean =>
  kind === 'force' || checkpoint !== null || enough(state, cutForThis(state));

/** Without a register the gathering is all it takes; with one nobody becomes primary without its word, or that of the giver. */
export function mayPromote(state: State, takeover: Takeover): boolean {
  if (!isBound(state.sync) || holdsTerm(state) || isAgreed(state, takeover)) return true;
  return takeover.kind === 'force' && goesOnWithout(state);
}

/** A person's order goes on without the word of the register: commits may be missing. */
export const isUnanswered = (state: State, takeover: Takeover): boolean =>
  takeover.kind === 'force' && isBound(state.sync) && !holdsTerm(state);

/** A person's order: the register has not answered in time, or has said no and the person has said it again. */
const goesOnWithout = ({ vote, now, voteAfter, refused }: State): boolean =>
  (vote?.stage === 'asking' && now > voteAfter) || (vote?.stage === 'back' && refused === vote.term);

/**
 * The giver has heard of this takeover and still gives: from then on it takes nothing back on silence. Not while it asks the
 * register itself. And whoever else could have taken over has cut its receiver for this server.
 */
function isAgreed(state: State, { kind, from, id, toldSeq = state.seq }: Takeover): boolean {
  const giver = from === null ? undefined : state.peers[from];
  if (kind !== 'handover' || !isHeard(giver) || giver.view.handover?.id !== id) return false;
  const { echoes, vote, sync, handover } = giver.view;
  const echo = echoes?.[state.self.id];
  const heard = echo?.incarnation === state.incarnation && echo.seq >= toldSeq;
  const cut = cutForThis(state);
  const alone = (handover.believers ?? []).every((it) => cut.includes(it));
  return heard && alone && (!vote || vote.stage === 'back' || (sync !== null && vote.term < termOf(sync)));
}

/**
 * Everything but the word of the register is there. It is asked for a handover only where the giver is not heard, asks itself, or
 * where somebody else who could have taken over is not heard.
 */
export function asksToServe(state: State): boolean {
  const { takeover } = state;
  if (takeover?.stage !== 'gather' || !isGathered(state, takeover)) return false;
  const giver = takeover.from === null ? undefined : state.peers[takeover.from];
  if (takeover.kind !== 'handover' || !isHeard(giver) || giver.view.vote?.stage === 'asking') return true;
  return (giver.view.handover?.believers ?? []).some((id) => isSilent(state, id));
}

/** Standbys that have cut their receivers for this one. */
const cutForThis = (state: State): ServerId[] =>
  heardPeers(state)
    .filter((it) => it.view.yield?.to === state.self.id && it.view.yield.lsn !== null)
    .map((it) => it.line.id);

/** A commit may be acknowledged by its word. */
export const votes = ({ sync }: State, id: ServerId): boolean => sync?.voters.includes(id) === true;

/** So many voters have cut their receivers that no commit can be acknowledged without one of them. */
export function enough(state: State, cut: readonly ServerId[]): boolean {
  const { sync } = state;
  if (!sync) return false;
  const heard = [state.self.id, ...cut].filter((id) => votes(state, id));
  // In one term nobody becomes primary behind the back of one to which the role was handed.
  const needed = isBound(sync) ? Math.min(sync.needed, 1) : sync.needed;
  return heard.length >= sync.voters.length - needed + 1;
}
