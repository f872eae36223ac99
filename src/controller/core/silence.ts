/**
 * When a peer is silent: what the policy of the configuration makes of it. Nobody can tell a dead peer from a cut cable,
 * so the answer is asked for, not guessed, and a pause of this process never counts against the others. Pure.
 */
import { giveUpTimeMs } from '../config.ts';
import type { Action } from './action.ts';
import { type Decision, decided, log } from './decision.ts';
import { givesUpAfterMs } from './granted.ts';
import { mayBelieve } from './promise.ts';
import { isUndecidable, reaches } from './references.ts';
import type { Peer, State } from './state.ts';
import { isBound, registerAnswers } from './term.ts';
import type { ServerId } from './view.ts';

const askEveryMs = 3000;

/** How long nothing was heard of a peer's controller, as far as this process was awake. */
export const silentMs = (state: State, peer: Peer): number =>
  state.now - Math.max(peer.heardAt, state.graceFrom);

export const isSilent = (state: State, id: ServerId): boolean => {
  const peer = state.peers[id];
  return peer !== undefined && silentMs(state, peer) > givesUpAfterMs(state, peer);
};

/** An answer counts only if it was asked for after the peer fell silent. */
const fresh = (state: State, asked: number, id: ServerId): boolean =>
  asked >= 0 && asked > (state.peers[id]?.heardAt ?? 0) && asked >= state.graceFrom;

/** The policy's word that a silent peer may be treated as dead. */
export function believesGone(state: State, id: ServerId): boolean {
  if (!isSilent(state, id)) return false;
  // The register answers instead: before a standby becomes primary, and before a primary shuts out who could.
  if (isBound(state.sync)) return state.sync?.primary !== state.self.id || !mayBelieve(state, id);
  switch (state.conf.heartbeatErrorAction) {
    case 'fallback':
      return reaches(state, id) === true;
    case 'command': {
      const verdict = state.verdicts[id];
      return verdict?.answer === true && fresh(state, verdict.askedAt, id);
    }
    case 'message':
    case 'arbitration':
      return false;
  }
}

/** Asks what the policy needs to know about the silent peers that matter, and says so once where it does nothing. */
export function askAbout(state: State, ids: readonly ServerId[]): Decision {
  const silent = ids.filter((id) => isSilent(state, id));
  const warned = state.warned.filter((id) => silent.includes(id));
  let next: State = { ...state, warned };
  const actions: Action[] = [];
  for (const id of silent) {
    switch (state.conf.heartbeatErrorAction) {
      case 'fallback':
        if (!isUndecidable(next) || warned.includes(id)) break;
        next = { ...next, warned: [...next.warned, id] };
        actions.push(log('MCA01113', { peer: id }));
        break;
      case 'command':
        if (due(next, next.verdicts[id]?.askedAt ?? -1, id)) {
          const verdicts = { ...next.verdicts, [id]: { askedAt: state.now, answer: null } };
          next = { ...next, verdicts };
          const operation = state.own.role === 'primary' ? 'detach' : 'switch';
          actions.push({
            kind: 'run-command',
            command: 'arbitration',
            target: id,
            operation,
            mode: 'monitor',
          });
        }
        break;
      case 'message':
      case 'arbitration':
        if (warned.includes(id) || registerAnswers(next)) break;
        next = { ...next, warned: [...next.warned, id] };
        actions.push(log(isBound(next.sync) ? 'MCA01133' : 'MCA01040', { peer: id }));
        break;
    }
  }
  return decided(next, ...actions);
}

const due = (state: State, asked: number, id: ServerId): boolean =>
  !fresh(state, asked, id) || state.now - asked >= askEveryMs + state.conf.arbitrationCommandTimeoutMs;

/** Whether a silent server may be treated as shut out: nobody asks for it, or fencing_command has said so since. */
export function isFenced(state: State, id: ServerId): boolean {
  const fence = state.fences[id];
  return (
    state.conf.fencingCommand === undefined || (fence?.answer === true && fresh(state, fence.askedAt, id))
  );
}

/** Calls fencing_command about each of them, and again after a while when it has said no. */
export function askFences(state: State, ids: readonly ServerId[]): Decision {
  const { fencingCommandTimeoutMs } = state.conf;
  const again = fencingCommandTimeoutMs + giveUpTimeMs(state.conf);
  const open = ids.filter((id) => {
    const { askedAt = -1, answer = null } = state.fences[id] ?? {};
    return (
      !isFenced(state, id) && (!fresh(state, askedAt, id) || (answer !== true && state.now - askedAt > again))
    );
  });
  if (open.length === 0) return decided(state);
  const asked = Object.fromEntries(open.map((id) => [id, { askedAt: state.now, answer: null }]));
  const actions = open.map((target) => fencing(target, 'detach', 'monitor'));
  return decided({ ...state, fences: { ...state.fences, ...asked } }, ...actions);
}

export const fencing = (
  target: ServerId,
  operation: 'switch' | 'detach',
  mode: 'monitor' | 'command',
): Action => ({ kind: 'run-command', command: 'fencing', target, operation, mode });

/** No: the standby stays in, commits wait, and the command is called again later. */
export function onFenceVerdict(state: State, target: ServerId, done: boolean, why: string): Decision {
  const before = state.fences[target];
  if (!before) return decided(state);
  const fences = { ...state.fences, [target]: { ...before, answer: done } };
  return decided({ ...state, fences }, fenceWords(target, done, why));
}

export const fenceWords = (target: ServerId, done: boolean, why: string): Action =>
  done ? log('MCA01058', { server: target }) : log('MCA01059', { server: target, why });

export function onVerdict(state: State, target: ServerId, failed: boolean, why: string): Decision {
  const before = state.verdicts[target];
  if (!before) return decided(state);
  const verdicts = { ...state.verdicts, [target]: { ...before, answer: failed } };
  const words = { peer: target, answer: failed ? 'has failed' : 'has not failed', why };
  return decided({ ...state, verdicts }, log('MCA01041', words));
}
