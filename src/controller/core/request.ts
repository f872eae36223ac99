/**
 * Requests of a person that may reach any server: switch and detach. The primary carries them out; another server passes
 * them on and gives the answer back. Pure.
 */
import { type Decision, decided, log, replies } from './decision.ts';
import { onSwitchRequest } from './handover.ts';
import type { Peer, ReplyTo, State } from './state.ts';
import { onStopReply } from './stop.ts';
import { onForcedTakeover } from './takeover.ts';
import type { ServerId } from './view.ts';

const primaryPeer = (state: State): Peer | undefined =>
  Object.values(state.peers).find(
    (peer) => peer.reach === 'up' && peer.view?.role === 'primary' && peer.view.phase === 'running',
  );

const leads = (state: State): boolean =>
  state.own.role === 'primary' && (state.own.phase === 'running' || state.giving !== null);

export function onSwitchCommand(
  state: State,
  replyTo: ReplyTo,
  wish: { readonly force: boolean; readonly noFencing: boolean; readonly to?: ServerId },
): Decision {
  if (leads(state)) return onSwitchRequest(state, replyTo, wish.force, wish.to);
  const primary = primaryPeer(state);
  if (primary && replyTo.kind === 'control') {
    const request = { kind: 'switch', ...wish } as const;
    const next = { ...state, waitingForSwitch: [...state.waitingForSwitch, replyTo] };
    return decided(next, { kind: 'ask-peer', peer: primary.line.id, request });
  }
  if (wish.force && (wish.to ?? state.self.id) === state.self.id)
    return onForcedTakeover(state, replyTo, wish.noFencing);
  const why = `no primary is heard (${state.mirroring.reason || 'none'}); mc_ctl switch --force makes ${state.self.id} primary`;
  return decided(state, ...replies([replyTo], false, why));
}

export function onDetachRequest(state: State, replyTo: ReplyTo, noFencing: boolean): Decision {
  if (leads(state)) return detachHere(state, replyTo);
  const primary = primaryPeer(state);
  if (!primary || replyTo.kind === 'peer')
    return decided(state, ...replies([replyTo], false, 'no primary is heard that could take a standby out'));
  const next = { ...state, waitingForDetach: [...state.waitingForDetach, replyTo] };
  return decided(next, { kind: 'ask-peer', peer: primary.line.id, request: { kind: 'detach', noFencing } });
}

/** Takes out the standby that commits wait for; with several of them the one that is worst off. */
function detachHere(state: State, replyTo: ReplyTo): Decision {
  const voters = state.sync?.voters ?? [];
  if (state.giving || state.stop)
    return decided(state, ...replies([replyTo], false, 'a switch or stop is under way'));
  if (voters.length === 0) return decided(state, ...replies([replyTo], false, 'no standby is waited for'));
  const streams = (id: ServerId) =>
    state.own.report?.senders.some((row) => row.name === id && row.state === 'streaming') ?? false;
  const id = voters.find((it) => !streams(it)) ?? voters.at(-1) ?? '';
  const startedAtWall = state.peers[id]?.view?.report?.startedAtWall ?? 0;
  const next: State = {
    ...state,
    parked: { ...state.parked, [id]: startedAtWall },
    waitingForDetach: [...state.waitingForDetach, replyTo],
  };
  return decided(next, log('MCA01057', { server: id }));
}

/** The primary has answered a request that was passed on, or a server of a stop -a is done. */
export function onPeerReply(state: State, peer: ServerId, ok: boolean, text: string): Decision {
  if (state.stop) return onStopReply(state, peer, ok, text);
  const waiting = [...state.waitingForSwitch, ...state.waitingForDetach];
  const next = { ...state, waitingForSwitch: [], waitingForDetach: [] };
  return state.own.role === 'standby' && waiting.length > 0
    ? decided(next, ...replies(waiting, ok, text))
    : decided(state);
}
