/**
 * What several processes ask about the servers: who is heard, who serves, where WAL ends, who leads.
 * In: a state. Out: plain answers about this moment. It decides nothing. Pure.
 */
import { isMaintained } from './maintenance.ts';
import { lsnValue } from './names.ts';
import { failedDisks, type Peer, type State } from './state.ts';
import type { DiskPart, Phase, ServerId, ServerView, SyncSet } from './view.ts';

/** Stands for a position that is not known. */
export const noPosition = '0/0';

/** A peer whose controller is heard now, so that its view can be believed. */
export type Heard = Peer & { readonly view: ServerView };
export const isHeard = (peer: Peer | undefined): peer is Heard => peer?.reach === 'up' && peer.view !== null;
export const heardPeers = (state: State): Heard[] => Object.values(state.peers).filter(isHeard);

/** Phases in which a postmaster is there, so that a stop has something to do. */
export const hasPostmaster = (phase: Phase): boolean =>
  phase === 'running' || phase === 'silent' || phase === 'starting' || phase === 'stopping';

/** A heard peer that is primary and takes writes. */
export const isServingPrimary = ({ view }: Heard): boolean =>
  view.role === 'primary' && view.phase === 'running';

/** It has become primary since this was promised, whether its instance runs now or not. */
export const isLater = (sync: SyncSet, view: ServerView): boolean =>
  view.role === 'primary' && view.lastTimeline > sync.timeline;

/** This server is the primary in charge, so that its promise can change. */
export const isInCharge = (state: State): boolean =>
  state.own.role === 'primary' &&
  state.own.phase === 'running' &&
  state.own.report !== null &&
  state.giving === null &&
  state.takeover === null &&
  state.stop === null &&
  state.ending === null &&
  // One that somebody has promoted by hand leads nobody.
  !isMaintained(state, state.self.id);

/** It runs as primary although it is in maintenance, and nobody follows it. */
export const leadsNobody = (state: State): boolean =>
  state.own.role === 'primary' && state.own.phase === 'running' && isMaintained(state, state.self.id);

/** Another server that leads: one in maintenance that somebody has promoted by hand does not. */
export const leader = (state: State): Heard | undefined =>
  heardPeers(state).find((it) => isServingPrimary(it) && !isMaintained(state, it.line.id));

/** A server in maintenance that somebody has promoted by hand, as far as it is heard. */
export const ledByHand = (state: State): ServerId | undefined =>
  leadsNobody(state)
    ? state.self.id
    : heardPeers(state).find((it) => isServingPrimary(it) && isMaintained(state, it.line.id))?.line.id;

/** Its instance takes writes, or will in a moment, as far as it can be heard. */
export const serves = ({ view }: Heard): boolean =>
  view.role === 'primary' &&
  view.handover === null &&
  view.leaving !== 'instance' &&
  ['running', 'silent', 'starting', 'unknown'].includes(view.phase);

/** It has the word of the others that nobody took over, or will have it in a moment, and starts with that. */
export const asksBeforeItStarts = ({ view }: Heard): boolean =>
  view.role === 'primary' && view.phase === 'waiting' && view.handover === null;

/** The primary in charge, or one that is giving its role away: requests of a person are carried out here. */
export const isPrimaryHere = (state: State): boolean =>
  state.own.role === 'primary' &&
  ((state.own.phase === 'running' && !leadsNobody(state)) || state.giving !== null);

/** Where the WAL of the own server ends; after its receiver was cut it stays there. */
export const ownPosition = (state: State): string =>
  state.takeover?.lsn ?? state.yield?.lsn ?? state.own.report?.lsn ?? noPosition;

/** Where the WAL of a standby ends, as far as it was heard. */
export const positionOf = ({ takeover, yield: to, report }: ServerView): string =>
  takeover?.lsn ?? to?.lsn ?? report?.lsn ?? noPosition;

/** Bytes of WAL that one position is ahead of the other; negative when it is behind. */
export const bytesAhead = (one: string, other: string): number => lsnValue(one) - lsnValue(other);

/** In the order of network.conf. */
export const isBefore = (state: State, one: ServerId, other: ServerId): boolean => {
  const order = state.servers.map((line) => line.id);
  return order.indexOf(one) < order.indexOf(other);
};

/** Whether the failure of such a disk takes a server out: one that it would hold up cannot serve. */
export const takesOut = ({ conf }: State, part: DiskPart): boolean =>
  part !== 'tablespace' || conf.tablespaceDirectoryErrorAction === 'failover';

/** A disk of this server has failed, so that it can neither cut its receiver nor be promoted. */
export const isBroken = (state: State): boolean => failedDisks(state).some((part) => takesOut(state, part));

/** The takeover may end as a primary at any time, whatever its controller does. */
export const isPromoting = (state: State): boolean => state.takeover?.stage === 'promote';
