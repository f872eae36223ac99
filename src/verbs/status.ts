/** `pgduet status`: looks at every host at once and shows what is there, also when a host is down. Changes nothing. */
import { orAborted } from '../apply/hosts.ts';
import { DiagnosticError } from '../base/diagnostic.ts';
import { exitCode } from '../base/exit-codes.ts';
import type { Cluster, Server } from '../inventory/cluster.ts';
import { answerTo, look } from '../observe/look.ts';
import { clusterStatus, type HostStatus, maintainedIn, readStatus, statusProbes } from '../observe/status.ts';
import { preferredView } from '../observe/survey.ts';
import { mcCtlPath } from '../playbook/variables/controller.ts';
import { jsonText } from '../report/shown.ts';
import { statusJson, statusText } from '../report/status.ts';
import type { Probe } from '../resources/contract/kind.ts';
import type { Session } from '../transport/port.ts';
import { inventory } from './inventory.ts';
import { pause } from './pause.ts';
import { unlessAborted } from './unless-aborted.ts';
import { flag, type Given } from './verb.ts';
import type { World } from './world.ts';

/** Where `mc_ctl` is depends on the service manager, which the first look only finds out: both places are looked at. */
const candidates = (server: Server, cluster: Cluster): readonly string[] => [
  mcCtlPath(server, preferredView(cluster)),
  `${server.multiplexing.managementDir}/mc_ctl`,
];

const watchEveryMs = 1000;

/** 0 when a primary runs and every host was reached but those in maintenance; else the status of the most severe problem. */
export async function status(world: World, given: Given): Promise<number> {
  const watch = flag(given, 'watch');
  const { cluster } = await inventory(world);
  const sessions = new Map<string, Session>();
  const looks = () =>
    Promise.all(
      cluster.servers.map(
        async (server) => [server.name, await statusOf(world, cluster, server, sessions)] as const,
      ),
    );
  try {
    let exit = show(world, cluster, new Map(await unlessAborted(looks(), world.interrupted)), watch);
    while (watch) {
      await pause(watchEveryMs, world.interrupted);
      if (world.interrupted.aborted) return exit;
      // Ctrl-C ends --watch as something that is done, with what was seen last: nobody waits for a silent host.
      const seen = await orAborted(looks(), world.interrupted);
      if (seen === undefined) return exit;
      exit = show(world, cluster, new Map(seen), watch);
    }
    return exit;
  } finally {
    await Promise.all([...sessions.values()].map((session) => session.close()));
  }
}

async function statusOf(
  world: World,
  cluster: Cluster,
  server: Server,
  sessions: Map<string, Session>,
): Promise<HostStatus> {
  try {
    const session = sessions.get(server.name) ?? (await world.transport.open(server.host));
    sessions.set(server.name, session);
    const sets = candidates(server, cluster).map((mcCtl) => statusProbes(server, mcCtl));
    const answers = await look(session, server, sets.flatMap(Object.values<Probe>), world.nonce());
    const statuses = sets.map((asked) => {
      const replies = Object.entries(asked).map(([about, probe]) => [about, answerTo(answers, probe)]);
      return readStatus(server, Object.fromEntries(replies));
    });
    return (
      statuses.find((found) => found.kind === 'seen' && found.controller.state !== 'missing') ??
      statuses[0] ?? { kind: 'unreached', diagnostics: [] }
    );
  } catch (error) {
    if (!(error instanceof DiagnosticError)) throw error;
    // A host that went away is tried anew at the next look of --watch.
    sessions.delete(server.name);
    return { kind: 'unreached', diagnostics: error.diagnostics };
  }
}

function show(
  world: World,
  cluster: Cluster,
  statuses: ReadonlyMap<string, HostStatus>,
  watch: boolean,
): number {
  const result = clusterStatus(cluster, statuses, Date.now());
  // Whoever works on a host may have it off.
  const out = maintainedIn(statuses);
  const problems = [...statuses].flatMap(([name, found]) =>
    found.kind === 'unreached' && !out.has(name) ? found.diagnostics : [],
  );
  if (world.options.json) world.print(jsonText(statusJson(result), watch ? 0 : 2));
  else {
    // In a terminal each look replaces the one before; elsewhere they follow each other.
    if (watch && process.stdout.isTTY) process.stdout.write('\u001b[2J\u001b[H');
    world.print(statusText(result, world.options.colour));
  }
  if (!watch && problems.length > 0) world.tell(problems);
  if (problems.length > 0) return exitCode.unreachable;
  return result.problem === null ? exitCode.done : exitCode.hostFailed;
}
