/**
 * One move of a rolling update, done on real hosts: mostly one of the other verbs, as a run of its own. In: the move, and what was seen just
 * before. Out: what was seen of it; or an error that leaves the server as it is.
 */

import { DiagnosticError } from '../../base/diagnostic.ts';
import { exitCode } from '../../base/exit-codes.ts';
import { updateOwner } from '../../base/maintenance-words.ts';
import { formatDuration } from '../../base/units.ts';
import { isSynchronous } from '../../inventory/cluster.ts';
import { heldBack } from '../../observe/held.ts';
import type { Move } from '../../rolling/next.ts';
import type { Order } from '../../rolling/order.ts';
import { oneLess, type PrimarySeen } from '../../rolling/preparation.ts';
import type { Row } from '../../rolling/row.ts';
import { shippedPlaybook } from '../../shipped.ts';
import { pause } from '../pause.ts';
import { checked } from './findings.ts';
import type { FleetSeen } from './fleet.ts';
import { askPrimary, bringBack, takeOut } from './maintain.ts';
import { runWithin } from './sub-run.ts';
import { failedStep, goesOn, hasOut, type Moved, type Update } from './update.ts';
import { commandRun, fetched, isOurs, packagesInstalled, playbookRun, proven, rebooted } from './work.ts';

export async function makeMove(update: Update, move: Move, seen: FleetSeen, row: Row): Promise<Moved> {
  if (move.kind !== 'work') return switched(update, move.to);
  const { server } = move;
  switch (move.step) {
    case 'fetch':
      return fetched(update, server, seen);
    case 'out':
      return takenOut(update, server, seen, row);
    case 'stop':
      isOurs(update, server, seen);
      await runWithin(update.world, update.cluster, {
        intent: { kind: 'stop', hosts: [server], switchFirst: false, by: updateOwner(update.order.id) },
        path: shippedPlaybook('stop'),
        mayBeAway: true,
        needs: server,
      });
      return {};
    case 'packages':
      return packagesInstalled(update, server, seen);
    case 'run':
      return playbookRun(update, server, seen);
    case 'command':
      return commandRun(update, server, seen);
    case 'reboot':
      return rebooted(update, server, seen, row);
    case 'pause':
      return { paused: true };
    case 'proof':
      return proven(update, server, seen, row);
    case 'back':
      return broughtBack(update, server);
    case 'check':
      return checked(update, server, seen);
  }
}

/** The question of the plan may be an hour old. */
async function takenOut(update: Update, name: string, seen: FleetSeen, row: Row): Promise<Moved> {
  const { cluster, order, ports, world } = update;
  const synchronous = cluster.servers.filter(isSynchronous).map((server) => server.name);
  const until = ports.now() + reconnectMs;
  for (;;) {
    const primary = await askPrimary(update, seen.view.primary);
    const obstacle =
      doesNotFollow(name, primary, seen, order) ??
      tooFew(name, {
        name,
        primary: seen.view.primary,
        seen: primary,
        synchronous,
        out: outOf(seen),
        alone: order.agreed.alone,
      });
    if (!obstacle) break;
    if (obstacle.lasts || ports.now() > until || world.interrupted.aborted) throw obstacle.problem;
    await pause(1000, world.interrupted);
  }
  const said = {
    by: updateOwner(order.id),
    reason: `rolling update of ${order.by}`,
    replace: false,
    // Only where the plan has said so: what the controllers refuse otherwise is their last guard.
    alone: order.agreed.alone && synchronous.filter((one) => one !== seen.view.primary).length === 1,
  };
  await takeOut(update, name, said, false);
  // As they were before any of the work, also where it is taken out once more.
  const mounts = row.mounts ?? seen.hosts.get(name)?.mounts ?? '';
  return { kept: { mounts } };
}

/** Milliseconds: a connection that has just been lost is made anew. */
const reconnectMs = 20_000;

interface Obstacle {
  readonly problem: DiagnosticError;
  /** Only a person can change it. */
  readonly lasts: boolean;
}

const notTaken = (name: string, what: string, why: string, fix: string): DiagnosticError =>
  failedStep(name, `${name} is not taken out: ${what}`, why, fix);

function tooFew(name: string, about: Parameters<typeof oneLess>[0]): Obstacle | undefined {
  const obstacle = oneLess(about);
  if (!obstacle) return undefined;
  const why = 'a commit that was acknowledged has to be on a second server';
  return { problem: notTaken(name, obstacle, why, `pgduet status says more. ${goesOn}`), lasts: false };
}

/** That is for a person first: it could not come back behind the work. What the update itself has stopped is down for that. */
function doesNotFollow(
  name: string,
  primary: PrimarySeen,
  { view }: FleetSeen,
  order: Order,
): Obstacle | undefined {
  if (view.maintained?.has(name) || hasOut(order, view, name)) return undefined;
  if (Object.hasOwn(primary.lag, name)) return undefined;
  const what = `it does not follow ${view.primary}`;
  const skip = `--skip ${name} goes on without it.`;
  const isHeld = heldBack(view).has(name);
  const problem = isHeld
    ? notTaken(
        name,
        what,
        `it was primary, ${view.primary} has taken over, and it is held back so that nothing on it is lost`,
        `Find out what happened (journalctl on ${name}), then: pgduet rebuild ${name}, and pgduet rolling-update --continue. ${skip}`,
      )
    : notTaken(
        name,
        what,
        'whatever is wrong with it would still be so behind the work',
        `pgduet status says more. ${goesOn} ${skip}`,
      );
  return { problem, lasts: isHeld };
}

const outOf = (seen: FleetSeen): readonly string[] => [...(seen.view.maintained?.keys() ?? [])];

async function broughtBack(update: Update, name: string): Promise<Moved> {
  const { world, cluster, order } = update;
  try {
    await bringBack(update, name);
    return { seen: 'by replication' };
  } catch (error) {
    if (
      !(error instanceof DiagnosticError) ||
      error.exitCode === exitCode.unreachable ||
      world.interrupted.aborted
    )
      throw error;
    if (!order.agreed.rebuild) throw error;
    // Its maintenance is over, and it cannot follow: it is rewound, or copied anew.
    const rebuilt = await runWithin(world, cluster, {
      intent: { kind: 'rebuild', host: name, copy: false },
      path: shippedPlaybook('rebuild'),
    });
    await bringBack(update, name);
    return { seen: rebuilt.changed.length > 0 ? 'by a rebuild' : 'by replication' };
  }
}

async function switched(update: Update, to: string): Promise<Moved> {
  const began = update.ports.now();
  await runWithin(update.world, update.cluster, {
    intent: { kind: 'switch', to },
    path: shippedPlaybook('switch'),
  });
  return { seen: `ready for the next one after ${formatDuration(update.ports.now() - began)}` };
}
