/**
 * A run: connect, lock, look, survey, plan, apply batch by batch, look again until the plan is empty.
 * In: a cluster, what it should be (`compile`), the outside world as ports. Out: events while it goes, an outcome at
 * the end. Must never: act on a plan that was refused, or call a run done whose last look found something to do.
 */
import { DiagnosticError, type Diagnostic, type Result } from '../base/diagnostic.ts';
import { exitCode } from '../base/exit-codes.ts';
import { codes } from '../base/codes.ts';
import type { Secret } from '../base/secret.ts';
import type { Cluster, Host } from '../inventory/cluster.ts';
import { answerTo, hostPreamble, look, question, readLook, type Look } from '../observe/look.ts';
import { preferredView, readHostView, survey, surveyProbes, type HostView, type View } from '../observe/survey.ts';
import { nextBatch, type HostBatch } from '../plan/batch.ts';
import { clockProblems, type ClockSight } from '../plan/clocks.ts';
import { isEmpty, makePlan, pending, refKey, refusals, type Plan, type Resource } from '../plan/plan.ts';
import type { EffectPlace } from '../resources/effects.ts';
import type { Probe } from '../resources/kind.ts';
import type { Session, Transport } from '../transport/port.ts';
import { batchScript, batchSteps, readMark, stepNoise, type NumberedStep } from './batch-script.ts';
import type { Emit } from './event.ts';
import { stepFailure } from './failure.ts';

/** The outside world of a run. */
export interface RunPorts {
  readonly transport: Transport;
  readonly emit: Emit;
  /** Monotonic milliseconds, for durations. */
  now(): number;
  /** Our own clock, milliseconds since 1970, to compare the hosts' clocks with. */
  clockMs(): number;
  /** Random text that no output contains. */
  nonce(): string;
  /** Aborted when the user asks to stop. */
  readonly interrupted: AbortSignal;
  /** Told of every secret that was read from a host, before anything is shown. */
  remember(secret: Secret): void;
}

export interface RunRequest {
  readonly cluster: Cluster;
  /** What every host should be, once it is known who is primary. Asks the same probes for the same roles. */
  compile(view: View): Result<readonly Resource[]>;
  /** Where reloads and restarts of a host go. */
  effectPlace(host: Host, view: View): EffectPlace;
  /** False: look and plan only, and take no lock. */
  readonly change: boolean;
  /** Change only this host; the others are looked at all the same. */
  readonly limit?: string;
  /** Asked once, after the plan was shown. */
  confirm(plan: Plan): Promise<boolean>;
  /** Who runs, for the one whom the lock keeps out. */
  readonly lockOwner: string;
}

export interface Outcome {
  /** The first plan: what there was to do. */
  readonly plan: Plan;
  readonly view: View;
  /** Summaries of what was changed, by host. */
  readonly changed: readonly { readonly host: string; readonly summary: string }[];
  /** False when the user said no. */
  readonly confirmed: boolean;
  readonly roundTrips: Readonly<Record<string, number>>;
}

interface HostState {
  readonly host: Host;
  readonly session: Session;
  look: Look;
  clock?: ClockSight;
}

/** What is known at one moment: the hosts' answers and the plan that follows from them. */
interface Sighted {
  readonly view: View;
  readonly plan: Plan;
}

/** How long another run on a host that is not the first may take to see that it has lost. */
const otherLockWaitMs = 2000;
/** The same change may be needed twice when something else undoes it once; three times is a circle. */
const repeatsAllowed = 2;

export async function run(request: RunRequest, ports: RunPorts): Promise<Outcome> {
  const started = ports.now();
  const states = await openAll(request.cluster, ports);
  // Closing the sessions ends what still runs on the hosts, so an interrupt needs nothing else.
  const stop = (): void => {
    for (const state of states) void state.session.close();
  };
  ports.interrupted.addEventListener('abort', stop);
  try {
    const first = await firstSight(request, ports, states);
    ports.emit({ kind: 'planned', plan: first.plan, view: first.view });
    const refused = [...clockProblems(states.flatMap((state) => state.clock ?? [])), ...refusals(first.plan)];
    if (refused.length > 0) throw failure(refused);
    const outcome = (changed: Outcome['changed'], confirmed: boolean): Outcome => ({
      plan: first.plan,
      view: first.view,
      changed,
      confirmed,
      roundTrips: Object.fromEntries(states.map((state) => [state.host.name, state.session.roundTrips])),
    });
    if (!request.change || isEmpty(first.plan)) return outcome([], true);
    if (!(await request.confirm(first.plan))) return outcome([], false);
    const changed = await converge(request, ports, states, first);
    const result = outcome(changed, true);
    ports.emit({ kind: 'verified', changes: changed.length, roundTrips: result.roundTrips, ms: ports.now() - started });
    return result;
  } finally {
    ports.interrupted.removeEventListener('abort', stop);
    await Promise.all(states.map((state) => state.session.close()));
  }
}

async function openAll(cluster: Cluster, ports: RunPorts): Promise<readonly HostState[]> {
  const opened = await Promise.allSettled(
    cluster.hosts.map(async (host): Promise<HostState> => {
      const began = ports.now();
      ports.emit({ kind: 'opening', host: host.name, address: host.connection === 'local' ? 'this machine' : host.address });
      const session = await ports.transport.open(host);
      ports.emit({ kind: 'opened', host: host.name, ms: ports.now() - began });
      return { host, session, look: new Map() };
    }),
  );
  const states = opened.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  const problems = opened.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []));
  if (problems.length === 0) return states;
  await Promise.all(states.map((state) => state.session.close()));
  throw merged(problems);
}

/** Several failures at once are told at once; a defect is passed on as it is. */
function merged(problems: readonly unknown[]): unknown {
  const known = problems.filter((problem) => problem instanceof DiagnosticError);
  if (known.length < problems.length) return problems.find((problem) => !(problem instanceof DiagnosticError));
  return failure(known.flatMap((problem) => problem.diagnostics));
}

/** The gravest exit status wins: refusals over failures over what could not be reached. */
function failure(diagnostics: readonly Diagnostic[]): DiagnosticError {
  const gravity = [exitCode.refused, exitCode.locked, exitCode.hostFailed, exitCode.unreachable, exitCode.inputWrong, exitCode.interrupted];
  const exits = diagnostics.map((diagnostic) => codes[diagnostic.code].exit);
  return new DiagnosticError(diagnostics, gravity.find((candidate) => exits.some((exit) => exit === candidate)) ?? exitCode.hostFailed);
}

/** One round trip: the lock and the first look travel together. A second one only if the roles are not as preferred. */
async function firstSight(request: RunRequest, ports: RunPorts, states: readonly HostState[]): Promise<Sighted> {
  const resources = compiled(request, preferredView(request.cluster));
  await Promise.all(
    states.map(async (state, index) => {
      const locked = request.change ? lock(request, ports, state, index) : Promise.resolve();
      const looked = lookAt(ports, state, probesFor(request.cluster, state.host, resources));
      // The look must not be an unhandled rejection while the lock is awaited.
      const [lockResult, lookResult] = await Promise.allSettled([locked, looked]);
      if (lockResult.status === 'rejected') throw lockResult.reason;
      if (lookResult.status === 'rejected') throw lookResult.reason;
    }),
  ).catch((error: unknown) => {
    throw interruption(ports, error, [], []);
  });
  return sight(request, ports, states);
}

async function lock(request: RunRequest, ports: RunPorts, state: HostState, index: number): Promise<void> {
  const reply = await state.session.lock({ cluster: request.cluster.name, owner: request.lockOwner, waitMs: index === 0 ? 0 : otherLockWaitMs });
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

function compiled(request: RunRequest, view: View): readonly Resource[] {
  const result = request.compile(view);
  if (!result.ok) throw new DiagnosticError(result.diagnostics, exitCode.inputWrong);
  return result.value;
}

const probesFor = (cluster: Cluster, host: Host, resources: readonly Resource[]): readonly Probe[] => [
  ...surveyProbes(cluster, host),
  ...resources.filter((resource) => resource.host === host.name).map((resource) => resource.kind.probe(resource.desired)),
];

async function lookAt(ports: RunPorts, state: HostState, probes: readonly Probe[]): Promise<void> {
  const began = ports.now();
  const clockBefore = ports.clockMs();
  state.look = await look(state.session, state.host, probes, ports.nonce());
  const ms = ports.now() - began;
  const facts = readHostView([answerTo(state.look, probes[0] ?? {}) ?? { status: 255, stdout: '', stderr: '' }]).facts;
  // The host reads its clock somewhere within the round trip.
  if (facts) state.clock = { host: state.host.name, offsetMs: facts.clockMs - clockBefore - ms / 2, errorMs: ms / 2 };
  ports.emit({ kind: 'observed', host: state.host.name, ms, probes: probes.length });
}

/** Survey, compile for the roles that were found, ask what was not asked yet, decide. */
async function sight(request: RunRequest, ports: RunPorts, states: readonly HostState[]): Promise<Sighted> {
  const { cluster } = request;
  const views = new Map(states.map((state) => [state.host.name, hostView(cluster, state, ports)]));
  const blind = states.filter((state) => views.get(state.host.name)?.data === undefined);
  if (blind.length > 0) throw failure(blind.map((state) => blindness(cluster, state)));
  const found = survey(cluster, views);
  if ('refused' in found) throw failure([found.refused]);
  const resources = compiled(request, found.view);
  await Promise.all(
    states.map(async (state) => {
      const probes = probesFor(cluster, state.host, resources);
      if (probes.some((probe) => !answerTo(state.look, probe))) await lookAt(ports, state, probes);
    }),
  );
  const byName = new Map(states.map((state) => [state.host.name, state]));
  const sights = resources.flatMap((resource) => {
    const answer = answerTo(byName.get(resource.host)?.look ?? new Map(), resource.kind.probe(resource.desired));
    return answer ? [{ resource, observed: resource.kind.read(answer, resource.desired) }] : [];
  });
  return { view: found.view, plan: makePlan(sights) };
}

function hostView(cluster: Cluster, state: HostState, ports: RunPorts): HostView {
  const replies = surveyProbes(cluster, state.host).map((probe) => answerTo(state.look, probe));
  const view = readHostView(replies.map((reply) => reply ?? { status: 255, stdout: '', stderr: '' }));
  for (const secret of [view.replicationPassword, view.clusterKey]) if (secret) ports.remember(secret);
  return view;
}

function blindness(cluster: Cluster, state: HostState): Diagnostic {
  const reply = surveyProbes(cluster, state.host).map((probe) => answerTo(state.look, probe))[1];
  return {
    code: 'HST002',
    what: `the data directory '${state.host.postgres.dataDir}' could not be looked at`,
    why: 'without it nobody can say which server is primary, so nothing is done',
    fix: 'Look at the lines below on the host; the login user must be able to read the directory (ssh.become: sudo).',
    host: state.host.name,
    evidence: (reply?.stderr ?? '').split('\n').filter((line) => line !== '').slice(-6),
  };
}

/** Batch after batch until the look at the end finds nothing to do. */
async function converge(request: RunRequest, ports: RunPorts, states: readonly HostState[], first: Sighted): Promise<Outcome['changed']> {
  const changed: { host: string; summary: string }[] = [];
  const repeats = new Map<string, number>();
  let current = first;
  for (let number = 1; !isEmpty(current.plan); number += 1) {
    const batches = nextBatch(current.plan).filter((batch) => request.limit === undefined || batch.host === request.limit);
    if (batches.length === 0) {
      if (request.limit !== undefined) return changed;
      throw failure([stuck(current.plan)]);
    }
    countRepeats(batches, repeats);
    ports.emit({ kind: 'batch', number, hosts: batches.map((batch) => ({ host: batch.host, titles: batch.items.map((item) => (item.kind === 'change' ? item.summary : item.effect.action)) })) });
    await runBatches(request, ports, states, batches, current, changed);
    current = await sight(request, ports, states);
    const refused = refusals(current.plan);
    if (refused.length > 0) throw failure(refused);
  }
  return changed;
}

function countRepeats(batches: readonly HostBatch[], repeats: Map<string, number>): void {
  for (const batch of batches) {
    for (const item of batch.items) {
      if (item.kind !== 'change') continue;
      const key = `${refKey(item.resource)}\0${item.summary}`;
      const times = (repeats.get(key) ?? 0) + 1;
      repeats.set(key, times);
      if (times > repeatsAllowed) throw failure([circle(batch.host, item.summary)]);
    }
  }
}

const circle = (host: string, summary: string): Diagnostic => ({
  code: 'HST011',
  what: `'${summary}' was done ${repeatsAllowed} times and is needed again`,
  why: 'something on the host undoes it, or it has no effect; going on would never end',
  fix: 'Look for another tool that writes the same thing on the host, then run the same command again.',
  host,
});

function stuck(plan: Plan): Diagnostic {
  return {
    code: 'HST011',
    what: 'what is left to do waits for something that nothing will do',
    why: 'the run cannot come to its end',
    fix: "Check the 'after' lines of the playbook.",
    evidence: pending(plan).map((decision) => `${decision.resource.host}: ${decision.resource.id}`),
  };
}

async function runBatches(request: RunRequest, ports: RunPorts, states: readonly HostState[], batches: readonly HostBatch[], current: Sighted, changed: { host: string; summary: string }[]): Promise<void> {
  const resources = compiled(request, current.view);
  const results = await Promise.allSettled(
    states.map(async (state) => {
      const batch = batches.find((candidate) => candidate.host === state.host.name);
      const probes = probesFor(request.cluster, state.host, resources);
      if (!batch) return lookAt(ports, state, probes);
      const done = await runBatch(ports, state, batch, request.effectPlace(state.host, current.view), probes, current.plan);
      changed.push(...done.map((summary) => ({ host: state.host.name, summary })));
    }),
  );
  const problems = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []));
  if (problems.length > 0) throw interruption(ports, merged(problems), changed, openTitles(current.plan, changed));
}

const openTitles = (plan: Plan, changed: readonly { host: string; summary: string }[]): readonly string[] =>
  pending(plan)
    .filter((decision) => decision.kind === 'deferred' || !changed.some((done) => done.host === decision.resource.host && done.summary === decision.change.summary))
    .map((decision) => `${decision.resource.host}: ${decision.kind === 'change' ? decision.change.summary : decision.resource.kind.describe(decision.resource.desired)}`);

/** An error behind an interrupt is the interrupt: the connection broke because we closed it. */
function interruption(ports: RunPorts, error: unknown, changed: readonly { host: string; summary: string }[], open: readonly string[]): unknown {
  if (!ports.interrupted.aborted) return error;
  return failure([
    {
      code: 'RUN002',
      what: 'the run was interrupted',
      why: 'you asked to stop; what ran at that moment was ended on the hosts',
      fix: 'Run the same command again: it continues where this run stopped.',
      evidence: [`already changed: ${changed.length === 0 ? 'nothing' : changed.map((done) => `${done.host}: ${done.summary}`).join('; ')}`, `not done: ${open.length === 0 ? 'nothing' : open.join('; ')}`],
    },
  ]);
}

/** Steps and the look behind them in one round trip. Returns the summaries of what was changed. */
async function runBatch(ports: RunPorts, state: HostState, batch: HostBatch, place: EffectPlace, probes: readonly Probe[], plan: Plan): Promise<readonly string[]> {
  const nonce = ports.nonce();
  const steps = batchSteps(batch, place);
  const asked = question(state.host, probes, nonce, false);
  const script = batchScript(hostPreamble(state.host), steps, asked.script, nonce);
  const began = ports.now();
  const watch = stepWatcher(ports, state.host.name, steps, nonce);
  const reply = await state.session.run(script, { onLine: watch.onLine });
  ports.emit({ kind: 'script', host: state.host.name, script, status: reply.status, ms: ports.now() - began });
  const failedStep = watch.failed();
  if (failedStep) {
    const done = steps.slice(0, failedStep.step.number).map((step) => step.title);
    const waiting = pending(plan).filter((decision) => decision.resource.host === state.host.name && decision.kind === 'deferred');
    const open = [...steps.slice(failedStep.step.number + 1).map((step) => step.title), ...waiting.map((decision) => decision.resource.kind.describe(decision.resource.desired))];
    throw failure([stepFailure({ host: state.host.name, title: failedStep.step.title, status: failedStep.status, stderr: stepNoise(reply.stderr, nonce, failedStep.step.number), done, open })]);
  }
  state.look = readLook(probes, asked, reply);
  return batch.items.flatMap((item) => (item.kind === 'change' ? [item.summary] : []));
}

/** Turns the marks and progress lines on stderr into events. */
function stepWatcher(ports: RunPorts, host: string, steps: readonly NumberedStep[], nonce: string) {
  let running: NumberedStep | undefined;
  let failedStep: { step: NumberedStep; status: number } | undefined;
  let began = ports.now();
  return {
    failed: () => failedStep,
    onLine(line: string): void {
      const mark = readMark(line, nonce);
      const step = mark ? steps[mark.number] : undefined;
      if (mark && step) {
        if (mark.state === 'begin') {
          running = step;
          began = ports.now();
          ports.emit({ kind: 'step', host, title: step.title, state: 'started', ms: 0 });
          return;
        }
        running = undefined;
        if (mark.status !== 0) failedStep = { step, status: mark.status };
        ports.emit({ kind: 'step', host, title: step.title, state: mark.status === 0 ? 'done' : 'failed', ms: ports.now() - began });
        return;
      }
      const progress = running?.progress?.(line);
      if (running && progress) ports.emit({ kind: 'progress', host, title: running.title, progress });
    },
  };
}
