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
import { type StepWatch, watchSteps } from './step-watch.ts';

/** What a batch has to know besides its host. */
export interface BatchWork {
  readonly batch: HostBatch;
  /** Absent on a host without a server. */
  readonly place: EffectPlace | undefined;
  /** What is looked at behind the steps. */
  readonly probes: readonly Probe[];
  /** What stays open of it is said where a step fails. */
  readonly plan: Plan;
  /** What the run has changed so far, on all hosts; what the batch changes is added, also where it breaks off. */
  readonly changed: Changed[];
}

/** Steps and the look behind them in one round trip. */
export async function runBatch(
  ports: RunPorts,
  state: HostState,
  { batch, place, probes, plan, changed }: BatchWork,
): Promise<void> {
  const host = state.host.name;
  const nonce = ports.nonce();
  const steps = batchSteps(batch, place);
  const asked = question(state.server, probes, nonce, false);
  const script = batchScript(hostPreamble(state.server), steps, asked.script, nonce);
  const watch = watchSteps(ports, host, steps, nonce);
  const earlier = changed.filter((done) => done.host === host).map(({ summary }) => summary);
  const account = (at: number) => accountOf(host, earlier, steps, plan, at);
  const began = ports.now();
  const reply = await state.session
    .run(script, watch)
    .catch((error: unknown) => {
      const { running, finished } = watch.seen;
      throw brokenOff(error, running?.title, account(running?.number ?? finished));
    })
    .finally(() => changed.push(...madeBy(batch, watch.seen)));
  ports.emit({ kind: 'script', host, script, status: reply.status, ms: ports.now() - began });
  const { failed } = watch.seen;
  if (failed) throw failure([failureOf(host, failed, reply, nonce, account)]);
  remember(state, readLook(probes, asked, reply));
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

/** What was changed: each change all of whose steps came to a good end. To wait for something changes nothing. */
function madeBy(batch: HostBatch, { finished, failed, putOff }: StepWatch['seen']): readonly Changed[] {
  const good = finished - (failed || putOff ? 1 : 0);
  let steps = 0;
  return batch.items.flatMap((item) => {
    steps += item.kind === 'change' ? item.steps.length : 1;
    return item.kind === 'change' && steps <= good && !item.resource.kind.waits
      ? [{ host: batch.host, resource: item.resource.id, summary: item.summary }]
      : [];
  });
}

/** What the run had done on this host when it stopped at a step, and what of the host's plan stays open. */
function accountOf(
  host: string,
  earlier: readonly string[],
  steps: readonly NumberedStep[],
  plan: Plan,
  at: number,
): Account {
  const later = pending(plan).filter(
    (decision) => decision.resource.host === host && decision.kind === 'deferred',
  );
  return {
    done: [...earlier, ...steps.slice(0, at).map((step) => step.title)],
    open: [
      ...steps.slice(at + 1).map((step) => step.title),
      ...later.map((decision) => decision.resource.kind.describe(decision.resource.desired)),
    ],
  };
}
