/**
 * What a server may do besides streaming, as its own configuration says: take over by itself, and be waited for. A duty gives
 * nothing; it keeps from something. The promise of the primary settles who may. In: a state or a view. Out: plain answers. Pure.
 * docs/adr/0010-which-server-may-do-what.md has the reasons.
 */
import { type ServerConf, serverConfDefaults } from '../config.ts';
import { isBefore } from './servers.ts';
import type { State } from './state.ts';
import type { Duty, ServerId, ServerView } from './view.ts';

type Conf = Pick<ServerConf, 'takeover' | 'takeoverPriority' | 'replication'>;

const dutyIn = ({ takeover, takeoverPriority: priority, replication }: Conf): Duty => ({
  takeover,
  priority,
  replication,
});

const everything = dutyIn(serverConfDefaults);

export const ownDuty = ({ conf }: State): Duty => dutyIn(conf);

/** As it was last told. A controller of an earlier version tells none, and one that was never heard neither. */
export const dutyOf = (view: Pick<ServerView, 'duty'> | null | undefined): Duty => view?.duty ?? everything;

/** The duty of any server, as far as it is known here. */
export const dutyAt = (state: State, id: ServerId): Duty =>
  id === state.self.id ? ownDuty(state) : dutyOf(state.peers[id]?.view);

export const sameDuty = (one: Duty | undefined, other: Duty | undefined): boolean => {
  const [before, after] = [one ?? everything, other ?? everything];
  return (
    before.takeover === after.takeover &&
    before.priority === after.priority &&
    before.replication === after.replication
  );
};

export const sameConfDuty = (one: Conf, other: Conf): boolean => sameDuty(dutyIn(one), dutyIn(other));

/** It may become primary without a person. */
export const mayTakeOver = ({ takeover, replication }: Duty): boolean =>
  takeover === 'allowed' && replication === 'synchronous';

/** Commits never wait for it, and it does not vote. */
export const isAsynchronous = ({ replication }: Duty): boolean => replication === 'asynchronous';

/** Of two servers with the same data. */
export function isPreferred(state: State, one: ServerId, other: ServerId): boolean {
  const more = dutyAt(state, one).priority - dutyAt(state, other).priority;
  return more > 0 || (more === 0 && isBefore(state, one, other));
}

/** What a duty keeps a server from; empty where all is allowed. */
export function dutyWords(id: ServerId, duty: Duty): string {
  if (isAsynchronous(duty))
    return `${id} is an asynchronous copy (replication = asynchronous), which never takes over by itself`;
  return mayTakeOver(duty) ? '' : `${id} never takes over by itself (takeover = never)`;
}
