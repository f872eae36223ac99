/**
 * Batch after batch until there is nothing to do: run the steps, look, plan again; at the end look at everything once
 * more. In: the first observation. Out: what was changed. Must never call a run done whose last look found something to do.
 */
import type { Diagnostic } from '../base/diagnostic.ts';
import type { Intent } from '../intent/intent.ts';
import type { View } from '../observe/survey.ts';
import { type BatchItem, type HostBatch, nextBatch } from '../plan/batch.ts';
import {
  isEmpty,
  type Plan,
  pending,
  postponed,
  type Resource,
  refusals,
  troubles,
  worthAnotherLook,
} from '../plan/plan.ts';
import type { Probe } from '../resources/contract/kind.ts';
import { runBatch } from './batch-run.ts';
import { type Changed, failure, interruption, merged } from './failure-list.ts';
import { byMachine, type HostState, lookAt, probesBetween, probesFor } from './hosts.ts';
import { type Observation, observation } from './observation.ts';
import { countRepeats } from './repeats.ts';
import type { RunPorts, RunRequest } from './request.ts';

export interface Converged {
  /** As the roles were observed last. */
  readonly view: View;
  readonly intent: Intent;
  readonly changed: readonly Changed[];
  /** Empty, unless the run was limited to one host, or the cluster is degraded and only a person can change that. */
  readonly left: Plan;
}

/** Batch after batch until the look at the end finds nothing to do. `before`: what this run has changed by now. */
export async function converge(
  request: RunRequest,
  ports: RunPorts,
  states: readonly HostState[],
  first: Observation,
  before: readonly Changed[] = [],
): Promise<Converged> {
  const run: Run = { changed: [...before], current: first };
  try {
    return await untilDone(request, ports, states, run);
  } catch (error) {
    const { changed, current } = run;
    throw interruption(ports.interrupted.aborted, error, changed, openTitles(current.plan, changed));
  }
}

/** How far a run has come. */
interface Run {
  readonly changed: Changed[];
  current: Observation;
}

async function untilDone(
  request: RunRequest,
  ports: RunPorts,
  states: readonly HostState[],
  run: Run,
): Promise<Converged> {
  const { changed } = run;
  const repeats = new Map<string, number>();
  for (let number = 1; ; number += 1) {
    if (isAtEnd(run.current)) {
      run.current = await lookAtEverything(request, ports, states, run.current);
      if (isAtEnd(run.current)) return ended(run.current, changed);
    }
    const { current } = run;
    const batches = nextBatch(current.plan, current.view.primary).filter(
      (batch) => request.limit === undefined || batch.host === request.limit,
    );
    if (batches.length === 0) {
      if (request.limit !== undefined) return ended(current, changed);
      throw failure([stuck(current.plan)]);
    }
    countRepeats(batches, repeats);
    ports.emit({
      kind: 'batch',
      number,
      hosts: batches.map((batch) => ({
        host: batch.host,
        titles: batch.items.map((item) => (item.kind === 'change' ? item.summary : item.effect.action)),
      })),
    });
    const end = endOf(current.plan, batches);
    await runBatches(request, ports, states, { batches, end, current, changed });
    run.current =
      end === 'changes'
        ? await lookAtEverything(request, ports, states, current)
        : await observation(request, ports, states, current.intent);
    const { plan } = run.current;
    const refused = refusals(plan);
    if (refused.length > 0) throw failure(refused);
    if (end !== 'open' && isEmpty(plan)) return ended(run.current, changed);
  }
}

const ended = ({ view, intent, plan }: Observation, changed: readonly Changed[]): Converged => ({
  changed,
  left: plan,
  view,
  intent,
});

/** Everything is right, or what is not is up to the controller or a person, or to a restart that is not allowed now. */
export const isAtEnd = ({ plan, view }: Observation): boolean =>
  isEmpty(plan) ||
  (troubles(plan).length + postponed(plan).length > 0 && nextBatch(plan, view.primary).length === 0);

/**
 * How the run stands after these batches. waits: nothing is changed any more, so the look behind the steps is the proof.
 * changes: all that is known to be open is done by them, or the roles are other ones now, so everything is looked at at
 * once. open: something is decided later.
 */
type End = 'waits' | 'changes' | 'open';

function endOf(plan: Plan, batches: readonly HostBatch[]): End {
  const items = batches.flatMap((batch) => batch.items);
  const changes = changedBy(batches);
  if (changes.some((resource) => resource.kind.movesRoles)) return 'changes';
  if (changes.length < pending(plan).length) return 'open';
  return items.length === changes.length && changes.every((resource) => resource.kind.waits)
    ? 'waits'
    : 'changes';
}

const changedBy = (batches: readonly HostBatch[]): readonly Resource[] =>
  batches.flatMap(({ items }) => items.flatMap((item) => (item.kind === 'change' ? [item.resource] : [])));

/** The verification at the end: everything is asked again, and earlier answers are discarded. */
async function lookAtEverything(
  request: RunRequest,
  ports: RunPorts,
  states: readonly HostState[],
  current: Observation,
): Promise<Observation> {
  await Promise.all(
    states.map((state) => lookAt(ports, state, probesFor(request.cluster, state.host, current.resources))),
  );
  return observation(request, ports, states, current.intent);
}

function stuck(plan: Plan): Diagnostic {
  return {
    code: 'HST011',
    what: 'what is left to do waits for something that nothing will do',
    why: 'the run cannot come to its end',
    fix: "Check the 'after' lines of the playbook.",
    evidence: pending(plan).map((decision) => `${decision.resource.host}: ${decision.resource.id}`),
  };
}

interface Round {
  readonly batches: readonly HostBatch[];
  readonly end: End;
  readonly current: Observation;
  readonly changed: Changed[];
}

async function runBatches(
  request: RunRequest,
  ports: RunPorts,
  states: readonly HostState[],
  { batches, end, current, changed }: Round,
): Promise<void> {
  const restarts = batches.filter(({ items }) => items.some(isRestart)).map(({ host }) => host);
  const behind = (state: HostState) => probesBehind(request, state, { batches, end, current });
  const lookAgain = async (state: HostState): Promise<void> => {
    const probes = behind(state);
    if (probes.length > 0) await lookAt(ports, state, probes);
  };
  const work = async (state: HostState): Promise<void> => {
    const batch = batches.find((candidate) => candidate.host === state.host.name);
    const probes = behind(state);
    if (!batch) return restarts.length > 0 ? undefined : lookAgain(state);
    const place = state.server && request.effectPlace(state.server, current.view);
    await runBatch(ports, state, { batch, place, probes, plan: current.plan, changed });
  };
  const results = await Promise.allSettled(
    byMachine(states).map(async (machine) => {
      for (const state of machine) await work(state);
    }),
  );
  const problems = results.flatMap((result) =>
    result.status === 'rejected' ? [result.reason as unknown] : [],
  );
  if (problems.length > 0) throw merged(problems);
  // While a server or its controller restarts, the controllers change the files of the others: what was seen of them is old.
  if (restarts.length > 0)
    await Promise.all(states.filter(({ host }) => !restarts.includes(host.name)).map(lookAgain));
}

const isRestart = (item: BatchItem): boolean => item.kind === 'effect' && item.effect.action === 'restart';

/** What is looked at when the steps of a batch are done. */
function probesBehind(
  request: RunRequest,
  state: HostState,
  { batches, end, current }: Omit<Round, 'changed'>,
): readonly Probe[] {
  switch (end) {
    case 'waits':
      return probesFor(request.cluster, state.host, current.resources);
    case 'changes':
      return [];
    case 'open':
      return probesBetween(state, worthAnotherLook(current.plan, changedBy(batches)));
  }
}

const openTitles = (plan: Plan, changed: readonly Changed[]): readonly string[] =>
  pending(plan)
    .filter(
      (decision) =>
        decision.kind === 'deferred' ||
        !changed.some(
          (done) => done.host === decision.resource.host && done.summary === decision.change.summary,
        ),
    )
    .map(
      (decision) =>
        `${decision.resource.host}: ${decision.kind === 'change' ? decision.change.summary : decision.resource.kind.describe(decision.resource.desired)}`,
    );
