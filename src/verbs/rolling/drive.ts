/**
 * A rolling update, move by move: look, say what comes next, do it, write it down. In: an order that stands on the hosts. Out: how it ended. What
 * comes next follows from what is seen, so a failover, a person or a lost connection in the middle changes the way and not the end.
 */

import { DiagnosticError } from '../../base/diagnostic.ts';
import { exitCode } from '../../base/exit-codes.ts';
import { updateOwner } from '../../base/maintenance-words.ts';
import { formatDuration } from '../../base/units.ts';
import { mayTakeOver } from '../../inventory/cluster.ts';
import { heldBack } from '../../observe/held.ts';
import { moveWords, statesText } from '../../report/rolling.ts';
import { shown } from '../../report/shown.ts';
import { after, leftOver, type Move, nextMove, rowOf, type Situation, sheet } from '../../rolling/next.ts';
import { type Order, orderText } from '../../rolling/order.ts';
import { directoryOf, endScript, rowScript } from '../../rolling/place.ts';
import { asSeen, isDone, parseRow, type Row, rowText } from '../../rolling/row.ts';
import { pause } from '../pause.ts';
import type { FleetSeen } from './fleet.ts';
import { makeMove } from './moves.ts';
import { failedStep, type Moved, tail, type Update } from './update.ts';

export type Ended = 'done' | 'paused' | 'failed';

export interface Driven {
  readonly ended: Ended;
  readonly situation: Situation;
  /** What a failed step has said, or why the role is not back. */
  readonly problem?: DiagnosticError;
}

export const situationOf = (order: Order, seen: FleetSeen, { servers }: Update['cluster']): Situation => {
  const out = new Set(seen.view.maintained?.keys() ?? []);
  const lines = [...seen.hosts.values()].flatMap(({ skipped }) => skipped);
  const rows = order.servers.map(({ name }) => {
    const kept = parseRow(seen.hosts.get(name)?.row ?? '', order.id);
    // Proven, and cut off on its way back, it is in no maintenance any more: that way goes on, unless a person has stopped it since.
    const by = seen.view.hosts.get(name)?.stopped?.by;
    const isOnItsWay = isDone(kept, 'proof') && (by === undefined || by === updateOwner(order.id));
    const row = asSeen(kept, out.has(name) || isOnItsWay);
    return [name, lines.includes(`${order.id} ${name}`) ? { ...row, skipped: true as const } : row] as const;
  });
  return {
    order,
    rows: new Map(rows),
    primary: seen.view.primary,
    out,
    away: new Set(seen.away.keys()),
    held: heldBack(seen.view),
    able: new Set(servers.filter(mayTakeOver).map(({ name }) => name)),
  };
};

/** As if they were left out already. */
export const withSkipped = (situation: Situation, skip: readonly string[]): Situation => ({
  ...situation,
  rows: new Map(
    [...situation.rows].map(([name, row]) => [
      name,
      skip.includes(name) ? { ...row, skipped: true as const } : row,
    ]),
  ),
});

/** `passes`: a person who says to go on has done the work that the update was waiting for. */
export async function drive(update: Update, passes: boolean): Promise<Driven> {
  const { world } = update;
  let mayPass = passes;
  let situation: Situation | undefined;
  try {
    for (;;) {
      const seen = await lookUntilBack(update);
      situation = situationOf(update.order, seen, update.cluster);
      const move = nextMove(situation);
      if (!move) return await finished(update, situation);
      holdsOrder(update, move, seen);
      const made = await one(update, situation, move, seen, mayPass).catch((error: unknown) =>
        stays(update, move, error),
      );
      if (made instanceof DiagnosticError) return await finished(update, situation, made);
      const [row, moved] = made;
      mayPass = false;
      await writeRow(update, move.server, row);
      if (moved.paused) return { ended: 'paused', situation };
    }
  } catch (error) {
    if (world.interrupted.aborted) {
      if (!situation) throw interrupted();
      return { ended: 'failed', situation, problem: interrupted() };
    }
    if (!(error instanceof DiagnosticError) || !situation) throw error;
    return { ended: 'failed', situation, problem: error };
  }
}

/** What root does on a host is taken from that host: the order of another one is not carried there. */
function holdsOrder({ order }: Update, move: Move, { hosts }: FleetSeen): void {
  const { server } = move;
  if (move.kind === 'home' || hosts.get(server)?.order === orderText(order).trim()) return;
  throw failedStep(
    server,
    `${server} does not hold the order of this update`,
    'it was not written there, or the host was put back to an earlier state; what is done as root on a host stands on that host',
    `pgduet rolling-update --continue --skip ${server} goes on without it; --abort ends the update, and a new one can begin.`,
  );
}

/** Where the switch back is refused, the role stays where it is, and the work is done all the same. */
function stays({ world }: Update, move: Move, error: unknown): DiagnosticError {
  if (move.kind !== 'home' || world.interrupted.aborted || !(error instanceof DiagnosticError)) throw error;
  return error;
}

async function one(
  update: Update,
  situation: Situation,
  move: Move,
  seen: FleetSeen,
  mayPass: boolean,
): Promise<readonly [Row, Moved]> {
  const { world, ports, order } = update;
  const began = new Date().toISOString();
  const start = ports.now();
  const rows = sheet(situation);
  const number = rows.filter(({ state }) => state === 'done').length + 1;
  const words = `${String(number).padStart(3)}/${rows.length}  ${shown(moveWords(move))}`;
  if (move.kind === 'work' && move.step === 'pause' && mayPass && rowOf(situation, move.server).asked) {
    world.say(`${words}: done by hand`);
    return [entered(situation, move, { began, ms: 0, seen: 'by hand' }), {}];
  }
  if (world.interrupted.aborted) throw interrupted();
  world.say(`${words} …`);
  const before = await marked(update, situation, move, seen);
  const moved = await makeMove(update, move, seen, before);
  if (world.interrupted.aborted) throw interrupted();
  if (moved.paused) return [{ ...before, asked: true }, moved];
  const ms = ports.now() - start;
  world.say(
    `${words}: ${formatDuration(ms)}${moved.seen ? `, ${shown(moved.seen)}` : ''}   ${statesText(order, situation, move)}`,
  );
  const row = entered({ ...situation, rows: new Map(situation.rows).set(move.server, before) }, move, {
    began,
    ms: Math.round(ms),
    ...(moved.seen ? { seen: moved.seen } : {}),
  });
  return [{ ...row, ...moved.kept }, moved];
}

/** The boot of the host is written down before it is told to reboot: another one is the proof. */
async function marked(update: Update, situation: Situation, move: Move, seen: FleetSeen): Promise<Row> {
  const row = rowOf(situation, move.server);
  if (move.kind !== 'work' || move.step !== 'reboot' || row.boot !== undefined) return row;
  const boot = seen.hosts.get(move.server)?.boot ?? '';
  const now: Row = { ...row, boot };
  await writeRow(update, move.server, now);
  return now;
}

/** What is done and cannot be written down would be done once more, without an end. */
async function writeRow({ fleet, cluster }: Update, name: string, row: Row): Promise<void> {
  const directory = directoryOf(cluster.name, name);
  const reply = await fleet.run(name, rowScript(directory, rowText(row)));
  if (reply.status === 0) return;
  throw failedStep(
    name,
    `${name} cannot keep what is done`,
    'without it the same would be done once more',
    `Make room below ${directory}, then: pgduet rolling-update --continue.`,
    tail(reply),
  );
}

const entered = (situation: Situation, move: Move, done: { began: string; ms: number; seen?: string }): Row =>
  rowOf(after(situation, move, done), move.server);

const interrupted = (): DiagnosticError =>
  new DiagnosticError(
    [
      {
        code: 'RUN002',
        what: 'the rolling update was interrupted',
        why: 'you asked to stop; what was begun on a host as a unit of its own goes on there',
        fix: 'pgduet rolling-update --continue goes on, --abort ends it.',
      },
    ],
    exitCode.interrupted,
  );

/** Milliseconds: in the middle of a takeover there are two primaries to see, or none. */
const takeoverMs = 60_000;

async function lookSettled({ fleet, ports, world }: Update): Promise<FleetSeen> {
  const until = ports.now() + takeoverMs;
  for (;;) {
    try {
      return await fleet.look();
    } catch (error) {
      const isUnsettled =
        error instanceof DiagnosticError &&
        error.diagnostics.some(({ code }) => code === 'SAF003' || code === 'SAF004');
      if (!isUnsettled || ports.now() > until || world.interrupted.aborted) throw error;
      await pause(1000, world.interrupted);
    }
  }
}

/** Only the host that is worked on may be away, and it is waited for. */
async function lookUntilBack(update: Update): Promise<FleetSeen> {
  const { ports, order, world } = update;
  const until = ports.now() + order.rebootMs;
  for (let isFirst = true; ; isFirst = false) {
    const seen = await lookSettled(update);
    const situation = situationOf(order, seen, update.cluster);
    const missing = [...seen.away].filter(([name]) => !rowOf(situation, name).skipped);
    if (missing.length === 0) return seen;
    const [strange] = missing.filter(
      ([name]) => seen.view.maintained?.get(name)?.by !== updateOwner(order.id),
    );
    if (strange) throw strange[1];
    const [name = ''] = missing[0] ?? [];
    if (ports.now() > until)
      throw failedStep(
        name,
        `${name} is not back within ${formatDuration(order.rebootMs)}`,
        'it is out, and what was done on it stands on its own disk',
        `Look at its console. pgduet rolling-update --continue waits once more; --skip ${name} leaves it out.`,
      );
    if (world.interrupted.aborted) throw interrupted();
    if (isFirst) world.say(`waiting for ${name}, which cannot be reached …`);
    await pause(1000, world.interrupted);
  }
}

async function finished(update: Update, situation: Situation, why?: DiagnosticError): Promise<Driven> {
  await mark(update, situation, 'done');
  const left = leftOver(situation);
  const { order, primary } = situation;
  if (order.home !== null && primary !== order.home && !left.includes(order.home))
    return {
      ended: 'done',
      situation,
      problem: failedStep(
        order.home,
        `${order.home} is not primary again`,
        'the work is done on every server; the role stays where it is',
        `pgduet switch --to ${order.home} brings it back when that is possible.`,
        why?.diagnostics.map(({ what, why: because }) => `${what}: ${because}`),
      ),
    };
  return { ended: 'done', situation };
}

/** One host that knows the end is enough. */
export async function mark(update: Update, { away }: Situation, how: 'done' | 'aborted'): Promise<void> {
  const { cluster, fleet, order } = update;
  const reached = order.servers.filter(({ name }) => !away.has(name));
  const replies = await Promise.all(
    reached.map(({ name }) => fleet.run(name, endScript(directoryOf(cluster.name, name), order.id, how))),
  );
  if (replies.some(({ status }) => status === 0)) return;
  throw failedStep(
    order.primary,
    'no host can keep that the update is over',
    'it would count as open',
    'Make room below /var/lib/pgduet on one of them, then run the same command again.',
    replies.flatMap(tail),
  );
}
