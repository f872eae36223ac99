/**
 * One command at a time: what a server is in the middle of, who asked for it, and the refusal that a second command gets,
 * on whichever server it is given. In: a state. Out: the task that is told with every heartbeat, or a sentence. Pure.
 */
import { type Decision, decided } from './decision.ts';
import type { ReplyTo } from './processes.ts';
import type { State } from './state.ts';
import type { Asker, ServerId, Task } from './view.ts';

function workOf(state: State): Task['work'] | null {
  if (state.stop) return 'stop';
  if (state.preparing) return 'switch';
  if (state.giving) return state.giving.handover.kind === 'failover' ? 'failover' : 'switch';
  if (state.takeover) return state.takeover.kind === 'silence' ? 'failover' : 'switch';
  const passed = (work: Task['work']): boolean => state.passedOn.some((it) => it.work === work);
  if (state.waitingForSwitch.length > 0 || passed('switch')) return 'switch';
  // A word of its own would be none for an earlier version, which drops a view that has it.
  const maintains = state.maintaining !== null || state.waitingForMaintenance.length > 0;
  const detaches = state.waitingForDetach.length > 0 || state.detaching !== null || passed('detach');
  return detaches || maintains ? 'detach' : null;
}

/** Keeps the task in step with the work; whoever asked for it first is named as long as it lasts. */
export function keepTask(state: State, by: Asker | null = null): State {
  const work = workOf(state);
  if (work === (state.task?.work ?? null)) return state;
  return { ...state, task: work === null ? null : { work, by, sinceWall: state.wall } };
}

/** Carries a request out, and remembers who asked if anything goes on because of it. */
export function askedBy(by: Asker | undefined, decision: Decision): Decision {
  return { ...decision, state: keepTask(decision.state, by ?? null) };
}

interface Busy {
  readonly server: ServerId;
  readonly task: Task;
}

/**
 * What is under way anywhere, as far as it is heard; what tells most comes first: a person's task before one without, and
 * the primary, which does the work, before the server that only passed the request on.
 */
export function busyServers(state: State): Busy[] {
  const peers = Object.values(state.peers).filter((peer) => peer.reach === 'up');
  const all = [
    { server: state.self.id, task: state.task, role: state.own.role },
    ...peers.map(({ line, view }) => ({
      server: line.id,
      task: view?.busy ?? null,
      role: view?.role ?? null,
    })),
  ];
  const weight = ({ task, role }: (typeof all)[number]): number =>
    (task?.by ? 2 : 0) + (role === 'primary' ? 1 : 0);
  return all
    .sort((one, other) => weight(other) - weight(one))
    .flatMap(({ server, task }) => (task ? [{ server, task }] : []));
}

const sameAsker = (one: Asker | null, other: Asker | undefined): boolean =>
  one !== null && other !== undefined && one.pid === other.pid && one.server === other.server;

export const timeOfDay = (wall: number): string => `${new Date(wall).toISOString().slice(11, 19)} UTC`;

export function busyText({ server, task: { work, by, sinceWall } }: Busy): string {
  const who = by ? `asked by process ${by.pid} of ${by.user} on ${by.server}` : 'by itself';
  return `${server} is busy: ${work}, ${who}, since ${timeOfDay(sinceWall)}; wait for it`;
}

/** Why a switch or a detach has to wait; null when nothing else is under way. Its own way over two servers is no obstacle. */
export function obstacleToChange(state: State, replyTo: ReplyTo, by: Asker | undefined): string | null {
  const other = busyServers(state).find(({ server, task }) => {
    const passedOn = replyTo.kind === 'peer' && server === replyTo.peer && task.by === null;
    return !sameAsker(task.by, by) && !passedOn;
  });
  return other ? busyText(other) : null;
}

/** Why a stop has to wait. One server's stop is no obstacle to another one's, and nothing is one to a role given away. */
export function obstacleToStop(state: State): string | null {
  if (state.own.phase === 'stopped' && state.giving?.stage === 'given') return null;
  const other = busyServers(state).find(
    ({ server, task }) => server === state.self.id || task.work !== 'stop',
  );
  return other ? busyText(other) : null;
}

/** Why a start has to wait: the own server is in the middle of something else. */
export function obstacleToStart(state: State): string | null {
  const { task, giving } = state;
  if (!task || (task.work !== 'stop' && !giving)) return null;
  const lost = giving !== null && state.peers[giving.handover.to]?.reach !== 'up';
  return lost ? null : busyText({ server: state.self.id, task });
}

export const refuseBusy = (state: State, replyTo: ReplyTo, text: string): Decision =>
  decided(state, { kind: 'reply', to: replyTo, ok: false, text, code: 'busy' });
