/** `pgduet rolling-update`: every server is taken out in turn for some work, while clients go on; begun, gone on with, or ended. */
import { exitCode } from '../base/exit-codes.ts';
import { maintenanceWords } from '../base/maintenance-words.ts';
import { serversOnly } from '../inventory/cluster.ts';
import { notesText, type RollingFacts } from '../report/rolling.ts';
import { leftOver, nextMove, type Situation } from '../rolling/next.ts';
import { type Order, orderText } from '../rolling/order.ts';
import { directoryOf, orderScript, skipScript } from '../rolling/place.ts';
import { inventory } from './inventory.ts';
import { runPorts } from './ports.ts';
import { asked, type NewUpdate } from './rolling/ask.ts';
import { begin } from './rolling/begin.ts';
import { drive, situationOf, withSkipped } from './rolling/drive.ts';
import { type FleetSeen, openFleet } from './rolling/fleet.ts';
import { goOn, openOrder } from './rolling/go-on.ts';
import { agreed, refusal, report, showPlan, told } from './rolling/tell.ts';
import type { Scene, Update } from './rolling/update.ts';
import type { Given } from './verb.ts';
import type { World } from './world.ts';

export async function rollingUpdate(world: World, given: Given): Promise<number> {
  const request = asked(given);
  const { cluster: declared } = await inventory(world);
  const cluster = serversOnly(declared);
  const ports = runPorts(world, () => undefined);
  const fleet = openFleet(cluster, ports, {
    locks: !world.options.check,
    owner: world.lockOwner('rolling-update'),
  });
  const stop = (): void => void fleet.close();
  world.interrupted.addEventListener('abort', stop);
  try {
    const seen = await fleet.look();
    const scene = { world, cluster, ports, fleet };
    return request.kind === 'new' ? await beginNew(scene, request, seen) : await goOn(scene, request, seen);
  } finally {
    world.interrupted.removeEventListener('abort', stop);
    await fleet.close();
  }
}

async function beginNew(scene: Scene, request: NewUpdate, seen: FleetSeen): Promise<number> {
  const { world, cluster } = scene;
  const open = openOrder(seen);
  if (open)
    throw refusal(
      'SAF067',
      `a rolling update of ${open.by} is open`,
      'two would take two servers out',
      'pgduet rolling-update --continue goes on with it, --abort ends it.',
    );
  const [away] = [...seen.away.values()];
  if (away) throw away;
  const [maintained] = [...(seen.view.maintained ?? [])];
  if (maintained)
    throw refusal(
      'SAF015',
      `${maintained[0]} is ${maintenanceWords(maintained[1])}`,
      'an update begins with every server in sync',
      `pgduet maintenance end ${maintained[0]}, once the work there is done.`,
    );
  const { order, failing, notes } = await begin(scene, request, seen);
  const situation = withSkipped(situationOf(order, seen, cluster), request.skip);
  const facts = { points: failing, notes, left: leftOver(lastOf(situation)) };
  if (!nextMove(situation)) return nothingToDo(world, situation, facts);
  if (!world.options.json) showPlan(world, situation, facts, request.run);
  if (failing.length > 0) return refused(world, situation, facts);
  if (world.options.check)
    return told(world, situation, { ...facts, state: 'planned', exit: exitCode.changesPending });
  if (!(await agreed(world, cluster.name)))
    return told(world, situation, { ...facts, state: 'declined', exit: exitCode.changesPending });
  await write(scene, order, request.skip);
  const update: Update = { ...scene, order, ...(request.run === undefined ? {} : { run: request.run }) };
  return report(update, await drive(update, false), facts);
}

/** Every server has the versions that are offered, or is to be skipped. */
function nothingToDo(
  world: World,
  situation: Situation,
  facts: Omit<RollingFacts, 'state' | 'exit'>,
): number {
  if (!world.options.json) world.say(notesText([...facts.notes, 'Nothing is to be done on any server.']));
  return told(world, situation, { ...facts, points: [], state: 'done', exit: exitCode.done });
}

/** What stands at the end of the sheet is what is left over. */
const lastOf = (situation: Situation): Situation => ({
  ...situation,
  rows: new Map([...situation.rows].filter(([, row]) => row.skipped)),
});

async function write({ cluster, fleet }: Scene, order: Order, skip: readonly string[]): Promise<void> {
  await Promise.all(
    order.servers.map(async ({ name }) => {
      const directory = directoryOf(cluster.name, name);
      const lines = skip.map((one) => `${order.id} ${one}`);
      const script = [
        orderScript(directory, orderText(order)),
        ...(lines.length > 0 ? [skipScript(directory, lines)] : []),
      ].join(' && ');
      const reply = await fleet.run(name, script);
      if (reply.status !== 0)
        throw refusal(
          'SAF065',
          `${name} cannot keep what is to be done`,
          'without it nobody could go on after an interruption',
          `Make room below ${directory}, then run the same command again.`,
          [reply.stderr.trim()],
          name,
        );
    }),
  );
}

function refused(world: World, situation: Situation, facts: Omit<RollingFacts, 'state' | 'exit'>): number {
  const problem = refusal(
    'SAF066',
    'a rolling update cannot begin now',
    `${facts.points.length} points of the preparation fail; nothing was changed`,
    'Put right what is said of each; --despite NAME leaves one out that allows it.',
    facts.points.map(({ name, host, what }) => `${name}${host ? ` (${host})` : ''}: ${what}`),
  );
  return told(world, situation, { ...facts, state: 'refused', exit: exitCode.refused }, problem.diagnostics);
}
