/**
 * One look at a cluster for `check`: opens the hosts, asks everything at once, goes on without hosts that are away.
 * In: a cluster, what it should be, the audits, sessions of an earlier look. Out: a report. It takes no lock and must never
 * change anything on a host.
 */
import { type HostState, lookAt, openHost, probesFor } from '../apply/hosts.ts';
import { hostView, observationsOf } from '../apply/observation.ts';
import type { RunPorts } from '../apply/request.ts';
import { type Diagnostic, DiagnosticError, type Result } from '../base/diagnostic.ts';
import { exitCode } from '../base/exit-codes.ts';
import type { AnyAudit } from '../check/audit.ts';
import { clusterReport, type Inspection } from '../check/judge.ts';
import type { ClusterReport } from '../check/report.ts';
import { readRecovery, recoveryProbe, rolesOf } from '../check/roles.ts';
import { type Cluster, type Host, serverOn } from '../inventory/cluster.ts';
import { answerTo } from '../observe/look.ts';
import { preferredView, type View } from '../observe/survey.ts';
import { makePlan, type Resource } from '../plan/plan.ts';
import { type Probe, unknown } from '../resources/contract/kind.ts';
import { unlessAborted } from './unless-aborted.ts';

/** A cluster that is to be looked at, once or again and again. */
export interface Target {
  readonly cluster: Cluster;
  compile(view: View): Result<readonly Resource[]>;
  readonly audits: readonly AnyAudit[];
  /** The version of this pgduet. */
  readonly version: string;
  readonly limit?: string;
  /** The hosts that are open, by name; a look opens what is missing and drops what is gone. */
  readonly open: Map<string, HostState>;
}

export function inspect(target: Target, ports: RunPorts): Promise<ClusterReport> {
  return unlessAborted(lookAtCluster(target, ports), ports.interrupted);
}

/** A look that was interrupted is ended on the hosts, too; one that is over waits for no goodbye. */
export async function leaveAll({ open }: Target, interrupted: boolean): Promise<void> {
  const sessions = [...open.values()].map(({ session }) => session);
  if (interrupted) await Promise.all(sessions.map((session) => session.close()));
  else for (const session of sessions) session.leave();
}

async function lookAtCluster(target: Target, ports: RunPorts): Promise<ClusterReport> {
  const { cluster, audits, version } = target;
  const preferred = resourcesFor(target, preferredView(cluster));
  const asked = new Map([...target.open].map(([name, { session }]) => [name, session.roundTrips]));
  const looks = await Promise.all(cluster.hosts.map((host) => lookAtHost(target, ports, host, preferred)));
  const states = looks.flatMap((look) => ('session' in look ? [look] : []));
  const views = new Map(states.map((state) => [state.host.name, hostView(cluster, state, ports)]));
  const recovering = states.map(
    (state) => [state.host.name, readRecovery(answerTo(state.look, recoveryProbe))] as const,
  );
  const roles = rolesOf(cluster, views, new Map(recovering));
  const resources = roles.refused ? preferred : resourcesFor(target, roles.view);
  if (!roles.refused) await askTheRest(target, ports, states, resources);
  const inspection: Inspection = {
    cluster,
    version,
    nowMs: ports.clockMs(),
    roles,
    resources,
    ...(roles.refused ? {} : { plan: makePlan(observationsOf(resources, states)) }),
    audited: audits.map((audit) => ({ audit, seen: auditObservations(audit, cluster, states) })),
    clocks: states.flatMap(({ clock }) => clock ?? []),
    unreached: new Map(
      looks.flatMap((look, index) =>
        'session' in look ? [] : [[cluster.hosts[index]?.name ?? '', look.problems] as const],
      ),
    ),
    roundTrips: Object.fromEntries(
      states.map(({ host, session }) => [host.name, session.roundTrips - (asked.get(host.name) ?? 0)]),
    ),
  };
  return clusterReport(inspection, target.limit);
}

function resourcesFor(target: Target, view: View): readonly Resource[] {
  const compiled = target.compile(view);
  if (!compiled.ok) throw new DiagnosticError(compiled.diagnostics, exitCode.inputWrong);
  return compiled.value;
}

/** Audits are about servers. */
function probesOf({ cluster, audits }: Target, host: Host, resources: readonly Resource[]): readonly Probe[] {
  const declared = probesFor(cluster, host, resources);
  const server = serverOn(cluster, host.name);
  if (!server) return declared;
  return [...declared, recoveryProbe, ...audits.map((audit) => audit.probe(server, cluster))];
}

/** The one round trip; or why there was none. */
async function lookAtHost(
  target: Target,
  ports: RunPorts,
  host: Host,
  resources: readonly Resource[],
): Promise<HostState | { readonly problems: readonly Diagnostic[] }> {
  try {
    const state = target.open.get(host.name) ?? (await openHost(target.cluster, host, ports));
    target.open.set(host.name, state);
    state.look = new Map();
    await inTime(host, lookAt(ports, state, probesOf(target, host, resources)));
    return state;
  } catch (error) {
    if (!(error instanceof DiagnosticError)) throw error;
    // A host that went away is tried anew at the next look, and nobody waits for its goodbye.
    target.open.get(host.name)?.session.leave();
    target.open.delete(host.name);
    return { problems: error.diagnostics };
  }
}

/** A disk that hangs must not hold up what is told of the other hosts. */
const patienceMs = 30_000;

async function inTime(host: Host, look: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(silent(host)), patienceMs);
  });
  // The loser of the race may fail later; nobody listens then.
  look.catch(() => undefined);
  try {
    await Promise.race([look, late]);
  } finally {
    clearTimeout(timer);
  }
}

const silent = (host: Host): DiagnosticError =>
  new DiagnosticError(
    [
      {
        code: 'CON001',
        what: `'${host.name}' lets the login in, and has not answered within ${patienceMs / 1000} s`,
        why: 'a disk or a file system of the host may hang',
        fix: 'Log in and look for processes in state D (ps), and for errors of disks in the journal.',
        host: host.name,
      },
    ],
    exitCode.unreachable,
  );

/** Other roles than the preferred ones may ask for what was not asked yet. */
async function askTheRest(
  target: Target,
  ports: RunPorts,
  states: readonly HostState[],
  resources: readonly Resource[],
): Promise<void> {
  await Promise.all(
    states.map(async (state) => {
      const open = probesOf(target, state.host, resources).filter((probe) => !answerTo(state.look, probe));
      if (open.length > 0) await lookAt(ports, state, probesOf(target, state.host, resources));
    }),
  );
}

const auditObservations = (audit: AnyAudit, cluster: Cluster, states: readonly HostState[]) =>
  new Map(
    states.flatMap(({ server, look }) => {
      if (!server) return [];
      const answer = answerTo(look, audit.probe(server, cluster));
      const observed = answer ? audit.read(answer, server) : unknown('the host gave no answer');
      return [[server.name, observed] as const];
    }),
  );
