/**
 * Requests of a person that this server passes on to the one that can carry them out. They are apart from those that it carries out itself: the
 * answer comes whatever its own role has become meanwhile, and nothing that ends here says anything about them. Pure.
 */
import { type Decision, decided, replies } from './decision.ts';
import type { Happening, PeerRequest } from './event.ts';
import type { PassedOn } from './processes.ts';
import { isInCharge } from './servers.ts';
import type { State } from './state.ts';

export function passOn(state: State, passed: Omit<PassedOn, 'id'>, request: PeerRequest): Decision {
  const { seq: id } = state;
  return decided(
    { ...state, passedOn: [...state.passedOn, { ...passed, id }] },
    { kind: 'ask-peer', peer: passed.peer, id, request },
  );
}

/** The other server has answered, or will not any more. */
export function onPeerReply(
  state: State,
  { peer, id, ok, text, code }: Omit<Extract<Happening, { kind: 'peer-reply' }>, 'kind'>,
): Decision {
  const [settled, rest] = parted(state.passedOn, (it) => it.peer === peer && it.id === id);
  return answered(state, settled, rest, (to) => replies(to, ok, text, code));
}

/** What was passed on for a switch is done once this server is primary, whoever might still say so; unless it was to be another one. */
export function switchedHere(state: State, text: string): Decision {
  const { id } = state.self;
  const [settled, rest] = parted(
    state.passedOn,
    ({ work, to }) => work === 'switch' && (to === undefined || to === id),
  );
  return answered(state, settled, rest, (to) => replies(to, true, text));
}

/** Called after every event: who leads now carries out itself what another primary was asked for, if it is asked again. */
export function endPassedOn(state: State): Decision {
  if (state.passedOn.length === 0 || !isInCharge(state)) return decided(state);
  const [settled, rest] = parted(state.passedOn, ({ work }) => work !== null);
  return answered(state, settled, rest, (to) =>
    replies(to, false, `${state.self.id} is primary now; ask again`),
  );
}

function parted(
  all: readonly PassedOn[],
  isMeant: (it: PassedOn) => boolean,
): readonly [readonly PassedOn[], readonly PassedOn[]] {
  return [all.filter(isMeant), all.filter((it) => !isMeant(it))];
}

const answered = (
  state: State,
  settled: readonly PassedOn[],
  rest: readonly PassedOn[],
  told: (to: readonly PassedOn['replyTo'][]) => ReturnType<typeof replies>,
): Decision =>
  settled.length === 0
    ? decided(state)
    : decided({ ...state, passedOn: rest }, ...told(settled.map(({ replyTo }) => replyTo)));
