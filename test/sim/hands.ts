/**
 * Carries out the actions of a controller in the simulated world, as io/ does in the real one: what takes time goes on
 * without the controller, and only its answer is lost when that is gone. It decides nothing.
 */
import type { Deed } from '../../src/controller/core/action.ts';
import type { Happening } from '../../src/controller/core/event.ts';
import type { Persisted } from '../../src/controller/core/state.ts';
import { tell } from '../controller/support/tell.ts';
import type { Host, Order } from './host.ts';
import { answers, halt, lsn } from './instance.ts';
import type { World } from './world.ts';

type StopMode = Extract<Deed, { kind: 'stop-instance' }>['mode'];

/** A stop of an instance that stands still is given up after this time; a session is, too. */
const patienceMs = 1500;

export function act(world: World, host: Host, action: Deed): void {
  if (host.doom) strikeDoom(world, host, action);
  if (world.settings.trace && action.kind !== 'heartbeat') {
    const words = tell(action);
    if (words) world.tell(`  ${host.id}: ${words}`);
  }
  switch (action.kind) {
    case 'heartbeat':
      for (const peer of world.hosts) if (peer !== host) world.network.send(host, peer, action.view, true);
      world.network.tellArbiter(host, action.view);
      break;
    case 'ask-peer':
      world.network.ask(host, world.host(action.peer), action.id, action.request);
      break;
    case 'reply':
      if (action.to.kind === 'peer') world.network.answer(host, action.to.id, action.ok, action.text);
      else world.replied(action.ok);
      break;
    case 'exit':
      world.killController(host);
      break;
    case 'log':
      world.checkers.said(host, action.message);
      break;
    case 'hook':
      break;
    default:
      work(world, host, action);
  }
}

export const unwritable = ({ full }: Host): string | null => (full ? 'no space left on device' : null);

/** Writes the state file; null when it is written, otherwise why not. */
export function write(host: Host, record: Persisted): string | null {
  const why = unwritable(host);
  if (why !== null) return why;
  // Values of the core are replaced, never changed, so the file may hold the value itself.
  host.file = record;
  host.torn = false;
  return null;
}

type Work = Exclude<Deed, { kind: 'heartbeat' | 'ask-peer' | 'reply' | 'exit' | 'log' | 'hook' }>;

/** After some time, or later when the instance stands still, the work is done and its answer is told. */
function work(world: World, host: Host, action: Work): void {
  const { incarnation } = host;
  const [low, high] = duration(world, host, action);
  // What is sent into a cut is lost, also when the cut is repaired before the time for the answer is over.
  const reached = world.network.reachesGateway(host);
  const order = { at: world.clock.now, reached, knowsNewer: knowsNewer(host) };
  world.later(host, world.random.between(low, high), () => {
    const outcome = done(world, host, action, order);
    if (outcome && host.incarnation === incarnation) world.happen(host, outcome);
  });
}

function duration(world: World, host: Host, action: Work): readonly [number, number] {
  const stuck = host.instance.hung !== 'no';
  switch (action.kind) {
    case 'start-instance':
      return [50, 400];
    case 'stop-instance':
      return stopDuration(host, action.mode);
    case 'checkpoint':
      return stuck ? [patienceMs, patienceMs] : [10, 100];
    case 'set-names':
    case 'set-slots':
    case 'follow':
      return stuck ? [patienceMs, patienceMs] : [10, 80];
    case 'cut-receiver':
      return stuck ? [patienceMs, patienceMs] : [5, 60];
    case 'promote':
      return stuck ? [patienceMs, patienceMs] : [20, 200];
    case 'probe-primary':
      return [1, 20];
    case 'pre-detach':
      return [10, 400];
    case 'ask-references':
      return world.network.reachesGateway(host) ? [5, 60] : [900, 1000];
    case 'run-command':
      return commandIsLate(world, action) ? [500, 500] : [50, 400];
  }
}

/** A walsender of somebody else holds a shutdown up until it is ended, or until the limit of a switch when it cannot be. */
function stopDuration({ instance, stopsMs }: Host, mode: StopMode): readonly [number, number] {
  if (instance.hung !== 'no') return [patienceMs / 2, patienceMs];
  if (stopsMs > 0 && mode !== 'immediate') return [stopsMs, stopsMs + 300];
  const stays = instance.guests.map((it) => it.stays);
  if (mode === 'immediate' || !stays.some((it) => it !== undefined)) return [20, 300];
  return mode === 'fast' || !stays.includes('for ever') ? [800, 1200] : [4000, 5000];
}

const commandIsLate = (world: World, { command }: Extract<Deed, { kind: 'run-command' }>): boolean =>
  (command === 'fencing' ? world.settings.fencing : world.settings.arbitration) === 'late';

const knowsNewer = ({ state, instance }: Host): boolean =>
  Object.values(state?.peers ?? {}).some(
    ({ view }) => view?.role === 'primary' && view.lastTimeline > instance.timeline,
  );

/** Null of what takes longer and answers by itself. */
function done(world: World, host: Host, action: Work, order: Order): Happening | null {
  const { instance } = host;
  const { replication } = world;
  switch (action.kind) {
    case 'start-instance':
      return start(world, host, order);
    case 'stop-instance':
      return stop(world, host, action.mode);
    case 'checkpoint':
      if (!answers(instance)) return { kind: 'checkpointed', purpose: action.purpose, why: 'no answer' };
      replication.checkpoint(host);
      return { kind: 'checkpointed', purpose: action.purpose, why: null };
    case 'set-names':
      if (instance.disk !== 'ok') return { kind: 'names-failed', why: 'the disk has failed' };
      instance.fileNames = action.ids;
      if (!answers(instance)) return { kind: 'names-failed', why: 'no answer' };
      replication.setNames(host, action.ids);
      return { kind: 'names-set', ids: action.ids, needed: Math.min(1, action.ids.length) };
    case 'set-slots':
      // These instances are of a version that knows no slots for failover, so that nobody asks for it.
      return { kind: 'slots-set', why: null };
    case 'cut-receiver':
      return cut(host);
    case 'promote':
      return promote(world, host, action.startedAtWall);
    case 'follow':
      return follow(world, host, action.host);
    case 'pre-detach':
      return { kind: 'pre-detached', failures: [] };
    case 'probe-primary': {
      const source = instance.source === null ? null : world.host(instance.source);
      const open = source?.instance.running === true && world.network.connected(host, source, 'log');
      return { kind: 'primary-probe', open };
    }
    case 'ask-references':
      return { kind: 'references', answered: order.reached ? ['gateway'] : [] };
    case 'run-command':
      return command(world, action);
  }
}

function start(world: World, host: Host, order: Order): Happening {
  const { instance } = host;
  if (instance.disk !== 'ok') return { kind: 'start-failed', why: 'the disk has failed' };
  if (instance.brokenStarts > 0) {
    instance.brokenStarts -= 1;
    return { kind: 'start-failed', why: 'the startup process was ended by a signal' };
  }
  if (!instance.running) world.replication.start(host, order);
  return { kind: 'instance-started' };
}

/** Clean is only a fast shutdown of an instance that was there until its end, on a disk that works. */
function stop(world: World, host: Host, mode: StopMode): Happening {
  const { instance } = host;
  const waits = mode === 'fast' || mode === 'limited';
  if (instance.hung === 'stalled' || (waits && instance.hung !== 'no'))
    return { kind: 'stop-failed', why: 'it is still there' };
  const there = instance.running;
  const isLate = mode === 'limited' && instance.guests.some((it) => it.stays === 'for ever');
  const clean = there && waits && !isLate && instance.disk === 'ok';
  if (clean) world.replication.shutDown(host);
  else halt(instance);
  const standby = clean ? 'shut down in recovery' : 'in archive recovery';
  const primary = clean ? 'shut down' : there ? 'shutting down' : 'in production';
  const state = instance.role === 'standby' ? standby : primary;
  return { kind: 'instance-stopped', proof: { state, checkpoint: lsn(instance.checkpoint), idle: true } };
}

/** The session that asks may end before the promotion is complete; that comes all the same, unless the instance ends. */
function promote(world: World, host: Host, startedAtWall: number | null): Happening | null {
  const { instance, incarnation } = host;
  const { startedAt } = instance;
  if (!answers(instance)) return { kind: 'promote-failed', why: 'no answer' };
  if (startedAtWall !== null && startedAtWall !== startedAt)
    return { kind: 'promote-failed', why: 'the instance was started anew' };
  const complete = (): Happening => {
    instance.promoting = false;
    if (instance.role === 'standby') world.replication.promote(host);
    return { kind: 'promoted', timeline: instance.timeline };
  };
  const leftMs = instance.role === 'standby' ? instance.replaysUntil - world.clock.now : 0;
  if (leftMs <= 0) return complete();
  instance.promoting = true;
  const breaksMs = world.random.chance(0.3) ? world.random.between(10, leftMs) : null;
  const tell = (happening: Happening): void => {
    if (host.incarnation === incarnation) world.happen(host, happening);
  };
  if (breaksMs !== null)
    world.later(host, breaksMs, () => tell({ kind: 'promote-failed', why: 'the session has ended' }));
  world.later(host, leftMs, () => {
    const same = instance.running && instance.startedAt === startedAt && instance.promoting;
    if (!same && instance.role === 'primary') return;
    if (!same) tell({ kind: 'promote-failed', why: 'the instance has gone away' });
    else if (breaksMs === null) tell(complete());
    else complete();
  });
  return null;
}

function cut(host: Host): Happening {
  const { instance } = host;
  if (instance.disk !== 'ok') return { kind: 'cut-failed', why: 'the disk has failed' };
  instance.fileNames = [];
  instance.source = null;
  if (!answers(instance)) return { kind: 'cut-failed', why: 'no answer' };
  instance.names = [];
  return { kind: 'receiver-cut', lsn: lsn(instance.wal.length) };
}

/** A standby that follows has its names in the file: they count when it is promoted. */
function follow(world: World, host: Host, source: string): Happening {
  const { instance } = host;
  if (instance.disk !== 'ok') return { kind: 'follow-failed', why: 'the disk has failed' };
  instance.source = source;
  if (instance.fileNames.length === 0) instance.fileNames = world.namesFor(host);
  if (!instance.running) instance.role = 'standby';
  else if (!answers(instance)) return { kind: 'follow-failed', why: 'no answer' };
  else instance.names = instance.fileNames;
  return { kind: 'followed' };
}

/** The arbitration command knows the truth: a host that is only cut off or frozen has not failed. A fence is a power switch. */
function command(world: World, action: Extract<Deed, { kind: 'run-command' }>): Happening {
  const { command, target } = action;
  const host = world.host(target);
  const mode = command === 'fencing' ? world.settings.fencing : world.settings.arbitration;
  const told = (yes: boolean, why: string): Happening => ({
    kind: 'command-ended',
    command,
    target,
    yes,
    why,
  });
  if (mode === 'no') return told(false, 'exit status 1');
  if (command === 'fencing' && host.up) {
    world.crashHost(host);
    world.shutOffInVain ||= mode === 'late';
  }
  if (mode === 'late') return told(false, 'it took too long');
  return command === 'fencing' ? told(true, 'exit status 0') : told(!host.up, 'it looked');
}

/** What fails in the middle of what the host is doing. */
function strikeDoom(world: World, host: Host, action: Deed): void {
  const { doom } = host;
  if (doom?.action !== action.kind) return;
  doom.times -= 1;
  if (doom.times > 0) return;
  for (const it of world.hosts) it.doom = null;
  world.clock.after(doom.afterMs, () => {
    if (!host.up) return;
    if (doom.what === 'instance') world.killInstance(host);
    else {
      world.crashHost(host);
      world.clock.after(doom.backMs, () => host.up || world.bootHost(host));
    }
  });
}
