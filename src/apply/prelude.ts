/**
 * What goes before a run, in its sessions and under its locks: another intent on some of its hosts, brought to its end; then everything is looked
 * at anew, and refused where it is not any more as it was. In: the first observation. Out: the one that the run begins with, and what was changed.
 */
import { isEmpty, refusals, troubles } from '../plan/plan.ts';
import { converge } from './converge.ts';
import { type Changed, failure } from './failure-list.ts';
import { type HostState, lookAt, probesFor } from './hosts.ts';
import { type Observation, observation } from './observation.ts';
import type { RunPorts, RunRequest } from './request.ts';

export async function prelude(
  request: RunRequest,
  ports: RunPorts,
  states: readonly HostState[],
  first: Observation,
): Promise<{ readonly changed: readonly Changed[]; readonly current: Observation }> {
  const before = request.prelude?.(first);
  if (!before)
    return {
      changed: [],
      current: request.looksBehindYes ? await anew(request, ports, states, first) : first,
    };
  const { cluster, intent, compile } = before;
  const own: RunRequest = { ...request, cluster, intent, compile };
  const some = states.filter(({ host }) => cluster.hosts.some(({ name }) => name === host.name));
  const seen = await observation(own, ports, some, intent);
  refuse(seen);
  const done = await converge(own, ports, some, seen);
  if (!isEmpty(done.left)) throw failure(troubles(done.left));
  // Only now is known whether something has come between.
  await anew(request, ports, states, first);
  const current = await observation(request, ports, states, before.behind(done.intent));
  refuse(current);
  return { changed: done.changed, current };
}

/** Refused where it is not any more as it was. */
async function anew(
  request: RunRequest,
  ports: RunPorts,
  states: readonly HostState[],
  { resources, intent }: Observation,
): Promise<Observation> {
  await Promise.all(
    states.map((state) => lookAt(ports, state, probesFor(request.cluster, state.host, resources))),
  );
  const now = await observation(request, ports, states, intent);
  refuse(now);
  return now;
}

function refuse({ plan }: Observation): void {
  const refused = refusals(plan);
  if (refused.length > 0) throw failure(refused);
}
