/**
 * A request of mc_ctl that takes as long as it takes: switch, detach, stop, start. In: the request. Out: the controller's
 * answer. Ctrl-C ends only the waiting: what was asked for goes on in the controller, and the user is told so.
 */
import { userInfo } from 'node:os';
import { exitCode } from '../base/exit-codes.ts';
import type { ControlRequest } from './core/event.ts';
import { notAnswering, type Target } from './ctl-target.ts';
import { type CallResult, callController, type Reply } from './io/control-socket.ts';
import { whyDown } from './io/unmade.ts';

/** Names this process to whoever asks for something else meanwhile. `limitMs` 0: no limit. */
export async function askController(
  target: Target,
  request: ControlRequest,
  limitMs: number,
): Promise<CallResult> {
  const by = { pid: process.pid, user: userInfo().username, server: target.id };
  const interrupted = (): void => {
    const end = request.kind === 'switch' ? `. To end it: mc_ctl switch --abort -M ${target.dir}` : '';
    process.stderr.write(
      `mc_ctl: no longer waiting; the ${words[request.kind]} goes on in the controller of ${target.id}. See: mc_ctl status -M ${target.dir}${end}\n`,
    );
    process.exit(exitCode.interrupted);
  };
  process.on('SIGINT', interrupted);
  try {
    return await callController(target.id, { ...request, by }, limitMs);
  } finally {
    process.off('SIGINT', interrupted);
  }
}

const words: Readonly<Record<ControlRequest['kind'], string>> = {
  start: 'start',
  'wait-started': 'start',
  stop: 'stop',
  switch: 'switch',
  'abort-switch': 'end of the switch',
  detach: 'detach',
  attach: 'end of the detach',
  'maintenance-begin': 'begin of the maintenance',
  'maintenance-end': 'end of the maintenance',
  'set-failover': 'change',
};

/** The exit status of an answer: done, failed, or refused because something else is under way. */
export function exitOf({ ok, code }: Reply): number {
  if (ok) return exitCode.done;
  return code === 'busy' ? exitCode.locked : exitCode.hostFailed;
}

/** Asks, shows the answer, and returns the exit status. */
export async function act(target: Target, request: ControlRequest, limitMs = 0): Promise<number> {
  const result = await askController(target, request, limitMs);
  if (result.kind !== 'reply') {
    process.stderr.write(notAnswering(result, target, whyDown(target.dir, target.id)));
    return exitCode.hostFailed;
  }
  const { ok, text, code } = result.reply;
  if (ok) process.stdout.write(`${text}\n`);
  else
    process.stderr.write(code === 'busy' ? `mc_ctl: ${text}\n` : `mc_ctl: ${request.kind} failed: ${text}\n`);
  return exitOf(result.reply);
}
