/**
 * mc_ctl switch --abort: ends a switch or a takeover wherever it is, and gives the role back where nothing is lost by that. In: a
 * state and a request. Out: a decision; the answer comes when the outcome is known. Pure.
 */
import { andThen, type Decision, decided, log, replies } from './decision.ts';
import { passOn } from './passed-on.ts';
import { giveUpSwitch } from './preparation.ts';
import type { ReplyTo } from './processes.ts';
import { abandon, stopAndProve } from './promotion.ts';
import { type Heard, heardPeers, isInCharge, isPromoting, leader } from './servers.ts';
import type { State } from './state.ts';
import { understandsProof } from './view.ts';

const asked = 'a person has ended it (mc_ctl switch --abort)';

export function onAbortSwitch(state: State, replyTo: ReplyTo): Decision {
  const answer = (ok: boolean, text: string) => decided(state, ...replies([replyTo], ok, text));
  if (state.preparing)
    return andThen(giveUpSwitch(state, asked), (it) =>
      decided(it, ...replies([replyTo], true, 'the switch is given up; writes go on')),
    );
  if (state.takeover) return abortTakeover(state, replyTo);
  if (state.yield) return endYield(state, replyTo);
  if (state.giving?.stage === 'stop')
    return answer(false, `${state.self.id} is being stopped for the switch; ask again when that is done`);
  const other = elsewhere(state);
  if (other && replyTo.kind === 'control') return askElsewhere(state, replyTo, other);
  if (state.giving) {
    const { to } = state.giving.handover;
    return answer(
      false,
      `${to} was given the role and is not heard; it may still become primary. Make it heard, or end its instance, then mc_ctl start here`,
    );
  }
  return answer(false, `no switch is under way${serving(state)}`);
}

/** For a person who has asked too late. */
function serving(state: State): string {
  const primary = isInCharge(state) ? state.self.id : leader(state)?.line.id;
  return primary === undefined ? '' : `; ${primary} is primary`;
}

function abortTakeover(state: State, replyTo: ReplyTo): Decision {
  if (isPromoting(state)) return stopAndProve(aborted(state), asked, [replyTo]);
  return andThen(abandon(aborted(state), asked), (it) =>
    decided(it, ...replies([replyTo], true, `${state.self.id} does not take over`)),
  );
}

/** The primary is still silent, and without this the next tick would begin anew. */
const aborted = (state: State): State => ({ ...state, aborted: state.takeover?.from ?? null });

function endYield(state: State, replyTo: ReplyTo): Decision {
  const to = state.yield?.to ?? '';
  const text = `${state.self.id} does not wait for ${to} any more`;
  return decided(
    { ...state, yield: null },
    log('MCA01052', { why: asked }),
    ...replies([replyTo], true, text),
  );
}

/** Where the switch goes on now: the server that takes over, or the one that prepares or gives. */
const elsewhere = (state: State): Heard | undefined =>
  heardPeers(state).find(({ view }) => view.takeover) ??
  heardPeers(state).find(({ view }) => view.busy?.work === 'switch' || view.busy?.work === 'failover');

function askElsewhere(state: State, replyTo: ReplyTo, { line, view }: Heard): Decision {
  if ((view.understands ?? 1) < understandsProof)
    return decided(
      state,
      ...replies(
        [replyTo],
        false,
        `the controller of ${line.id} is of an earlier version, which cannot do that`,
      ),
    );
  return passOn(state, { replyTo, peer: line.id, work: null }, { kind: 'abort-switch' });
}
