/**
 * Standbys that cannot follow their primary any more: they hold WAL from beyond the place where it has left their timeline, which was
 * acknowledged to nobody. Their receivers connect again and again, and stream for a moment each time; what they confirm is other WAL.
 * In: reports. Out: who has parted, and a message when that begins and when it is over. Pure.
 */
import { type Decision, decided, log } from './decision.ts';
import { lsnValue, sameIds } from './names.ts';
import { isHeard } from './servers.ts';
import type { State } from './state.ts';
import type { InstanceReport, ServerId } from './view.ts';

/**
 * Without a receiver a standby does not know its timeline: what it tells then is that of its last checkpoint. Undefined, too, where
 * the history of the primary is not known.
 */
function hasParted(primary: InstanceReport, standby: InstanceReport): boolean | undefined {
  const { history } = primary;
  if (standby.timeline === primary.timeline || standby.systemId !== primary.systemId) return false;
  if (standby.receiver === null || !history || standby.role !== 'standby') return undefined;
  const left = history.find(({ timeline }) => timeline === standby.timeline);
  return left && standby.replayedLsn ? lsnValue(standby.replayedLsn) > lsnValue(left.endsAt) : undefined;
}

/** Its own word decides, and while it does not tell, what it said before. */
export function isParted({ own, peers, parted }: State, id: ServerId): boolean {
  const peer = peers[id];
  if (own.role !== 'primary' || !own.report) return false;
  const told = isHeard(peer) && peer.view.report ? hasParted(own.report, peer.view.report) : undefined;
  return told ?? parted.includes(id);
}

/** Called with every answer of the instance. */
export function watchParted(state: State): Decision {
  const parted = Object.keys(state.peers).filter((id) => isParted(state, id));
  if (sameIds(parted, state.parted)) return decided(state);
  const begun = parted.filter((id) => !state.parted.includes(id));
  const over = state.own.role === 'primary' ? state.parted.filter((id) => !parted.includes(id)) : [];
  return decided(
    { ...state, parted },
    ...begun.map((server) => log('MCA01076', { server, primary: state.self.id })),
    ...over.map((server) => log('MCA01077', { server, primary: state.self.id })),
  );
}
