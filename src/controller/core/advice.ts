/**
 * What keeps a pair from being switchable, and what a person does about it, with the exact command. In: observations of
 * the servers. Out: a reason and an advice. It names no command that could lose data without saying so. Pure.
 */

import { dutyOf, dutyWords, mayTakeOver } from './duty.ts';
import { votes } from './gather.ts';
import { isMaintained, leftOutWords } from './maintenance.ts';
import { megabytes } from './names.ts';
import { because, ctl, fedBySilent, forgetful, type Observation, type Obstacle, policy } from './obstacle.ts';
import { mayBelieve } from './promise.ts';
import { rowOf } from './rows.ts';
import { bytesAhead, noPosition, positionOf } from './servers.ts';
import type { MirroringStatus, State } from './state.ts';
import { strangerWords } from './strangers.ts';
import type { Phase, ServerId, ServerView, Stranger } from './view.ts';

const rebuild = (id: ServerId): string => `pgduet rebuild ${id}`;

/** Nobody here holds what is in them: a rebuild is no way, neither of this server nor of the other one. */
export const foreignData = (ids: string): string =>
  `look whose data are on ${ids}, and rebuild nothing: they may exist nowhere else; correct db_instance or the host in the inventory, or move the data away, then pgduet provision`;

/** Where the own one is, is known: its collector writes down the name of the log, and what comes before it goes to the file of the start. */
function serverLog({ self, conf, dir }: State, id: ServerId): string {
  const named = `the server log of ${id}`;
  const opener =
    conf.unlockCommand === undefined ? '' : '; that unlock_command failed is told by MCA01008 alone';
  return id === self.id
    ? `${named} (${conf.dbInstance}/current_logfiles names it, or it is ${dir}/${id}.startup.log${opener})`
    : named;
}

const startOrRebuild = (state: State, id: ServerId): string =>
  `read ${serverLog(state, id)}, then ${ctl(state, id, 'start')}; if it does not start: ${rebuild(id)}`;

/** What keeps a server from taking over now; null when nothing does. */
export function obstacle(state: State, primary: Observation, server: Observation): Obstacle | null {
  const { id, view } = server;
  const out = leftOutWords(state, id);
  if (out !== '') return because(out, `when the work is done: pgduet maintenance end ${id}`);
  if (server.reach === 'refused') return because(`no controller runs on ${id}`, ctl(state, id, 'start'));
  if (server.reach === 'lost') return silent(state, primary, id);
  if (!view || server.reach === 'unknown')
    return because(`${id} has not been heard yet`, ctl(state, id, 'start'));
  const ours = primary.view?.report?.systemId;
  if (view.report && ours && view.report.systemId !== ours)
    return because(`${id} belongs to another cluster`, foreignData(id));
  if (view.role !== 'standby') return formerPrimary(primary, server);
  if (view.phase !== 'running') return notRunning(state, server, view.phase);
  if (view.failedDisks.length > 0) {
    const advice = `repair the disk of ${id}; it comes back by itself`;
    return because(`a disk of ${id} has failed (${view.failedDisks.join(', ')})`, advice);
  }
  if (view.unsaved !== undefined) return forgetful(state, id, view.unsaved);
  return detached(primary, id) ?? strangersOf(primary) ?? streamObstacle(state, primary, server);
}

/** Commits may be acknowledged that no standby has. */
function strangersOf({ id, view }: Observation): Obstacle | null {
  const strangers = view?.strangers ?? [];
  if (strangers.length === 0) return null;
  const advice = strangers.map((it) => adviceAbout(it, id));
  return because(strangers.map(strangerWords).join('; '), advice.join('; '));
}

function adviceAbout({ kind, name }: Stranger, primary: ServerId): string {
  if (kind === 'name')
    return `take ${name} out of synchronous_standby_names where it stands on ${primary}, and reload`;
  const end = `end the receiver that is not ${name} (select pid, client_addr, backend_start from pg_stat_replication on ${primary})`;
  return kind === 'suspect'
    ? `wait a moment; if it stays so, see that ${name} is heard and receives WAL, or ${end}`
    : `${end}; one that is dead ends by itself after wal_sender_timeout`;
}

/** Nobody can tell a dead host from a cut cable; what is to be done depends on who is left with the decision. */
function silent(state: State, primary: Observation, id: ServerId): Obstacle {
  const waits = (primary.view?.report?.synchronousStandbyNames ?? '') !== '';
  const check = `check the host and admin network of ${id}`;
  if (!waits) return because(`${id} is not heard`, check);
  const detach = `if it is surely down: ${ctl(state, primary.id, 'detach')} lets waiting commits go on`;
  return because(`${id} is not heard, and commits wait for it${policy(state)}`, `${check}; ${detach}`);
}

/** One that somebody has promoted by hand leads nobody, and nobody is made its copy: the others hold what was acknowledged before. */
export function byHand(state: State, { id }: Observation, servers: readonly Observation[]): Obstacle {
  const former = servers.find((it) => it.id !== id && it.view?.role === 'primary')?.id ?? state.sync?.primary;
  const known = former !== undefined && former !== id;
  const before = known ? `${former} was primary before` : 'nobody follows it';
  const back = known ? `, then ${ctl(state, former, 'start')}` : '';
  return because(
    `${id} is in maintenance, and runs as primary; ${before}`,
    `look whose data count, and rebuild nothing before; if those of the others: stop the instance of ${id}${back}; if those of ${id}: ${ctl(state, id, 'start --force-start')}`,
  );
}

function formerPrimary(primary: Observation, { id, view }: Observation): Obstacle {
  if (view?.role !== 'primary') return because(`${id} is no standby of ${primary.id}`, rebuild(id));
  if (view.phase === 'running' || view.phase === 'silent')
    return because(
      `${id} was primary before ${primary.id} took over, and has not stopped yet`,
      'wait a moment',
    );
  const how = view.phase === 'held' ? 'is held back' : 'stays stopped';
  return because(`${id} was primary before ${primary.id} took over, and ${how}`, rebuild(id));
}

/** An instance that answers nothing, or that sessions which are open already may still work with while no other one is let in. */
export function unanswered({ id, view }: Observation, who: string): Obstacle {
  return view?.refusal === undefined
    ? because(`the instance of ${who} does not answer`, `look at the load and the disks of ${id}`)
    : because(
        `the instance of ${who} lets no new session in (${view.refusal})`,
        `see its log; what is missing a restart of the instance of ${id} makes anew`,
      );
}

function notRunning(state: State, server: Observation, phase: Phase): Obstacle {
  const { id } = server;
  const reason = `the instance of ${id} is ${phaseWord[phase]}`;
  switch (phase) {
    case 'starting':
    case 'stopping':
    case 'unknown':
      return because(reason, 'wait a moment');
    case 'waiting':
      return because(reason, 'wait a moment; it starts by itself when it reaches its primary');
    case 'silent':
      return server.view?.refusal === undefined
        ? because(reason, `look at the load and the disks of ${id}`)
        : unanswered(server, id);
    case 'running':
    case 'held':
    case 'stopped':
    case 'down':
      return because(reason, startOrRebuild(state, id));
  }
}

/** A person's detach holds until a person takes it back, or the instance of the standby is started anew. */
function detached(primary: Observation, id: ServerId): Obstacle | null {
  if (!primary.view?.detached?.includes(id)) return null;
  if (primary.view.busy?.work === 'detach')
    return because(`a person takes ${id} out (mc_ctl detach)`, 'wait until it is done');
  return because(
    `${id} was taken out by a person (mc_ctl detach)`,
    `when it may come back: pgduet attach ${id}`,
  );
}

/** It streams for a moment again and again, which is no sign of anything. */
export const isApart = ({ view }: Observation, id: ServerId): boolean => view?.parted?.includes(id) === true;

export const apart = (primary: Observation, id: ServerId): Obstacle =>
  because(`${id} holds WAL that ${primary.id} does not have, and cannot follow it`, rebuild(id));

function streamObstacle(state: State, primary: Observation, { id, view }: Observation): Obstacle | null {
  if (!view?.report || !primary.view?.report)
    return because(`${view?.report ? primary.id : id} is being looked at`, 'wait a moment');
  if (isApart(primary, id)) return apart(primary, id);
  const row = rowOf(primary.view.report, id);
  if (view.report.receiver !== 'streaming' || !row) {
    const advice = `read ${serverLog(state, id)} for primary_conninfo and pg_hba.conf; where WAL is missing: ${rebuild(id)}`;
    return because(`${id} does not receive WAL from ${primary.id}`, advice);
  }
  if (row.state !== 'streaming') return because(`${id} is catching up (${row.state})`, 'wait until it has');
  if (!mayTakeOver(dutyOf(view)))
    return because(
      dutyWords(id, dutyOf(view)),
      `a person may make it primary all the same: ${ctl(state, primary.id, `switch --to ${id} --force`)}`,
    );
  if (row.syncState === 'sync' || row.syncState === 'quorum') {
    const { sync } = primary.view;
    const counts = sync?.primary !== primary.id || sync.eligible.includes(id);
    return counts ? null : because(`${id} is being attached`, 'wait a moment');
  }
  const { sync } = primary.view;
  if (sync?.primary === primary.id && !sync.voters.includes(id))
    return because(`${id} streams, but commits do not wait for it yet`, 'wait a moment');
  const names = primary.view.report.synchronousStandbyNames;
  const advice = `wait a moment; if it stays so, set synchronous_standby_names of ${primary.id} (now '${names}') to name ${id}`;
  return because(`${id} streams, but not synchronously (${row.syncState})`, advice);
}

const phaseWord: Readonly<Record<Phase, string>> = {
  unknown: 'being looked at',
  held: 'held back',
  waiting: 'waiting for its primary',
  starting: 'starting',
  running: 'running',
  silent: 'not answering',
  stopping: 'stopping',
  stopped: 'stopped',
  down: 'down',
};

/**
 * Servers that may still become primary, or have: until they say that they have not, nobody else is stopped, rebuilt or forced.
 * Silence ends nothing of this.
 */
export function undecided(servers: readonly Observation[]): ServerId[] {
  const quiet = servers.filter(({ fresh }) => !fresh).map(({ id }) => id);
  const promoting = servers.filter(({ view }) => view?.takeover?.stage === 'promote').map(({ id }) => id);
  const heard = servers.flatMap(({ fresh, view }) => (fresh && view ? [view] : []));
  const trusted = heard.flatMap(({ handover, yield: to }) => [handover?.to, to?.to]);
  return [...new Set([...promoting, ...quiet.filter((id) => trusted.includes(id))])];
}

type Going = { readonly status: MirroringStatus; readonly moving?: boolean } & Obstacle;

/** A switch that any of the servers is in the middle of; null when there is none. */
export function underWay(state: State, servers: readonly Observation[]): Going | null {
  const fresh = servers.filter((server) => server.fresh);
  const going = (reason: string, advice = 'wait until it is done'): Going => ({
    status: 'switching',
    reason,
    advice,
  });
  const taker = fresh.find((server) => server.view?.takeover);
  if (taker) return takingOver(state, taker);
  const giver = fresh.find((server) => server.view?.handover);
  const to = giver?.view?.handover?.to ?? '';
  if (giver && servers.some((server) => server.id === to && !server.fresh)) {
    const reason = `${giver.id} has given its role to ${to}, which is not heard any more`;
    const proof = `its instance is stopped and pg_controldata says 'shut down in recovery' or 'in archive recovery'`;
    const advice = `${ctl(state, to, 'start')}; only if ${to} has never become primary (${proof}): ${ctl(state, giver.id, 'start')}`;
    return { status: 'not-switchable', reason, advice };
  }
  if (giver) return going(`${giver.id} hands over to ${to}`);
  const [open] = undecided(servers);
  if (open !== undefined) {
    const reason = `${open} was taking over when it was last heard, and may be primary`;
    return { status: 'not-switchable', reason, advice: ctl(state, open, 'start') };
  }
  const prepares = fresh.find(
    (server) => server.view?.role === 'primary' && server.view.busy?.work === 'switch',
  );
  return prepares ? going(`${prepares.id} prepares a switch`) : null;
}

function takingOver(state: State, { id, view }: Observation): Going {
  const { from, stage } = view?.takeover ?? {};
  const what = stage === 'fence' ? `; the fencing command shuts ${from} out` : '';
  const reason = `${id} is taking over${what}`;
  const { leftBytes, bytesPerSecond } = view?.replay ?? { leftBytes: 0, bytesPerSecond: 0 };
  const moving = stage === 'promote';
  if (!moving || leftBytes === 0)
    return { status: 'switching', reason, advice: 'wait until it is done', moving };
  const rate = bytesPerSecond > 0 ? `, at ${megabytes(bytesPerSecond)} in a second` : ', and nothing moves';
  const left = `${megabytes(leftBytes)} of WAL are left to replay${rate}`;
  const abort = `${ctl(state, id, 'switch --abort')} gives it up`;
  return { status: 'switching', reason, advice: `wait until it is done: ${left}; ${abort}`, moving };
}

/** Why no server takes writes, as far as it can be observed. */
export function withoutPrimary(
  state: State,
  servers: readonly Observation[],
): { status: 'unknown' | 'not-switchable'; moving?: boolean } & Obstacle {
  const [last] = servers
    .filter((server) => server.fresh && server.view?.role === 'primary')
    .sort((a, b) => (b.view?.lastTimeline ?? 0) - (a.view?.lastTimeline ?? 0));
  const unheard = servers.filter((server) => !server.fresh).map((server) => server.id);
  if (last) return lastPrimary(state, last, unheard);
  // Which of several standbys holds the most is looked at anew with every event.
  const moving = servers.filter(({ fresh, view }) => fresh && view?.role === 'standby').length > 1;
  if (unheard.length > 0) return { ...nobodyHeard(state, servers, unheard.join(', ')), moving };
  const advice = `find the last primary by message MCA00062, then on it: mc_ctl start -M ${state.dir}`;
  return { status: 'not-switchable', reason: 'no server is primary', advice };
}

/** Of the standbys that are heard: one that holds the most of what was acknowledged, as far as the promise tells whose word that took. */
function richest(state: State, servers: readonly Observation[]): Observation | undefined {
  const standbys = servers.filter(({ fresh, view }) => fresh && view?.role === 'standby');
  const voters = standbys.filter(({ id }) => votes(state, id));
  const position = ({ view }: Observation): string => (view ? positionOf(view) : noPosition);
  const may = ({ id, view }: Observation): number =>
    Number(mayTakeOver(dutyOf(view)) && !isMaintained(state, id));
  const [first] = [...(voters.length > 0 ? voters : standbys)].sort(
    (one, other) => bytesAhead(position(other), position(one)) || may(other) - may(one),
  );
  return first;
}

function nobodyHeard(
  state: State,
  servers: readonly Observation[],
  names: string,
): { status: 'unknown' } & Obstacle {
  const fed = servers.find(({ fresh, view }) => fresh && view?.report?.receiver === 'streaming');
  // Who has just been started has heard nobody yet.
  if (fed && servers.every(({ reach }) => reach !== 'unknown')) return fedBySilent(state, fed, names);
  const reason = `no primary is seen, and ${names} cannot be asked${policy(state)}`;
  const check = `check the host and admin network of ${names}`;
  const standby = richest(state, servers);
  if (!standby) return { status: 'unknown', reason, advice: check };
  // One that waits for its primary is started by a person's word first: only what runs can be promoted.
  const runs = standby.view?.phase === 'running';
  const begin = runs ? '' : `${ctl(state, standby.id, 'start --force-start')}, then `;
  const force = `${check}; if the primary is surely down: ${begin}${ctl(state, standby.id, 'switch --force')}`;
  if (isMaintained(state, standby.id)) return onlyMaintained(state, standby.id, { reason, check });
  const limits = dutyWords(standby.id, dutyOf(standby.view));
  if (limits !== '') {
    const advice = `${force}, which may lose what was acknowledged without ${standby.id}`;
    return { status: 'unknown', reason: `${reason}; ${limits}`, advice };
  }
  const doubt = unsure(state);
  if (doubt) {
    const advice = `${force}, which may lose what was acknowledged without ${state.self.id}`;
    return { status: 'unknown', reason: `${reason}; ${doubt}`, advice };
  }
  const itself = state.failover.enabled && state.conf.heartbeatErrorAction !== 'message';
  const advice = `${force}${itself ? ', where it does not happen by itself' : ''}`;
  return { status: 'unknown', reason, advice };
}

/** The last way, where the primary is lost for good. */
function onlyMaintained(
  state: State,
  id: ServerId,
  { reason, check }: { readonly reason: string; readonly check: string },
): { status: 'unknown' } & Obstacle {
  const ways = `${ctl(state, id, 'start --force-start')}, then ${ctl(state, id, 'switch --force')}`;
  const advice = `${check}; only if the primary is lost for good: ${ways}, which lose what was acknowledged without ${id}`;
  return { status: 'unknown', reason: `${reason}; ${leftOutWords(state, id)}`, advice };
}

/** A standby that has paused or was cut off does not know any more whether it may take over, until its primary says so again. */
function unsure({ own, self, sync, confirmed }: State): string {
  if (own.role !== 'standby' || !sync?.eligible.includes(self.id) || confirmed) return '';
  return `${self.id} does not take over by itself, because ${sync.primary} has not said since its last start, pause or cut that it may`;
}

/** What the former primary has promised tells whose word it waits for. One whose record is torn waits for everybody; of itself it knows more. */
function mayHaveTakenOver(state: State, { id, sync, forgotten }: ServerView, other: ServerId): boolean {
  if (!sync) return forgotten === true;
  if (id === state.self.id && sync.primary === id) return mayBelieve(state, other);
  return sync.primary === id ? sync.eligible.includes(other) : sync.primary === other;
}

function lastPrimary(
  state: State,
  { id, view }: Observation,
  unheard: readonly ServerId[],
): { status: 'unknown' | 'not-switchable' } & Obstacle {
  const reason = `no primary is running; the last one was ${id}`;
  switch (view?.phase) {
    case 'waiting': {
      const feared = unheard.filter((it) => mayHaveTakenOver(state, view, it));
      if (feared.length === 0) {
        const asks = `${id}, the last primary, asks the others before it starts`;
        const advice = `wait a moment; if it lasts, start the others, and read the messages of ${id}`;
        return { status: 'unknown', reason: asks, advice };
      }
      const names = feared.join(', ');
      const torn = view.forgotten ? 'its record is torn, and ' : '';
      const waits = `the instance of ${id} waits, because ${torn}${names} may have taken over and is not heard`;
      return {
        status: 'unknown',
        reason: waits,
        advice: `${feared.map((it) => ctl(state, it, 'start')).join('; ')}; only if ${names} has surely never become primary: ${ctl(state, id, 'start')}`,
      };
    }
    case 'starting':
    case 'unknown':
      break;
    case 'held':
      return {
        status: 'not-switchable',
        reason: `${reason}; it is held back`,
        advice: `find the last primary by message MCA00062, then on it: mc_ctl start -M ${state.dir}`,
      };
    default:
      return {
        status: 'not-switchable',
        reason,
        advice: `read ${serverLog(state, id)}, then ${ctl(state, id, 'start')}`,
      };
  }
  const word = view?.phase === 'unknown' ? 'being looked at' : 'starting';
  return {
    status: 'unknown',
    reason: `the instance of ${id}, the primary, is ${word}`,
    advice: 'wait a moment',
  };
}
