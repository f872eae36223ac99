/**
 * What is known at one moment of a run: who is primary, what is intended, what follows from the playbook, what differs.
 * In: the answers of all hosts. Out: an observation, or an error that says why there can be none.
 */
import { type Diagnostic, DiagnosticError } from '../base/diagnostic.ts';
import { exitCode } from '../base/exit-codes.ts';
import { certificateObstacles } from '../intent/certificates.ts';
import { type Intent, settle } from '../intent/intent.ts';
import { lostObstacles } from '../intent/lost.ts';
import { leftAlone, maintenanceObstacles } from '../intent/maintenance.ts';
import { replaceObstacles } from '../intent/replace.ts';
import { surveyFor } from '../intent/roles.ts';
import { unreadable } from '../intent/unread.ts';
import type { Cluster, Server } from '../inventory/cluster.ts';
import { answerTo } from '../observe/look.ts';
import {
  type HostView,
  maintainedOf,
  readHostView,
  roleProbe,
  secretsOf,
  surveyReplies,
  type View,
} from '../observe/survey.ts';
import { unseenPrimary } from '../observe/who-leads.ts';
import {
  makePlan,
  type ObservedResource,
  type Plan,
  type Resource,
  waitingForNothing,
} from '../plan/plan.ts';
import { withoutRestarts } from '../plan/restarts.ts';
import { failure } from './failure-list.ts';
import { type HostState, lookAt, type Opened, probesFor } from './hosts.ts';
import type { RunPorts, RunRequest } from './request.ts';

export interface Observation {
  readonly view: View;
  /** Settled: it means the same in every later observation. */
  readonly intent: Intent;
  /** What the playbook declares for this view. */
  readonly resources: readonly Resource[];
  readonly plan: Plan;
}

export function compiled(request: RunRequest, view: View, intent: Intent): readonly Resource[] {
  const result = request.compile(view, intent);
  if (!result.ok) throw new DiagnosticError(result.diagnostics, exitCode.inputWrong);
  return result.value;
}

/** Survey, compile for the roles that were found, ask what was not asked yet, decide. */
export async function observation(
  request: RunRequest,
  ports: RunPorts,
  states: readonly HostState[],
  intended: Intent,
): Promise<Observation> {
  const { cluster } = request;
  const views = new Map(states.map((state) => [state.host.name, hostView(cluster, state, ports)]));
  const out = leftAlone(intended, maintainedOf(views));
  const met = states.filter(({ host }) => !out.includes(host.name));
  const blind = met.flatMap((state) =>
    state.server && views.get(state.host.name)?.data === undefined ? [blindness(state, state.server)] : [],
  );
  if (blind.length > 0) throw failure(blind);
  const about = new Map([...views].filter(([name]) => !out.includes(name)));
  const lost = lostObstacles(intended.kind, cluster, about);
  if (lost.length > 0) throw failure(lost);
  const unread = unreadable(intended, about);
  if (unread.length > 0) throw failure(unread);
  const found = surveyFor(intended, cluster, views);
  if ('refused' in found) throw failure([unseen(found.refused, cluster, states)]);
  const view = withAbsent(found.view, cluster, states);
  const intent = settle({ cluster, view, intent: intended });
  const obstacles = [
    ...maintenanceObstacles(intent, view),
    ...replaceObstacles({ intent, intended }, cluster, view),
    ...certificateObstacles({ intent, intended }, cluster, view),
  ];
  if (obstacles.length > 0) throw failure(obstacles);
  const resources = compiled(request, view, intent);
  await Promise.all(
    states.map(async (state) => {
      const probes = probesFor(cluster, state.host, resources);
      if (probes.some((probe) => !answerTo(state.look, probe))) await lookAt(ports, state, probes);
    }),
  );
  const plan = waitingForNothing(makePlan(observationsOf(resources, states)));
  return { view, intent, resources, plan: allowed(request, plan) };
}

/** Why hosts that nobody has in maintenance could not be reached: the others remember who has. */
export function awayInVain(
  request: RunRequest,
  ports: RunPorts,
  { states, away }: Opened,
): readonly unknown[] {
  if (away.size === 0) return [];
  const views = states.map((state) => [state.host.name, hostView(request.cluster, state, ports)] as const);
  const { maintained } = maintainedOf(new Map(views));
  return [...away].flatMap(([name, reason]) => (maintained?.has(name) ? [] : [reason]));
}

/** Where a host was left out, the primary may be there. */
function unseen(refused: Diagnostic, cluster: Cluster, states: readonly HostState[]): Diagnostic {
  const away = cluster.servers.filter(({ name }) => !states.some(({ host }) => host.name === name));
  if (refused.code !== 'SAF004' || away.length === 0) return refused;
  return { ...refused, ...unseenPrimary(away.map(({ name }) => name)) };
}

/** The plan as far as it may be carried out now. */
export const allowed = (request: RunRequest, plan: Plan): Plan =>
  request.mayRestart ? withoutRestarts(plan, (host) => request.mayRestart?.(host) ?? true) : plan;

/** What the hosts have answered about the resources that are declared for them. */
export function observationsOf(
  resources: readonly Resource[],
  states: readonly HostState[],
): readonly ObservedResource[] {
  const byName = new Map(states.map((state) => [state.host.name, state]));
  return resources.flatMap((resource) => {
    const answer = answerTo(
      byName.get(resource.host)?.look ?? new Map(),
      resource.kind.probe(resource.desired),
    );
    return answer ? [{ resource, observed: resource.kind.read(answer, resource.desired) }] : [];
  });
}

function withAbsent(view: View, cluster: Cluster, states: readonly HostState[]): View {
  if (states.length === cluster.hosts.length) return view;
  const reached = new Set(states.map((state) => state.host.name));
  return {
    ...view,
    absent: new Set(cluster.hosts.map(({ name }) => name).filter((name) => !reached.has(name))),
  };
}

export function hostView(cluster: Cluster, state: HostState, ports: RunPorts): HostView {
  const view = readHostView(surveyReplies(cluster, state.server, (probe) => answerTo(state.look, probe)));
  for (const secret of secretsOf(view)) ports.remember(secret);
  return view;
}

function blindness({ look }: HostState, server: Server): Diagnostic {
  const reply = answerTo(look, roleProbe(server));
  return {
    code: 'HST002',
    what: `the data directory '${server.postgres.dataDir}' could not be looked at`,
    why: 'without it nobody can say which server is primary, so nothing is done',
    fix: 'Look at the lines below on the host; the login user must be able to read the directory (ssh.become: sudo).',
    host: server.host.name,
    evidence: (reply?.stderr ?? '')
      .split('\n')
      .filter((line) => line !== '')
      .slice(-6),
  };
}
