/**
 * A run: connect, lock, look, survey, plan, apply batch by batch, look again until the plan is empty.
 * In: a cluster, what it should be (`compile`), the outside world as ports. Out: events while it goes, an outcome at
 * the end. Must never act on a plan that was refused.
 */
import type { Intent } from '../intent/intent.ts';
import { leftAlone } from '../intent/maintenance.ts';
import { preferredView, type View } from '../observe/survey.ts';
import { type ClockObservation, clockProblems } from '../plan/clocks.ts';
import { type Plan, type Resource, refusals } from '../plan/plan.ts';
import { type Converged, converge, isAtEnd } from './converge.ts';
import { type Changed, failure, interruption, merged } from './failure-list.ts';
import { type HostState, lock, lookAt, type Opened, openAll, probesFor } from './hosts.ts';
import { allowed, awayInVain, compiled, type Observation, observation } from './observation.ts';
import { prelude } from './prelude.ts';
import type { RunPorts, RunRequest } from './request.ts';
import { withTries } from './tries.ts';

export interface Outcome {
  /** The first plan: what there was to do. */
  readonly plan: Plan;
  readonly view: View;
  /** As the observations of the run have settled it. */
  readonly intent: Intent;
  /** Summaries of what was changed, by host. */
  readonly changed: readonly Changed[];
  /** What is left: empty after a full run; what is degraded; the first plan again when nothing was changed. */
  readonly left: Plan;
  /** False when the user said no. */
  readonly confirmed: boolean;
  readonly roundTrips: Readonly<Record<string, number>>;
}

export async function run(request: RunRequest, ports: RunPorts): Promise<Outcome> {
  const started = ports.now();
  // What is wrong with the playbook is said before anybody is contacted.
  const resources = compiled(request, preferredView(request.cluster), request.intent);
  const { states, away } = await openAll(request, ports);
  // Closing the sessions ends what still runs on the hosts, so an interrupt needs nothing else.
  const stop = (): void => {
    for (const state of states) void state.session.close();
  };
  ports.interrupted.addEventListener('abort', stop);
  try {
    if (ports.interrupted.aborted) stop();
    const first = await firstObservation(request, ports, { states, away }, resources);
    ports.emit({ kind: 'planned', plan: first.plan, view: first.view, intent: first.intent });
    const refused = [...clockProblems(clocksOf(states, first)), ...refusals(first.plan)];
    if (refused.length > 0) throw failure(refused);
    const outcome = ({ changed, left, view, intent }: Converged, confirmed: boolean): Outcome => ({
      plan: first.plan,
      view,
      intent,
      changed,
      left,
      confirmed,
      roundTrips: Object.fromEntries(states.map((state) => [state.host.name, state.session.roundTrips])),
    });
    const untouched: Converged = { ...first, changed: [], left: first.plan };
    if (!request.change || isAtEnd(first)) return outcome(untouched, true);
    if (!(await request.confirm(first.plan))) return outcome(untouched, false);
    // The answer may have been that the primary must not be restarted.
    const { changed, current } = await prelude(request, ports, states, first);
    const agreed = { ...current, plan: allowed(request, current.plan) };
    const result = outcome(await converge(request, ports, states, agreed, changed), true);
    ports.emit({
      kind: 'verified',
      changes: result.changed.length,
      roundTrips: result.roundTrips,
      ms: ports.now() - started,
    });
    return result;
  } catch (error) {
    throw interruption(ports.interrupted.aborted, error, [], []);
  } finally {
    ports.interrupted.removeEventListener('abort', stop);
    await Promise.all(states.map((state) => end(request, state)));
  }
}

/** Nobody compares logs with a server on which somebody works. */
function clocksOf(states: readonly HostState[], { intent, view }: Observation): readonly ClockObservation[] {
  const out = leftAlone(intent, view);
  return states.flatMap(({ host, clock }) => (clock && !out.includes(host.name) ? [clock] : []));
}

/** Who only looks has no lock that somebody else could wait for. */
const end = ({ change }: RunRequest, { session }: HostState): Promise<void> | void =>
  change ? session.close() : session.leave();

/**
 * One round trip: the lock and the first observation travel together. A second one if the roles are not as preferred, and one more
 * where what is to be done is tried first.
 */
async function firstObservation(
  request: RunRequest,
  ports: RunPorts,
  { states, away }: Opened,
  resources: readonly Resource[],
): Promise<Observation> {
  await Promise.all(
    states.map(async (state, index) => {
      const locked = request.change ? lock(request, ports, state, index) : Promise.resolve();
      const looked = lookAt(ports, state, probesFor(request.cluster, state.host, resources));
      // The look must not be an unhandled rejection while the lock is awaited.
      const [lockResult, lookResult] = await Promise.allSettled([locked, looked]);
      if (lockResult.status === 'rejected') throw lockResult.reason;
      if (lookResult.status === 'rejected') throw lookResult.reason;
    }),
  );
  const unreached = awayInVain(request, ports, { states, away });
  if (unreached.length > 0) throw merged(unreached);
  return withTries(ports, states, await observation(request, ports, states, request.intent));
}
