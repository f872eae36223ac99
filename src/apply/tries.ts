/**
 * What a planned change leads to is tried on its host before the plan is shown (`tries` of a kind). In: the first observation. Out: the
 * same, with a refusal for each change that cannot be made. Asks nobody where nothing is to be tried; changes nothing on a host.
 */
import { answerTo } from '../observe/look.ts';
import { refusals } from '../plan/plan.ts';
import { objected, type Tried, tried } from '../plan/tries.ts';
import { type HostState, lookAt } from './hosts.ts';
import type { Observation } from './observation.ts';
import type { RunPorts } from './request.ts';

export async function withTries(
  ports: RunPorts,
  states: readonly HostState[],
  seen: Observation,
): Promise<Observation> {
  // What is refused already needs no further reason.
  const asked = refusals(seen.plan).length > 0 ? [] : tried(seen.plan);
  if (asked.length === 0) return seen;
  const of = (host: string): readonly Tried[] => asked.filter(({ resource }) => resource.host === host);
  await Promise.all(
    states.map(async (state) => {
      const probes = of(state.host.name).map(({ probe }) => probe);
      if (probes.length > 0) await lookAt(ports, state, probes);
    }),
  );
  const answers = states.flatMap((state) =>
    of(state.host.name).map((one) => ({ ...one, reply: answerTo(state.look, one.probe) })),
  );
  return { ...seen, plan: objected(seen.plan, answers) };
}
