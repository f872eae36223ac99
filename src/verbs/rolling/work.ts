/**
 * The work on one host that is out: packages, a playbook, a command, a reboot, and the proof that the host is fit. In: a server, and what was
 * seen just before. Out: what was seen of it. It must never begin on a host whose maintenance is not this update's own, and never ends what runs there.
 */

import { DiagnosticError } from '../../base/diagnostic.ts';
import { exitCode } from '../../base/exit-codes.ts';
import { updateOwner } from '../../base/maintenance-words.ts';
import { formatDuration } from '../../base/units.ts';
import type { Pins } from '../../rolling/order.ts';
import {
  bootScript,
  directoryOf,
  type Guard,
  guardScript,
  guardStatus,
  type Job,
  type JobState,
  jobSteps,
  lookScript,
  outputOf,
  readBoot,
  readHost,
  readJob,
  rebootScript,
  runningScript,
  startScript,
  toldScript,
  waitScript,
} from '../../rolling/place.ts';
import { proofScript, readProof } from '../../rolling/proof.ts';
import type { Row } from '../../rolling/row.ts';
import type { Reply } from '../../transport/port.ts';
import { pause } from '../pause.ts';
import { askedOf, type FleetSeen, isAway } from './fleet.ts';
import { runWithin } from './sub-run.ts';
import { failedStep, goesOn, type Moved, managerOf, serverOf, tail, type Update } from './update.ts';

/** Before anything is taken out: what can fail for want of a source, of room or of a lock fails here. */
export async function fetched({ fleet, order }: Update, server: string, seen: FleetSeen): Promise<Moved> {
  const pins = order.work.packages?.[server] ?? {};
  const reply = await fleet.run(server, managerOf(seen, server).fetch(pins));
  if (reply.status === 0) return {};
  throw failedStep(
    server,
    `the packages of ${server} cannot be fetched`,
    'nothing was taken out, and nothing was installed',
    goesOn,
    tail(reply),
  );
}

function guardOf({ order, cluster }: Update, name: string): Guard {
  const machineId = order.servers.find((one) => one.name === name)?.machineId ?? '';
  const dataDir = cluster.servers.find((one) => one.name === name)?.postgres.dataDir ?? '';
  return { machineId, dataDir };
}

const jobOf = ({ order, cluster }: Update, name: string, step: string): Job => ({
  directory: directoryOf(cluster.name, name),
  id: order.id,
  step,
});

/** By the promise of the controllers, and by its own record: nobody gives a role to it meanwhile. */
export function isOurs({ order }: Update, name: string, seen: FleetSeen): void {
  const entry = seen.view.maintained?.get(name);
  if (entry?.by === updateOwner(order.id)) return;
  throw failedStep(
    name,
    `${name} is not in maintenance by this update`,
    entry ? `${entry.by} has it` : 'somebody has ended that',
    goesOn,
  );
}

/** What was begun goes on by itself: no instance is started beside it. */
export async function atRest(update: Update, name: string, seen: FleetSeen): Promise<void> {
  const script = runningScript(jobSteps.map((step) => jobOf(update, name, step)));
  const running = (await update.fleet.run(name, script)).stdout.trim().split('\n').join(', ');
  const goesDown = seen.hosts.get(name)?.systemd === 'stopping';
  if (running === '' && !goesDown) return;
  throw failedStep(
    name,
    goesDown ? `${name} is going down` : `the ${running} of ${name} still runs there`,
    'it has gone on by itself, and its instance may not be started beside it',
    'Wait for its end, then run the same command again.',
  );
}

const notNow = 'it may not be done there now';

interface Work {
  readonly name: string;
  readonly step: string;
  readonly text: string;
  /** Its text may run twice. */
  readonly isHarmless: boolean;
}

/** Begun once; what runs already is waited for, and what has ended is read. */
async function job(update: Update, seen: FleetSeen, { name, step, text, isHarmless }: Work): Promise<Moved> {
  isOurs(update, name, seen);
  const work = jobOf(update, name, step);
  const before = readJob((await patiently(update, name, waitScript(work))).stdout);
  const again = before.kind === 'none' || isHarmless || update.unsure === 'again';
  if (before.kind === 'unknown' && !again && update.unsure !== 'done')
    throw failedStep(
      name,
      `nobody knows how the ${step} of ${name} ended`,
      'its host went down, or it was killed, in the middle: it may have been done in part',
      'Look on the host. Then: pgduet rolling-update --continue --done where it is done, or --continue --again to run it once more.',
      before.said,
    );
  if (before.kind === 'known' && before.status === 0 && step !== 'validate') return {};
  if (before.kind !== 'none' && !isHarmless && update.unsure === 'done') return { seen: 'done by hand' };
  // It has gone on without us, and nobody has read yet that it failed.
  if (before.kind === 'known' && !again && !before.told) return fails(update, work, name, before);
  // What has failed before is tried once more: whoever goes on has put right what was in its way.
  const started = await update.fleet.run(name, startScript(work, guardOf(update, name), text));
  if (started.status !== 0)
    throw failedStep(
      name,
      `the ${step} of ${name} was not begun`,
      started.status === guardStatus ? notNow : 'its unit could not be started',
      goesOn,
      tail(started),
    );
  const ended = readJob((await patiently(update, name, waitScript(work))).stdout);
  if (ended.kind === 'known' && ended.status === 0) return {};
  return fails(update, work, name, ended);
}

async function fails(update: Update, work: Job, name: string, ended: JobState): Promise<never> {
  const { step } = work;
  if (ended.kind === 'known') await update.fleet.run(name, toldScript(work));
  const how = ended.kind === 'known' ? `ended with status ${ended.status}` : 'was cut off';
  throw failedStep(
    name,
    `the ${step} of ${name} ${how}`,
    `${name} stays out, and the others are whole; all of its output is in ${outputOf(work)} there`,
    goesOn,
    ended.kind === 'none' ? [] : ended.said,
  );
}

/** What runs on the host goes on while the connection is lost: as long as a reboot may take, it is tried again. */
async function patiently(update: Update, name: string, script: string): Promise<Reply> {
  const until = update.ports.now() + update.order.rebootMs;
  for (;;) {
    try {
      return await update.fleet.run(name, script);
    } catch (error) {
      await update.fleet.drop(name);
      if (!isAway(error) || update.ports.now() > until || update.world.interrupted.aborted) throw error;
      await pause(1000, update.world.interrupted);
    }
  }
}

export async function packagesInstalled(update: Update, name: string, seen: FleetSeen): Promise<Moved> {
  const pins = update.order.work.packages?.[name] ?? {};
  await job(update, seen, {
    name,
    step: 'packages',
    text: managerOf(seen, name).upgrade(pins),
    isHarmless: true,
  });
  return {
    seen: Object.entries(pins)
      .map(([one, version]) => `${one} ${version}`)
      .join(', '),
  };
}

export async function commandRun(update: Update, name: string, seen: FleetSeen): Promise<Moved> {
  const text = update.order.work.command ?? '';
  return job(update, seen, { name, step: 'command', text, isHarmless: false });
}

/** What it says of other servers comes true when it is their turn. */
export async function playbookRun(update: Update, host: string, seen: FleetSeen): Promise<Moved> {
  const { world, cluster, run } = update;
  if (run === undefined)
    throw failedStep(
      host,
      'the playbook is needed once more',
      'the hosts remember which one it was, and not its text',
      'Say it again: pgduet rolling-update --continue --run FILE.',
    );
  isOurs(update, host, seen);
  const guarded = await update.fleet.run(host, guardScript(guardOf(update, host)));
  if (guarded.status !== 0)
    throw failedStep(host, `the playbook was not run on ${host}`, notNow, goesOn, tail(guarded));
  const outcome = await runWithin(world, cluster, {
    intent: { kind: 'run', host },
    path: run,
    limit: host,
    needs: host,
  });
  return { seen: `${outcome.changed.length} changes` };
}

export async function rebooted(update: Update, name: string, seen: FleetSeen, row: Row): Promise<Moved> {
  isOurs(update, name, seen);
  const now = seen.hosts.get(name);
  const boot = row.boot ?? now?.boot ?? '';
  if (now && now.boot !== boot) return { seen: 'was rebooted' };
  if (now?.systemd !== 'stopping') {
    const reply = await update.fleet
      .run(name, rebootScript(guardOf(update, name)))
      .catch((error: unknown) => {
        // The connection may be gone before the answer.
        if (isAway(error)) return undefined;
        throw error;
      });
    if (reply && reply.status !== 0)
      throw failedStep(
        name,
        `${name} was not rebooted`,
        reply.status === guardStatus ? notNow : 'it refuses',
        goesOn,
        tail(reply),
      );
  }
  await untilBooted(update, name, boot);
  return { seen: 'rebooted' };
}

async function untilBooted(
  { fleet, ports, world, order }: Update,
  name: string,
  boot: string,
): Promise<void> {
  const until = ports.now() + order.rebootMs;
  while (ports.now() < until && !world.interrupted.aborted) {
    await fleet.drop(name);
    await pause(1000, world.interrupted);
    try {
      const reply = await fleet.run(name, bootScript);
      if (readBoot(reply.stdout) !== boot) return;
    } catch (error) {
      // Nobody may log in while it shuts down or starts.
      if (!(error instanceof DiagnosticError) || error.exitCode !== exitCode.unreachable) throw error;
    }
  }
  if (world.interrupted.aborted) return;
  throw failedStep(
    name,
    `${name} is not back within ${formatDuration(order.rebootMs)}`,
    'it was told to reboot; nobody tells it a second time',
    `Look at its console. ${goesOn} It waits once more then; --skip ${name} leaves it out.`,
  );
}

/** What is wrong with a host that is to come back. */
export async function unfit(
  update: Update,
  name: string,
  seen: FleetSeen,
  row: Row,
  pins: Pins,
): Promise<readonly string[]> {
  const { dataDir } = serverOf(update, name).postgres;
  // A command or a person may have installed something, too.
  const installed = managerOf(seen, name).installed(Object.keys(pins));
  const reply = await update.fleet.run(name, proofScript({ dataDir, installed }));
  // What is mounted is looked at behind the wait for the end of the start.
  const now = await update.fleet.run(name, lookScript(askedOf(update.cluster, serverOf(update, name))));
  const mounts = { before: row.mounts ?? '', now: readHost(now.stdout).mounts };
  const despite = [...update.order.agreed.despite, ...(update.despite ?? [])];
  return readProof(reply, { pins, mounts, despite });
}

/** That the host is fit, before its server comes back. */
export async function proven(update: Update, name: string, seen: FleetSeen, row: Row): Promise<Moved> {
  const { order } = update;
  const problems = await unfit(update, name, seen, row, order.work.packages?.[name] ?? {});
  if (problems.length > 0)
    throw failedStep(
      name,
      `${name} is not fit to come back`,
      `${name} stays out, and the others are whole`,
      `${goesOn} Where mounts or sshd are meant to be as they are: --continue --despite mounts, or sshd.`,
      problems,
    );
  const { validate } = order.work;
  if (validate !== undefined)
    await job(update, seen, { name, step: 'validate', text: validate, isHarmless: true });
  return {};
}
