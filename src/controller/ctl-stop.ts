/**
 * mc_ctl stop: asks the controller to stop its instance and itself, or all servers. In: what the user wants. Out: exit
 * status. With -e a controller that does not answer is ended by force, after its instance was asked to stop.
 */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { exitCode } from '../base/exit-codes.ts';
import { askController, exitOf } from './ctl-ask.ts';
import { notAnswering, type Target } from './ctl-target.ts';
import { loadConfiguration } from './io/configuration.ts';
import { callController } from './io/control-socket.ts';
import { errorText } from './io/files.ts';
import { Instance } from './io/instance.ts';
import { lockHolder } from './io/lock.ts';
import { sendSignal } from './io/processes.ts';
import { whyDown } from './io/unmade.ts';

export interface StopOptions {
  readonly all: boolean;
  readonly force: boolean;
  readonly mcOnly: boolean;
}

/** A controller that cannot even tell its status in this time is hung. */
const aliveWithinMs = 2000;

/** Fast and immediate shutdown have 10 s each; then the controller is not waited for any longer. */
const forcedWithinMs = 25_000;

export async function stopController(target: Target, options: StopOptions): Promise<number> {
  if (options.force) {
    const alive = await callController(target.id, { kind: 'status' }, aliveWithinMs);
    if (alive.kind !== 'reply' && lockHolder(target.dir, target.id)) return endByForce(target, options);
  }
  const limit = options.force ? forcedWithinMs : 0;
  const result = await askController(target, { kind: 'stop', ...options }, limit);
  if (result.kind === 'reply') {
    if (!result.reply.ok) process.stderr.write(`mc_ctl: ${result.reply.text}\n`);
    if (result.reply.ok || options.force) await untilGone(target);
    return exitOf(result.reply);
  }
  if (options.force && lockHolder(target.dir, target.id)) return endByForce(target, options);
  process.stderr.write(notAnswering(result, target, whyDown(target.dir, target.id)));
  return exitCode.hostFailed;
}

/** The answer comes just before the end; afterwards a new start must find nothing in its way. */
async function untilGone({ dir, id }: Target): Promise<void> {
  for (let waited = 0; waited < 5000 && lockHolder(dir, id); waited += 10) await sleep(10);
}

async function endByForce(target: Target, { mcOnly }: StopOptions): Promise<number> {
  const holder = lockHolder(target.dir, target.id);
  const { conf } = loadConfiguration(target.dir, target.id);
  const log = join(target.dir, `${target.id}.startup.log`);
  const failure = mcOnly ? null : await new Instance(conf.dbInstance, log).stop('forced').catch(errorText);
  const sent = holder ? sendSignal(holder.pid, 'SIGKILL') : 'gone';
  if (sent instanceof Error) {
    process.stderr.write(`mc_ctl: the controller of ${target.id} cannot be ended: ${sent.message}\n`);
    return exitCode.hostFailed;
  }
  await untilGone(target);
  process.stderr.write(`mc_ctl: the controller of ${target.id} did not answer and was ended by force\n`);
  if (failure === null) return exitCode.done;
  process.stderr.write(`mc_ctl: its instance did not stop: ${failure}\n`);
  return exitCode.hostFailed;
}
