/**
 * The promises of a primary whose record was torn: what it promised before is in the records of others alone. In: a state. Out: the state with
 * a promise that is later than all of those, and with everybody who has to confirm one. Pure.
 */
import { notToldYet, promise } from './promise.ts';
import { heardPeers } from './servers.ts';
import type { State } from './state.ts';

/** More promises than can have been on their way to anybody when the record was lost: what turns up late is an old one. */
const beyond = 1000;

/** Whoever could take over by the record that is lost may believe it still, and have done it, until its own word says otherwise. */
export function withEverybody(state: State): State {
  const ids = Object.keys(state.peers);
  return { ...state, withdrawn: Object.fromEntries(ids.map((id) => [id, notToldYet])) };
}

/**
 * A primary whose state file was lost counts its promises from the beginning, while a standby still holds a later one: it
 * goes on behind that, or the standby would take every new promise for an old one and rely on the wrong one. Whoever may take over
 * by that later one has to confirm the new one, as has everybody who was not heard since the loss.
 */
export function recollect(state: State): State {
  const { sync } = state;
  if (!sync) return state;
  const heard = heardPeers(state);
  const told = heard.flatMap(({ view: { sync: theirs } }) => {
    const ours = theirs?.primary === state.self.id && theirs.timeline === sync.timeline;
    return ours && theirs.epoch > sync.epoch ? [theirs] : [];
  });
  const found = heard.map(({ line }) => line.id).filter((id) => state.withdrawn[id] === notToldYet);
  if (told.length === 0 && found.length === 0) return state;
  const epoch = Math.max(sync.epoch, ...told.map((it) => it.epoch)) + beyond;
  const members = [...new Set([...sync.members, ...told.flatMap((it) => it.members)])];
  const believers = [...new Set([...sync.eligible, ...told.flatMap((it) => it.eligible)])];
  const before = { ...state, sync: { ...sync, epoch, eligible: believers } };
  const next = promise(before, { members, eligible: sync.eligible });
  const open = Object.fromEntries(found.map((id) => [id, epoch + 1]));
  return { ...next, withdrawn: { ...next.withdrawn, ...open } };
}
