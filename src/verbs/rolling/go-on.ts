/** A rolling update that was begun: gone on with, or ended, by whoever comes by. In: what the hosts hold of it. Out: how it ended. */

import { DiagnosticError } from '../../base/diagnostic.ts';
import { exitCode } from '../../base/exit-codes.ts';
import { notesText, sheetText } from '../../report/rolling.ts';
import { shown } from '../../report/shown.ts';
import { leftOver, rowOf, type Situation } from '../../rolling/next.ts';
import { type Order, orderText, parseOrder } from '../../rolling/order.ts';
import { directoryOf, skipScript } from '../../rolling/place.ts';
import type { OpenUpdate } from './ask.ts';
import { fingerprint } from './begin.ts';
import { drive, mark, situationOf, withSkipped } from './drive.ts';
import type { FleetSeen } from './fleet.ts';
import { bringBack, takeOut } from './maintain.ts';
import { agreed, refusal, report, told } from './tell.ts';
import { hasOut, type Scene, type Update } from './update.ts';
import { atRest, unfit } from './work.ts';

/** The one that no host calls ended; several hosts have the same one. */
export function openOrder(seen: FleetSeen): Order | undefined {
  const ended = [...seen.hosts.values()].map(({ ended: mark }) => mark.split(' ')[0]);
  const orders = [...seen.hosts.values()].flatMap(({ order }) => {
    if (order === '') return [];
    const parsed = parseOrder(order);
    if (!parsed.ok) throw new DiagnosticError(parsed.diagnostics, exitCode.refused);
    return ended.includes(parsed.value.id) ? [] : [parsed.value];
  });
  const [first] = orders;
  const other = orders.find((order) => orderText(order) !== (first ? orderText(first) : ''));
  if (first && other)
    throw refusal(
      'SAF065',
      `the hosts hold two open orders: ${first.id} of ${first.by}, and ${other.id} of ${other.by}`,
      'each may have taken a server out',
      'Find out which one counts, and remove the directory of the other one below /var/lib/pgduet on its hosts.',
    );
  return first;
}

export async function goOn(scene: Scene, request: OpenUpdate, seen: FleetSeen): Promise<number> {
  const { world, cluster } = scene;
  const order = openOrder(seen);
  const blind = [...seen.hosts].flatMap(([name, { isRoot }]) => (isRoot ? [] : [name]));
  if (!order && blind.length > 0)
    throw refusal(
      'SAF067',
      `what ${blind.join(', ')} ${blind.length === 1 ? 'holds' : 'hold'} of a rolling update cannot be read`,
      'only root can, and scripts do not run as root there',
      'Set ssh.become: sudo, or log in as root.',
    );
  if (!order)
    throw refusal(
      'SAF067',
      'no rolling update is open',
      'every one that the hosts know has ended',
      'Begin one: pgduet rolling-update --help.',
    );
  fits(scene, order, seen);
  const { run } = request;
  if (run !== undefined && fingerprint(run) !== order.work.run)
    throw refusal(
      'SAF065',
      `'${run}' is not the playbook that the update began with`,
      'the servers would differ',
      'Give the same one, or end the update with --abort and begin a new one.',
    );
  const unsure = request.again
    ? ({ unsure: 'again' } as const)
    : request.done
      ? ({ unsure: 'done' } as const)
      : {};
  const update: Update = {
    ...scene,
    order,
    ...(run === undefined ? {} : { run }),
    ...unsure,
    despite: request.despite,
  };
  const strange = request.skip.find((name) => !order.servers.some((one) => one.name === name));
  if (strange !== undefined)
    throw refusal(
      'SAF066',
      `'${strange}' is not a server of this update`,
      '--skip leaves one of its servers out',
      `Name one of: ${order.servers.map(({ name }) => name).join(', ')}.`,
    );
  const now = withSkipped(situationOf(order, seen, cluster), request.skip);
  const facts = { points: [], notes: [], left: leftOver(now) };
  if (!world.options.json) {
    world.say(shown(`The update of ${order.by}, begun ${order.made}:`));
    (world.options.check ? world.print : world.say)(sheetText(now));
    if (request.kind === 'abort') world.say(shown(endWords(ownOut(order, seen), request.skip)));
  }
  if (world.options.check)
    return told(world, now, { ...facts, state: 'planned', exit: exitCode.changesPending });
  if (!(await agreed(world, cluster.name)))
    return told(world, now, { ...facts, state: 'declined', exit: exitCode.changesPending });
  if (request.skip.length > 0) await leaveOut(update, situationOf(order, seen, cluster), seen, request.skip);
  if (request.kind === 'abort')
    return abort(update, request.skip.length > 0 ? await scene.fleet.look() : seen);
  return report(update, await drive(update, true), facts);
}

/** The same cluster, the same servers; what is new since is not part of it. */
function fits({ cluster }: Scene, order: Order, seen: FleetSeen): void {
  const gone = order.servers.filter(({ name }) => !cluster.servers.some((one) => one.name === name));
  if (gone.length > 0)
    throw refusal(
      'SAF065',
      `the inventory has no ${gone.map(({ name }) => name).join(', ')} any more`,
      'the update was begun with it',
      'Use the inventory that it was begun with, or end it with --abort there.',
    );
  if (seen.view.systemIdentifier !== undefined && seen.view.systemIdentifier !== order.systemIdentifier)
    throw refusal(
      'SAF065',
      'the hosts hold the data of another cluster than the update was begun for',
      'its order is not about them',
      `Remove ${directoryOf(cluster.name, order.primary)} and its like on the hosts, once you know why.`,
    );
}

/** Whoever is out stays out, by the name of the person: the next update does not bring it back unasked. */
async function leaveOut(
  update: Update,
  situation: Situation,
  seen: FleetSeen,
  skip: readonly string[],
): Promise<void> {
  const { world, cluster, fleet, order } = update;
  for (const host of skip) {
    const isFree = !seen.view.maintained?.has(host);
    if (!hasOut(order, seen.view, host) && !(isFree && seen.away.has(host))) continue;
    const reason = `left out of rolling update ${order.id}`;
    await takeOut(
      update,
      host,
      { by: world.operator, reason, replace: true, alone: order.agreed.alone },
      true,
    );
    world.say(
      `${host} stays in maintenance, by ${world.operator}: pgduet maintenance end ${host} brings it back`,
    );
  }
  const known = [...situation.rows].flatMap(([name, row]) => (row.skipped ? [name] : []));
  const lines = [...new Set([...known, ...skip])].map((name) => `${order.id} ${name}`);
  await Promise.all(
    order.servers
      .filter(({ name }) => !seen.away.has(name))
      .map(({ name }) => fleet.run(name, skipScript(directoryOf(cluster.name, name), lines))),
  );
}

/** Servers that this update has taken out. */
export const ownOut = (order: Order, { view }: Pick<FleetSeen, 'view'>): readonly string[] =>
  order.servers.flatMap(({ name }) => (hasOut(order, view, name) ? [name] : []));

/** The sheet above shows what is open; an end does none of it. */
export function endWords(out: readonly string[], skip: readonly string[]): string {
  const back = out.filter((name) => !skip.includes(name));
  const what = back.length > 0 ? `${back.join(', ')} comes back` : 'no server has to come back';
  return `The update is to end: ${what}, nobody switches, and what is open above is not done.`;
}

/** Nobody switches for it. What is out comes back where it can; what cannot be reached stays out, by a person's name. */
export async function abort(update: Update, seen: FleetSeen): Promise<number> {
  const { world, cluster, order } = update;
  const situation = situationOf(order, seen, cluster);
  for (const host of ownOut(order, seen)) {
    if (situation.away.has(host)) {
      await leaveOut(update, situation, seen, [host]);
      continue;
    }
    await atRest(update, host, seen);
    const problems = await unfit(update, host, seen, rowOf(situation, host), {});
    if (problems.length > 0) {
      world.say(notesText([`${host} is not fit to come back:`, ...problems.map((one) => `  ${one}`)]));
      await leaveOut(update, situation, seen, [host]);
      continue;
    }
    world.say(`bring ${host} back …`);
    await bringBack(update, host);
  }
  await mark(update, situation, 'aborted');
  const last = situationOf(order, await update.fleet.look(), cluster);
  const left = leftOver(last);
  if (!world.options.json) world.say(`The update is over. Not done on: ${left.join(', ') || 'none'}.`);
  return told(world, last, { state: 'aborted', exit: exitCode.done, points: [], notes: [], left });
}
