/**
 * `pgduet recover`: behind a stop or a power cut of all servers the one runs again that was primary last and holds everything that was acknowledged, with its standbys. What
 * former primaries alone hold is told, and they stay as they are (ADR 26).
 */
import type { Outcome } from '../apply/run.ts';
import type { Intent } from '../intent/intent.ts';
import type { Cluster } from '../inventory/cluster.ts';
import type { Former, LastPrimary } from '../observe/former.ts';
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
    facts: ({ view, plan, left, intent }) => ({
      stopped: stoppedServers(view),
      timeline: view.last?.lineage?.timeline ?? null,
      heirs: heirsOf(intent),
      alone: aloneOf(view, plan, left),
    }),
    proof: (outcome: Outcome) =>
      `${endedWords(outcome)}${proofOf(outcome, ['controller', 'replication', 'mirroring', 'alone'])}`,
  });
}

/** Of which one gets the role that was on its way, as it was decided before anything was started. */
const heirsOf = (intent: Intent): readonly string[] =>
  intent.kind === 'recover' ? Object.keys(intent.decided?.heirs ?? {}) : [];

/** Whom the controllers have given the role that was on its way, and who is out since. */
function endedWords({ intent, plan, view: { primary, hosts, last } }: Outcome): string {
  if (heirsOf(intent).length === 0 || !hosts.get(primary)?.data?.running) return '';
  const leads = `${primary} is primary: its timeline, its data and its position go on from what was seen before.`;
  return [leads, ...staying(last?.formers ?? [], isStarted(plan)), ''].join('\n');
}

interface Alone {
  readonly server: string;
  readonly fork: string | null;
  readonly holds: string;
}

/** As it was seen before anything was started; of one that was out only behind that, as it was seen then. */
const aloneOf = ({ last }: View, ...plans: readonly Plan[]): readonly Alone[] =>
  (last?.formers ?? []).map(({ name, fork }) => {
    const decision = plans
      .flatMap(({ decisions }) => decisions)
      .find(({ resource }) => resource.host === name && resource.kind.kind === 'alone');
    const holds = decision?.kind === 'same' ? decision.reason : 'not proven';
    return { server: name, fork: fork ?? null, holds };
  });

/** The decision, a line for each server, and what becomes of the former primaries. */
function notesOf(view: View, cluster: Cluster, plan: Plan): readonly string[] {
  const { last, hosts } = view;
  const formers = aloneOf(view, plan);
  if (!last || formers.length + last.heirs.length === 0) return [];
  const lines = cluster.servers.flatMap(({ name }) => {
    const control = hosts.get(name)?.data?.control;
    if (!control) return [];
    const { state, reached } = control;
    const former = formers.find(({ server }) => server === name);
    const place = `${state === 'shut down' ? '' : '≥ '}${reached.position}`;
    return [`  ${name}  timeline ${reached.timeline}  ${place}${former ? `  ${former.holds}` : ''}`];
  });
  // What is refused is not said to be so, and nobody is sent to a rebuild.
  if (plan.decisions.some(({ kind, resource }) => kind === 'refused' && resource.kind.kind === 'alone'))
    return [
      `${view.primary} comes behind all others, and is not proven to hold everything that was acknowledged:`,
      ...lines,
    ];
  return [headline(view, last), ...lines, ...staying(last.formers, isStarted(plan))];
}

/** The command starts its controller, or sees that it runs. */
const isStarted =
  ({ decisions }: Plan) =>
  (name: string): boolean =>
    decisions.some(
      ({ resource: { host, kind } }) => host === name && ['controller', 'settlement'].includes(kind.kind),
    );

function headline({ hosts, primary }: View, { heirs }: LastPrimary): string {
  if (hosts.get(primary)?.data?.running) return `${primary} is primary, and runs:`;
  return heirs.length > 0
    ? `${primary} was primary last, and its role was on its way: ${heirs.join(' or ')} becomes primary, as the controllers decide:`
    : `${primary} was primary last, and holds everything that was acknowledged:`;
}

/** What becomes of the former primaries; `starts`: the command starts this server. */
export function staying(formers: readonly Former[], starts: (name: string) => boolean): readonly string[] {
  const names = (those: readonly Former[]) => those.map(({ name }) => name);
  const gave = formers.filter(({ joins }) => joins);
  const joining = names(gave.filter(({ name }) => starts(name)));
  const waiting = names(gave.filter(({ name }) => !starts(name)));
  const stay = names(formers.filter(({ joins }) => !joins));
  const down = (those: readonly string[]) => `${those.join(', ')} stay${those.length === 1 ? 's' : ''} down.`;
  const each = (verb: string, those: readonly string[]) =>
    those.map((name) => `pgduet ${verb} ${name}`).join('; ');
  return [
    ...(joining.length > 0 ? [`${joining.join(', ')} had given the role away, and becomes a standby.`] : []),
    ...(waiting.length > 0
      ? [
          `${down(waiting)} Nothing was kept when the role was given away, so that a start makes a standby of each, once the primary runs: ${each('start', waiting)}`,
        ]
      : []),
    ...(stay.length > 0
      ? [
          `${down(stay)} To make ${stay.length === 1 ? 'it a standby again, which keeps what it alone holds' : 'them standbys again, which keeps what they alone hold'}: ${each('rebuild', stay)}`,
        ]
      : []),
    ...(formers.length > 0
      ? ['A session, role or database that sets synchronous_commit for itself did not wait.']
      : []),
  ];
}
