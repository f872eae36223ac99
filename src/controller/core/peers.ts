/**
 * What is known of the other controllers: heard, refused, lost; and the decision about automatic failover, which the
 * newest decision of any server settles. Nothing that a peer says changes the own instance from here. Pure.
 */
import { renewArbiters } from './arbiters.ts';
import { advanceBoot, beginStart } from './boot.ts';
import { andThen, type Decision, decided, log, replies } from './decision.ts';
import type { Happening } from './event.ts';
import { givesUpAfterMs, grant } from './granted.ts';
import { newPeer } from './initial-state.ts';
import { checkSystemId } from './instance.ts';
import { entriesOf, heedEntries, isMaintained } from './maintenance.ts';
import { isYounger } from './pause.ts';
import type { ReplyTo } from './processes.ts';
import { confirmedBy, learn, ofCluster } from './promise.ts';
import { renewReferences } from './references.ts';
import { newRhythm, withSilence } from './rhythm.ts';
import { addressesIn } from './rows.ts';
import { silentMs } from './silence.ts';
import type { Peer, State } from './state.ts';
import type { FailoverFlag, ServerId, ServerView } from './view.ts';

function withPeer(state: State, id: ServerId, change: Partial<Peer>): State {
  const before = state.peers[id];
  if (!before) return state;
  const newReach = change.reach !== undefined && change.reach !== before.reach;
  const since = newReach ? { sinceWall: state.wall, sinceAt: state.now } : {};
  return { ...state, peers: { ...state.peers, [id]: { ...before, ...change, ...since } } };
}

const secondsSince = (state: State, peer: Peer): string => ((state.now - peer.signAt) / 1000).toFixed(1);

export function onHeard(state: State, id: ServerId, view: ServerView): Decision {
  const peer = state.peers[id];
  if (!peer || isOvertaken(peer, view)) return decided(state);
  const back = peer.reach === 'lost' || (peer.reach === 'refused' && peer.view !== null);
  const silence = ((state.wall - peer.sinceWall) / 1000).toFixed(1);
  const goesOn = peer.view?.incarnation === view.incarnation;
  const rhythm = goesOn ? withSilence(peer.rhythm, state.now, silentMs(state, peer)) : peer.rhythm;
  const sign = { rhythm, signAt: state.now, heardAt: state.now, heardWall: state.wall };
  const awake = isYounger(state, peer, view) ? { asleepMs: 0 } : {};
  const up = withAddresses(withPeer(state, id, { reach: 'up', ...sign, ...awake, view }), view);
  const told = heedEntries(up, view);
  const knowing = learn(told.state, view);
  const aborted = knowing.aborted === id ? null : knowing.aborted;
  const known = confirmedBy({ ...knowing, aborted }, id, view);
  const heard = decided(
    known,
    ...told.actions,
    ...(back ? [log('MCA01020', { peer: id, seconds: silence })] : []),
  );
  const adopted = andThen(heard, (it) => adoptFailover(it, view.failover));
  const checked = andThen(adopted, (it) => checkSystemId(it, id, peer.view?.report?.systemId));
  return andThen(
    andThen(checked, (it) => comeBack(state, it)),
    advanceBoot,
  );
}

/** Its maintenance is over, and its instance was stopped by hand meanwhile, or did not start. */
function comeBack(before: State, state: State): Decision {
  const isOver = isMaintained(before, before.self.id) && !isMaintained(state, state.self.id);
  const isAway =
    ['down', 'stopped'].includes(state.own.phase) && ['done', 'failed'].includes(state.boot.kind);
  return isOver && isAway && !state.stop ? beginStart(state, false) : decided(state);
}

/** Two connections carry views, so an older one can come after a newer one. */
const isOvertaken = ({ view: last }: Peer, view: ServerView): boolean =>
  last !== null && last.incarnation === view.incarnation && view.seq < last.seq;

function withAddresses(state: State, view: ServerView): State {
  if (view.role !== 'primary' || !view.report) return state;
  const ids = state.servers.map((line) => line.id);
  const seen = addressesIn(view.report, ids, view.strangers ?? []);
  const isNew = ids.some((id) => seen[id] !== undefined && seen[id] !== state.addresses[id]);
  return isNew ? { ...state, addresses: { ...state.addresses, ...seen } } : state;
}

export function onPeerRefused(state: State, id: ServerId): Decision {
  const peer = state.peers[id];
  if (!peer) return decided(state);
  const refused = withPeer(state, id, { reach: 'refused', signAt: state.now });
  const news = peer.reach !== 'refused' ? [log('MCA01021', { peer: id })] : [];
  return andThen(decided(refused, ...news), advanceBoot);
}

/** Gives up the peers from which there was no sign for too long. */
export function onPeersTick(state: State): Decision {
  const silent = Object.values(state.peers).filter(
    (peer) =>
      peer.reach !== 'lost' &&
      state.now - Math.max(peer.signAt, state.graceFrom) > givesUpAfterMs(state, peer),
  );
  return silent.reduce(
    (so, peer) =>
      andThen(so, (it) =>
        decided(
          withPeer(it, peer.line.id, { reach: 'lost' }),
          log('MCA01019', { peer: peer.line.id, seconds: secondsSince(it, peer) }),
        ),
      ),
    decided(state),
  );
}

function adoptFailover(state: State, theirs: FailoverFlag): Decision {
  if (theirs.changedAtWall <= state.failover.changedAtWall) return decided(state);
  const news = theirs.enabled !== state.failover.enabled;
  const words = { state: theirs.enabled ? 'enabled' : 'disabled' };
  return decided({ ...state, failover: theirs }, ...(news ? [log('MCA01025', words)] : []));
}

/** The decision of a person on this server. It is always newer than what was known, whatever the clocks say. */
export function onSetFailover(state: State, replyTo: ReplyTo, enabled: boolean): Decision {
  const word = enabled ? 'enabled' : 'disabled';
  const changedAtWall = Math.max(state.wall, state.failover.changedAtWall + 1);
  return decided(
    { ...state, failover: { enabled, changedAtWall } },
    log('MCA01025', { state: word }),
    ...replies([replyTo], true, `automatic switch and disconnection are ${word}`),
  );
}

/** New configuration: peers that stay keep what is known of them. */
export function onReload(
  state: State,
  {
    conf,
    servers,
    arbiters = [],
  }: Pick<Extract<Happening, { kind: 'reload' }>, 'conf' | 'servers' | 'arbiters'>,
): Decision {
  const peers = Object.fromEntries(
    servers
      .filter((line) => line.id !== state.self.id)
      .map((line) => {
        const known = state.peers[line.id];
        // Silences under former times say nothing of these.
        const rhythm = newRhythm(state.now);
        return [line.id, known ? { ...known, line, rhythm } : newPeer(line, state.now, state.wall)];
      }),
  );
  const withdrawn = ofCluster(state.withdrawn, peers);
  const maintenance = entriesOf(
    state,
    servers.map((line) => line.id),
  );
  const kept = { withdrawn, maintenance, arbiters: renewArbiters(state, arbiters) };
  const changed = { ...state, conf, servers, peers, ...kept };
  const renewed = grant(changed, state.grantedMs);
  const references = renewReferences(renewed);
  return decided({ ...renewed, references }, log('MCA01028', { server: state.self.id }));
}
