/**
 * For whom commits are to wait, as the duties of the standbys and persons say. In: the state of a primary. Out: plain answers. Pure.
 * docs/adr/0010-which-server-may-do-what.md has the reasons.
 */
import { dutyAt, dutyWords, isAsynchronous, mayTakeOver } from './duty.ts';
import { isLeftOut } from './maintenance.ts';
import { isParted } from './parted.ts';
import { promise } from './promise.ts';
import { streams } from './rows.ts';
import { heardPeers, isHeard } from './servers.ts';
import type { State } from './state.ts';
import type { ServerId } from './view.ts';

/** Voters besides this one that may become primary without a person. */
const candidatesBeside = (state: State, id: ServerId): ServerId[] =>
  (state.sync?.voters ?? []).filter(
    (it) => it !== id && mayTakeOver(dutyAt(state, it)) && !isLeftOut(state, it),
  );

/** One that never takes over must not confirm alone what a candidate lacks: it joins only where none is in. */
export function mayBeWaitedFor(state: State, id: ServerId): boolean {
  const duty = dutyAt(state, id);
  if (isAsynchronous(duty) || isLeftOut(state, id)) return false;
  return mayTakeOver(duty) || candidatesBeside(state, id).length === 0;
}

/** A voter that has to go: it is in maintenance, asynchronous, or somebody who may take over is there in its place. */
export function leavesByDuty(state: State, id: ServerId): boolean {
  const duty = dutyAt(state, id);
  if (isAsynchronous(duty) || isLeftOut(state, id)) return true;
  return !mayTakeOver(duty) && candidatesBeside(state, id).some((it) => streams(state, it));
}

/** Why a voter is taken out. */
export function whyAway(state: State, id: ServerId): string {
  if (state.parked[id] !== undefined) return 'a person asked for it';
  if (isLeftOut(state, id)) return 'a person has it in maintenance';
  if (leavesByDuty(state, id)) return dutyWords(id, dutyAt(state, id));
  const peer = state.peers[id];
  if (!isHeard(peer))
    return peer?.reach === 'refused' ? 'neither its controller nor its stream is there' : 'it is not heard';
  if (peer.view.leaving) return 'it is being stopped';
  if (peer.view.failedDisks.length > 0) return `its disk has failed (${peer.view.failedDisks.join(', ')})`;
  if (isParted(state, id)) return `it holds WAL that ${state.self.id} does not have`;
  return peer.view.phase === 'running' ? 'it does not receive WAL' : `its instance is ${peer.view.phase}`;
}

/**
 * A copy belongs to the members of a promise, too, although no names name it: when it is a copy no more, it joins as any other,
 * by its primary, and nobody has to name it first.
 */
export function withCopies(state: State): State {
  const { sync } = state;
  if (!sync || sync.members.length === 0) return state;
  const copies = heardPeers(state)
    .map(({ line }) => line.id)
    .filter((id) => isAsynchronous(dutyAt(state, id)) && !sync.members.includes(id));
  return copies.length === 0 ? state : promise(state, { members: [...sync.members, ...copies] });
}

/** A person's detach holds until the instance of the standby is started again. */
export function unpark(state: State): State {
  const over = Object.entries(state.parked).filter(([id, startedAtWall]) => {
    const report = state.peers[id]?.view?.report;
    return report !== undefined && report !== null && report.startedAtWall !== startedAtWall;
  });
  if (over.length === 0) return state;
  const ended = over.map(([id]) => id);
  const left = Object.entries(state.parked).filter(([id]) => !ended.includes(id));
  return { ...state, parked: Object.fromEntries(left) };
}
