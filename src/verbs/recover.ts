/**
 * `pgduet recover`: behind a stop or a power cut of all servers the one runs again that was primary last and holds everything that was acknowledged, with its standbys. What
 * former primaries alone hold is told, and they stay as they are (ADR 26).
 */
import type { Outcome } from '../apply/run.ts';
import type { Cluster } from '../inventory/cluster.ts';
import type { View } from '../observe/survey.ts';
import type { Plan } from '../plan/plan.ts';
import { shippedPlaybook } from '../shipped.ts';
import { applyVerb } from './apply.ts';
import { stoppedServers } from './operating.ts';
import { proofOf } from './proof.ts';
import type { World } from './world.ts';

export function recover(world: World): Promise<number> {
  return applyVerb(world, { kind: 'recover' }, shippedPlaybook('recover'), {
    serversOnly: true,
    looksBehindYes: true,
    notes: notesOf,
    facts: ({ view, plan, left }) => ({
      stopped: stoppedServers(view),
      timeline: view.last?.lineage?.timeline ?? null,
      alone: aloneOf(view, plan.decisions.length > 0 ? plan : left),
    }),
    proof: (outcome: Outcome) => proofOf(outcome, ['controller', 'replication', 'mirroring', 'alone']),
  });
}

interface Alone {
  readonly server: string;
  readonly fork: string | null;
  readonly holds: string;
}

/** As it was seen before anything was started. */
const aloneOf = ({ last }: View, plan: Plan): readonly Alone[] =>
  (last?.formers ?? []).map(({ name, fork }) => {
    const decision = plan.decisions.find(
      ({ resource }) => resource.host === name && resource.kind.kind === 'alone',
    );
    const holds = decision?.kind === 'same' ? decision.reason : 'not proven';
    return { server: name, fork: fork ?? null, holds };
  });

/** The decision, a line for each server, and what becomes of the former primaries. */
function notesOf(view: View, cluster: Cluster, plan: Plan): readonly string[] {
  const { last, hosts, primary } = view;
  const formers = aloneOf(view, plan);
  if (!last || formers.length === 0) return [];
  const lines = cluster.servers.flatMap(({ name }) => {
    const control = hosts.get(name)?.data?.control;
    if (!control) return [];
    const { state, reached } = control;
    const former = formers.find(({ server }) => server === name);
    const place = `${state === 'shut down' ? '' : '≥ '}${reached.position}`;
    return [`  ${name}  timeline ${reached.timeline}  ${place}${former ? `  ${former.holds}` : ''}`];
  });
  const names = formers.map(({ server }) => server);
  return [
    hosts.get(primary)?.data?.running
      ? `${primary} is primary, and runs:`
      : `${primary} was primary last, and holds everything that was acknowledged:`,
    ...lines,
    `${names.join(', ')} stay${names.length === 1 ? 's' : ''} down. To make standbys of them again, which keeps what they alone hold: ${names.map((name) => `pgduet rebuild ${name}`).join('; ')}`,
    'A session, role or database that sets synchronous_commit for itself did not wait.',
  ];
}
