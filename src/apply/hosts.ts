/**
 * The hosts of a run: a session each, the lock, and looks. In: the cluster and the ports. Out: HostStates that remember
 * what their host answered. Changes nothing on a host but the lock.
 */
import { type Cluster, type Host, type Server, serverOn, shownAddress } from '../inventory/cluster.ts';
import { factsProbe, readFacts } from '../observe/facts.ts';
import { answerTo, type Look, look } from '../observe/look.ts';
import { roleProbe, surveyProbes } from '../observe/survey.ts';
import type { ClockObservation } from '../plan/clocks.ts';
import type { Resource } from '../plan/plan.ts';
import type { Probe } from '../resources/contract/kind.ts';
import type { Session } from '../transport/port.ts';
import { failure, interruption, isUnreachable, merged } from './failure-list.ts';
import type { RunPorts, RunRequest } from './request.ts';

export interface HostState {
  readonly host: Host;
  /** What runs on it; a host may carry no server. */
  readonly server: Server | undefined;
  readonly session: Session;
  /** The latest answer to everything that was asked of the host in this run. */
  look: Look;
  clock?: ClockObservation;
}

/** How long another run on a host that is not the first may take to see that it has lost. */
const otherLockWaitMs = 2000;

/** The hosts that were opened, and why others could not be reached: whoever is in maintenance may be away. */
export interface Opened {
  readonly states: readonly HostState[];
  readonly away: ReadonlyMap<string, unknown>;
}

export async function openAll(request: RunRequest, ports: RunPorts): Promise<Opened> {
  const { hosts } = request.cluster;
  const opening = hosts.map((host) => openHost(request.cluster, host, ports));
  const opened = await orAborted(Promise.allSettled(opening), ports.interrupted);
  if (opened === undefined || ports.interrupted.aborted) {
    // A host that does not answer is not waited for; what still opens is closed when it has.
    for (const each of opening) each.then(({ session }) => session.close()).catch(() => undefined);
    throw interruption(ports.interrupted.aborted, undefined, [], []);
  }
  const states = opened.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  const failed = opened.flatMap((result, index) => {
    const reason: unknown = result.status === 'rejected' ? result.reason : undefined;
    const name = hosts[index]?.name ?? '';
    const mayGo = request.leaveOutUnreachable?.(name) === true;
    return result.status === 'fulfilled' || (mayGo && isUnreachable(reason)) ? [] : [[name, reason] as const];
  });
  const isHopeless = failed.some(([, reason]) => !isUnreachable(reason)) || states.length === 0;
  if (failed.length === 0 || !isHopeless) return { states, away: new Map(failed) };
  await Promise.all(states.map((state) => state.session.close()));
  throw merged(failed.map(([, reason]) => reason));
}

export async function openHost(cluster: Cluster, host: Host, ports: RunPorts): Promise<HostState> {
  const began = ports.now();
  ports.emit({
    kind: 'opening',
    host: host.name,
    address: shownAddress(host),
  });
  const session = await ports.transport.open(host);
  ports.emit({ kind: 'opened', host: host.name, ms: ports.now() - began });
  return { host, server: serverOn(cluster, host.name), session, look: new Map() };
}

/** Undefined where the signal came first. Nothing is left on the signal: a long run asks it many times. */
export async function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  let end: () => void = () => undefined;
  const aborted = new Promise<undefined>((resolve) => {
    end = () => resolve(undefined);
    if (signal.aborted) end();
    else signal.addEventListener('abort', end, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', end);
  }
}

/** The first host decides who may run: of two runs at once exactly one gets it, and the other one lets go of the rest. */
export async function lock(
  request: RunRequest,
  ports: RunPorts,
  state: HostState,
  index: number,
): Promise<void> {
  const reply = await state.session.lock({
    // Two servers of one machine have a lock each.
    cluster: `${request.cluster.name}.${state.host.name}`,
    owner: request.lockOwner,
    waitMs: index === 0 ? 0 : otherLockWaitMs,
  });
  ports.emit({ kind: 'locked', host: state.host.name, reply });
  if (reply.held) return;
  throw failure([
    {
      code: 'RUN001',
      what: `another run holds the lock on cluster '${request.cluster.name}'`,
      why: 'two runs at once could undo each other',
      fix: 'Wait until it has ended, then run the same command again. The lock goes away with the process that holds it.',
      host: state.host.name,
      evidence: [`held by: ${reply.owner}`],
    },
  ]);
}

/** Hosts by machine: two servers of one machine share files such as /etc/services, so they are worked on in turn. */
export function byMachine(states: readonly HostState[]): readonly (readonly HostState[])[] {
  const machines = new Map<string, HostState[]>();
  for (const state of states) {
    const { machine } = state.host;
    machines.set(machine, [...(machines.get(machine) ?? []), state]);
  }
  return [...machines.values()];
}

const probesOf = (host: Host, resources: readonly Resource[]): readonly Probe[] =>
  resources
    .filter((resource) => resource.host === host.name)
    .map((resource) => resource.kind.probe(resource.desired));

/** What the survey and these resources ask of a host. */
export const probesFor = (cluster: Cluster, host: Host, resources: readonly Resource[]): readonly Probe[] => [
  ...Object.values(surveyProbes(cluster, serverOn(cluster, host.name))),
  ...probesOf(host, resources),
];

/** What is asked between two batches: roles and what is open; the rest of the survey stays as it was seen. */
export const probesBetween = ({ host, server }: HostState, open: readonly Resource[]): readonly Probe[] => [
  ...(server ? [roleProbe(server)] : []),
  ...probesOf(host, open),
];

/** Asks, and keeps the answers beside those that are known already. */
export async function lookAt(ports: RunPorts, state: HostState, probes: readonly Probe[]): Promise<void> {
  const began = ports.now();
  const clockBefore = ports.clockMs();
  const answers = await look(state.session, state.server, probes, ports.nonce());
  remember(state, answers);
  const ms = ports.now() - began;
  const reply = answerTo(answers, factsProbe);
  const facts = reply && readFacts(reply);
  // The host reads its clock somewhere within the round trip.
  if (facts)
    state.clock = { host: state.host.name, offsetMs: facts.clockMs - clockBefore - ms / 2, errorMs: ms / 2 };
  ports.emit({ kind: 'observed', host: state.host.name, ms, probes: probes.length });
}

/** New answers take the place of old ones; what was not asked again stays as it was seen. */
export function remember(state: HostState, seen: Look): void {
  state.look = new Map([...state.look, ...seen]);
}
