/**
 * Requests of a person that may reach any server: switch and detach. The primary carries them out; another server passes
 * them on and gives the answer back. Pure.
 */
import { timeOfDay } from './busy.ts';
import { type Decision, decided, replies } from './decision.ts';
import { detachHere } from './detach.ts';
import type { AttachCommand, ControlRequest, MaintenanceBegin, MaintenanceEnd } from './event.ts';
import { onBegin, onEnd } from './maintaining.ts';
import { byHandWords } from './maintenance.ts';
import { passOn } from './passed-on.ts';
import { onSwitchRequest } from './preparation.ts';
import type { ReplyTo } from './processes.ts';
import { without } from './promise.ts';
import { type Heard, isPrimaryHere, leader, leadsNobody, ledByHand } from './servers.ts';
import type { State } from './state.ts';
import { onForcedTakeover } from './takeover.ts';
import { understandsMaintenance } from './view.ts';

export function onSwitchCommand(
  state: State,
  replyTo: ReplyTo,
  request: Extract<ControlRequest, { kind: 'switch' }>,
): Decision {
  if (isPrimaryHere(state)) return onSwitchRequest(state, replyTo, request);
  const primary = leader(state);
  if (primary && replyTo.kind === 'control')
    return passOn(state, { replyTo, peer: primary.line.id, work: 'switch', to: request.to }, request);
  if (request.force && !leadsNobody(state) && (request.to ?? state.self.id) === state.self.id)
    return onForcedTakeover(state, replyTo, request.noFencing);
  const standby = state.own.role === 'standby' && state.own.phase === 'running';
  const way = standby ? `; mc_ctl switch --force makes ${state.self.id} primary without it` : '';
  return decided(state, ...replies([replyTo], false, `${nobodyLeads(state)}${way}`));
}

/** Which server would have to act, and how long ago it was heard. */
function nobodyLeads(state: State): string {
  const byHand = ledByHand(state);
  if (byHand !== undefined) return byHandWords(byHand);
  const last = state.peers[state.sync?.primary ?? ''] ?? Object.values(state.peers)[0];
  if (!last || last.reach === 'up') return `no primary is running (${state.mirroring.reason || 'none'})`;
  const since = last.heardWall === null ? 'and was not yet' : `since ${timeOfDay(last.heardWall)}`;
  const how =
    last.reach === 'refused' ? 'its host refuses the connection: no controller runs there' : 'no answer';
  return `${last.line.id}, which would have to do it, is not heard ${since} (${how})`;
}

export function onDetachRequest(
  state: State,
  replyTo: ReplyTo,
  { noFencing, ...request }: Extract<ControlRequest, { kind: 'detach' }>,
): Decision {
  if (isPrimaryHere(state)) return detachHere(state, replyTo, noFencing, request.server);
  const primary = leader(state);
  if (!primary || replyTo.kind === 'peer')
    return decided(state, ...replies([replyTo], false, nobodyLeads(state)));
  if (request.server !== undefined && isOld(primary)) return refuseOld(state, replyTo, primary);
  return passOn(state, { replyTo, peer: primary.line.id, work: 'detach' }, { ...request, noFencing });
}

const isOld = ({ view }: Heard): boolean => (view.understands ?? 1) < understandsMaintenance;

/** It would take a word that it does not know for another one. */
const refuseOld = (state: State, replyTo: ReplyTo, { line }: Heard): Decision =>
  decided(
    state,
    ...replies(
      [replyTo],
      false,
      `the controller of ${line.id}, the primary, is of an earlier version; run pgduet provision first`,
    ),
  );

/** The primary begins and ends a maintenance; another server passes it on. */
export function onMaintenanceRequest(
  state: State,
  replyTo: ReplyTo,
  request: MaintenanceBegin | MaintenanceEnd,
): Decision {
  if (isPrimaryHere(state))
    return request.kind === 'maintenance-begin'
      ? onBegin(state, replyTo, request)
      : onEnd(state, replyTo, request);
  const primary = leader(state);
  if (!primary || replyTo.kind === 'peer')
    return decided(state, ...replies([replyTo], false, nobodyLeads(state)));
  if (isOld(primary)) return refuseOld(state, replyTo, primary);
  return passOn(state, { replyTo, peer: primary.line.id, work: 'detach' }, request);
}

/** mc_ctl attach: a person's detach is over before the instance of the standby is started anew. */
export function onAttachRequest(state: State, replyTo: ReplyTo, request: AttachCommand): Decision {
  const { server: id } = request;
  if (!isPrimaryHere(state)) {
    const primary = leader(state);
    if (!primary || replyTo.kind === 'peer')
      return decided(state, ...replies([replyTo], false, nobodyLeads(state)));
    if (isOld(primary)) return refuseOld(state, replyTo, primary);
    return passOn(state, { replyTo, peer: primary.line.id, work: 'detach' }, request);
  }
  if (state.parked[id] === undefined)
    return decided(state, ...replies([replyTo], true, `no person has taken ${id} out`));
  const text = `${id} may come back: commits wait for it once it streams`;
  return decided({ ...state, parked: without(state.parked, [id]) }, ...replies([replyTo], true, text));
}

/** A switch that has come to an end of another kind, such as a failover or a stop in the middle of it; whoever waits for it is told. */
export function endSwitch(state: State): Decision {
  const { waitingForSwitch: waiting, preparing, giving, takeover, stop, boot } = state;
  if (waiting.length === 0 || preparing || giving || takeover) return decided(state);
  const primary = leader(state);
  const outcome = stop
    ? 'this controller is being stopped'
    : boot.kind === 'failed'
      ? boot.why
      : primary
        ? `${primary.line.id} is primary`
        : 'see mc_ctl status';
  return decided(
    { ...state, waitingForSwitch: [] },
    ...replies(waiting, false, `the switch has not come to its end: ${outcome}`),
  );
}
