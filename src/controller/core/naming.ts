/**
 * Which register the promise of this primary names, and how it comes to name another: first nobody may take over any more, and
 * each has confirmed it; then the new register gives this primary a term (`vote.ts`); then the promise names it. In: a state. Pure.
 */
import { canArbitrate } from '../config.ts';
import { type Decision, decided } from './decision.ts';
import { dutyAt, isAsynchronous } from './duty.ts';
import { knows, promise } from './promise.ts';
import { isPast, sameCells, takenBy } from './register.ts';
import { streams } from './rows.ts';
import { isHeard, isInCharge } from './servers.ts';
import type { State } from './state.ts';
import { cellAt, hearsArbiter, isBound, termOf } from './term.ts';
import { type CellName, type SyncSet, understandsRegister } from './view.ts';

/** The cells that the configuration asks for; null while one of them is not heard. */
export function wantedRegister(state: State): readonly CellName[] | null {
  if (state.conf.heartbeatErrorAction !== 'arbitration') return [];
  const [arbiter] = Object.keys(state.arbiters);
  if (arbiter !== undefined) return hearsArbiter(state, arbiter) ? cellsAt(state, [arbiter]) : null;
  // An asynchronous copy does not vote; one that was never heard may be none.
  const voting = state.servers.filter((line) => !isAsynchronous(dutyAt(state, line.id)));
  if (!canArbitrate({ servers: voting, arbiters: [] })) return [];
  const servers = voting.map((line) => line.id);
  const heard = servers.every((id) => id === state.self.id || isHeard(state.peers[id]));
  return heard ? cellsAt(state, servers) : null;
}

function cellsAt(state: State, places: readonly string[]): CellName[] | null {
  const cells = places.flatMap((at) => {
    const cell = cellAt(state, { at });
    return cell ? [{ at, id: cell.id }] : [];
  });
  return cells.length === places.length ? cells : null;
}

/**
 * The promise is to name another register, and can: all that are waited for are there and confirm. A promise without a register
 * may be one after a lost record, when nobody knows who believes what: then every server has to be heard.
 */
export function canName(state: State): boolean {
  const { sync, change, proving, preparing } = state;
  const wanted = wantedRegister(state);
  if (!sync || !isInCharge(state) || wanted === null) return false;
  if (sameCells(wanted, sync.cells ?? []) && !isOrphaned(state, sync)) return false;
  if ((change && change.stage !== 'failed') || proving || preparing || state.detaching) return false;
  const others = isBound(sync) ? sync.voters : Object.keys(state.peers);
  const ready = (id: string): boolean => {
    const peer = state.peers[id];
    return isHeard(peer) && (peer.view.understands ?? 1) >= understandsRegister;
  };
  return others.every(ready) && sync.voters.every((id) => streams(state, id));
}

/**
 * Nobody can win the term: it lies behind, as after a naming that was interrupted, or the server that holds it does not know it any
 * more. So the same cells are named with a later one.
 */
function isOrphaned(state: State, sync: SyncSet): boolean {
  const told = (name: CellName) => cellAt(state, name);
  const cells = sync.cells ?? [];
  if (isPast(cells, termOf(sync), told)) return true;
  const peer = state.peers[takenBy(cells, termOf(sync), state.self.id, told)?.holder ?? ''];
  if (!isHeard(peer) || peer.view.takeover || peer.view.role !== 'standby') return false;
  return peer.view.vote?.term !== termOf(sync);
}

const believers = ({ sync, withdrawn }: State): number =>
  (sync?.eligible.length ?? 0) + Object.keys(withdrawn).length;

/** Nobody may take over, everybody knows it, and the register that the promise is to name has to give a term first. */
export const isNaming = (state: State): boolean =>
  canName(state) &&
  believers(state) === 0 &&
  everybodyKnows(state) &&
  (wantedRegister(state)?.length ?? 0) > 0;

const everybodyKnows = (state: State): boolean =>
  isBound(state.sync) ||
  Object.values(state.peers).every(
    (peer) => isHeard(peer) && (knows(state, peer.view) || peer.view.role !== 'standby'),
  );

/** Called after every event, while this primary is in charge. */
export function advanceNaming(state: State): Decision {
  if (!canName(state)) return decided(state);
  if ((state.sync?.eligible.length ?? 0) > 0) return decided(promise(state, { eligible: [] }));
  if (believers(state) > 0 || wantedRegister(state)?.length !== 0) return decided(state);
  return decided(promise(state, { cells: [] }));
}
