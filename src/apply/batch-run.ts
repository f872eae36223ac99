/**
 * One batch on one host: its steps and the look behind them in one round trip. In: the batch and the probes. Out: what
 * was changed, and events on the way; a step that fails becomes a message that says what was done and what was not.
 */
import type { Diagnostic } from '../base/diagnostic.ts';
import { hostPreamble, question, readLook } from '../observe/look.ts';
import type { HostBatch } from '../plan/batch.ts';
import { type Plan, pending } from '../plan/plan.ts';
import type { EffectPlace } from '../resources/contract/effects.ts';
import type { Probe } from '../resources/contract/kind.ts';
import type { Reply } from '../transport/port.ts';
import { batchScript, batchSteps, type NumberedStep, stepNoise } from './batch-script.ts';
import { type Account, brokenOff, stepFailure } from './failure.ts';
import { type Changed, failure } from './failure-list.ts';
import { type HostState, remember } from './hosts.ts';
import type { RunPorts } from './request.ts';
import { watchSteps } from './step-watch.ts';

/** One change that was made. */
export type Done = Omit<Changed, 'host'>;

/** What a batch has to know besides its host. */
export interface BatchWork {
  readonly batch: HostBatch;
  /** Absent on a host without a server. */
  readonly place: EffectPlace | undefined;
  /** What is looked at behind the steps. */
  readonly probes: readonly Probe[];
  /** What stays open of it is said where a step fails. */
  readonly plan: Plan;
}

/** Steps and the look behind them in one round trip. Returns what was changed. */
export async function runBatch(
  ports: RunPorts,
  state: HostState,
  { batch, place, probes, plan }: BatchWork,
): Promise<readonly Done[]> {
  const host = state.host.name;
  const nonce = ports.nonce();
  const steps = batchSteps(batch, place);
  const asked = question(state.server, probes, nonce, false);
  const script = batchScript(hostPreamble(state.server), steps, asked.script, nonce);
  const watch = watchSteps(ports, host, steps, nonce);
  const account = (at: number) => accountOf(host, steps, plan, at);
  const began = ports.now();
  const reply = await state.session.run(script, watch).catch((error: unknown) => {
    const { running, finished } = watch.seen;
    throw brokenOff(error, running?.title, account(running?.number ?? finished));
  });
  ports.emit({ kind: 'script', host, script, status: reply.status, ms: ports.now() - began });
  const { failed, putOff } = watch.seen;
  if (failed) throw failure([failureOf(host, failed, reply, nonce, account)]);
  remember(state, readLook(probes, asked, reply));
  return doneOf(batch, putOff?.title);
}

const failureOf = (
  host: string,
  { step, status }: { readonly step: NumberedStep; readonly status: number },
  reply: Reply,
  nonce: string,
  account: (at: number) => Account,
): Diagnostic =>
  stepFailure({
    host,
    title: step.title,
    status,
    stderr: stepNoise(reply.stderr, nonce, step.number),
    ...account(step.number),
  });

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
