/**
 * One batch on one host: its steps and the look behind them in one round trip. In: the batch and the probes. Out: what
 * was changed, and events on the way; a step that fails becomes a message that says what was done and what was not.
 */
import { hostPreamble, question, readLook } from '../observe/look.ts';
import type { HostBatch } from '../plan/batch.ts';
import { type Plan, pending } from '../plan/plan.ts';
import type { EffectPlace } from '../resources/contract/effects.ts';
import { outdated, type Probe } from '../resources/contract/kind.ts';
import {
  batchScript,
  batchSteps,
  type NumberedStep,
  readMark,
  type StepMark,
  stepNoise,
} from './batch-script.ts';
import { brokenOff, stepFailure } from './failure.ts';
import { type Changed, failure } from './failure-list.ts';
import { type HostState, remember } from './hosts.ts';
import type { RunPorts } from './request.ts';

/** One change that was made. */
export type Done = Omit<Changed, 'host'>;

/** Steps and the look behind them in one round trip. Returns what was changed. */
export async function runBatch(
  ports: RunPorts,
  state: HostState,
  batch: HostBatch,
  place: EffectPlace | undefined,
  probes: readonly Probe[],
  plan: Plan,
): Promise<readonly Done[]> {
  const nonce = ports.nonce();
  const steps = batchSteps(batch, place);
  const asked = question(state.server, probes, nonce, false);
  const script = batchScript(hostPreamble(state.server), steps, asked.script, nonce);
  const began = ports.now();
  const watch = stepWatcher(ports, state.host.name, steps, nonce);
  const account = (at: number) => accountOf(state.host.name, steps, plan, at);
  const reply = await state.session.run(script, { onLine: watch.onLine }).catch((error: unknown) => {
    const at = watch.running()?.number ?? watch.finished();
    throw brokenOff(error, watch.running()?.title, account(at));
  });
  ports.emit({
    kind: 'script',
    host: state.host.name,
    script,
    status: reply.status,
    ms: ports.now() - began,
  });
  const failedStep = watch.failed();
  if (failedStep) {
    throw failure([
      stepFailure({
        host: state.host.name,
        title: failedStep.step.title,
        status: failedStep.status,
        stderr: stepNoise(reply.stderr, nonce, failedStep.step.number),
        ...account(failedStep.step.number),
      }),
    ]);
  }
  remember(state, readLook(probes, asked, reply));
  return doneOf(batch, watch.outdated()?.title);
}

/** What was changed: everything in front of a step that was put off. To wait for something changes nothing. */
function doneOf(batch: HostBatch, putOff: string | undefined): readonly Done[] {
  const end = batch.items.findIndex(
    (item) => item.kind === 'change' && item.steps.some((step) => step.title === putOff),
  );
  const items = end < 0 ? batch.items : batch.items.slice(0, end);
  return items.flatMap((item) =>
    item.kind === 'change' && !item.resource.kind.waits
      ? [{ resource: item.resource.id, summary: item.summary }]
      : [],
  );
}

/** What this batch had done when it stopped at a step, and what of the host's plan stays open. */
function accountOf(host: string, steps: readonly NumberedStep[], plan: Plan, at: number) {
  const later = pending(plan).filter(
    (decision) => decision.resource.host === host && decision.kind === 'deferred',
  );
  return {
    done: steps.slice(0, at).map((step) => step.title),
    open: [
      ...steps.slice(at + 1).map((step) => step.title),
      ...later.map((decision) => decision.resource.kind.describe(decision.resource.desired)),
    ],
  };
}

/** Turns the marks and progress lines on stderr into events. */
function stepWatcher(ports: RunPorts, host: string, steps: readonly NumberedStep[], nonce: string) {
  let running: NumberedStep | undefined;
  let failedStep: { step: NumberedStep; status: number } | undefined;
  let putOff: NumberedStep | undefined;
  let finished = 0;
  let began = ports.now();
  const tell = (step: NumberedStep, state: 'started' | 'done' | 'failed'): void =>
    ports.emit({ kind: 'step', host, title: step.title, state, ms: ports.now() - began });
  const onMark = (mark: StepMark, step: NumberedStep): void => {
    if (mark.state === 'begin') {
      running = step;
      began = ports.now();
      tell(step, 'started');
      return;
    }
    running = undefined;
    finished += 1;
    if (mark.status === outdated) {
      putOff = step;
      tell({ ...step, title: `${step.title}: put off, the controller is at work` }, 'done');
      return;
    }
    if (mark.status !== 0) failedStep = { step, status: mark.status };
    tell(step, mark.status === 0 ? 'done' : 'failed');
  };
  const onOutput = (line: string): void => {
    const progress = running?.progress?.(line);
    if (running && progress) ports.emit({ kind: 'progress', host, title: running.title, progress });
  };
  return {
    failed: () => failedStep,
    outdated: () => putOff,
    running: () => running,
    /** How many steps have ended. */
    finished: () => finished,
    onLine(line: string): void {
      const mark = readMark(line, nonce);
      const step = mark ? steps[mark.number] : undefined;
      if (mark && step) onMark(mark, step);
      else onOutput(line);
    },
  };
}
