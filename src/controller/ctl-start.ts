/**
 * mc_ctl start: makes a controller when there is none, and lets it start the instance. In: what the user wants. Out: exit status. Where
 * a unit of systemd starts the controller, it is asked; a controller beside its unit is made only for who says so.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { exitCode } from '../base/exit-codes.ts';
import { isRunning } from './core/start-request.ts';
import { askController, exitOf } from './ctl-ask.ts';
import type { Target } from './ctl-target.ts';
import { loadConfiguration } from './io/configuration.ts';
import { callController } from './io/control-socket.ts';
import { runProgram } from './io/processes.ts';
import { unitFor } from './io/unit.ts';
import { launchDaemon } from './launch.ts';

export interface StartOptions {
  readonly mcOnly: boolean;
  readonly wait: boolean;
  readonly failover: boolean | null;
  /** Also an instance of a server that is in maintenance. */
  readonly forced: boolean;
  /** Beside its unit, where there is one. */
  readonly withoutUnit: boolean;
}

const aliveWithinMs = 3000;
const reminderMs = 2000;

export async function startController(
  target: Target,
  options: StartOptions,
  bundle: string,
): Promise<number> {
  // Every mistake of the files is shown here, on the terminal, and not only in the log of the daemon.
  loadConfiguration(target.dir, target.id);
  const there = await callController(target.id, { kind: 'status' }, aliveWithinMs);
  if (there.kind === 'no-answer') {
    process.stderr.write(
      `mc_ctl: a controller of ${target.id} runs, but does not answer; mc_ctl stop -e ends it\n`,
    );
    return exitCode.hostFailed;
  }
  if (there.kind === 'reply') return useRunning(target, options, there.reply.status?.controller_pid);
  const unit = options.withoutUnit ? undefined : unitFor(target);
  const failure = unit ? await throughUnit(target, options, unit) : await launch(target, options, bundle);
  if (failure !== null) {
    process.stderr.write(failure);
    return exitCode.hostFailed;
  }
  if (options.forced) return waitUntilRunning(target, { kind: 'start', force: true });
  if (options.mcOnly || !options.wait) return exitCode.done;
  return waitUntilRunning(target, { kind: 'wait-started' });
}

/** Systemd starts it as at boot: what is said here besides is told to the controller behind that. */
async function throughUnit(
  target: Target,
  { mcOnly, failover }: StartOptions,
  unit: string,
): Promise<string | null> {
  const beside = `beside its unit, unwatched: the same with --without-unit; pgduet provision takes it back`;
  if (mcOnly)
    return `mc_ctl: ${unit} starts the controller of ${target.id} with its instance; --mc-only is possible only ${beside}\n`;
  const refused = await startUnit(unit);
  if (refused !== null)
    return `mc_ctl: ${unit} starts the controller of ${target.id}, and did not start now: ${refused}. As root: systemctl start ${unit}\n(${beside})\n`;
  const there = await callController(target.id, { kind: 'status' }, aliveWithinMs);
  if (there.kind !== 'reply')
    return `mc_ctl: ${unit} has not started the controller of ${target.id}; why says: systemctl status ${unit}\n`;
  if (failover !== null)
    await callController(target.id, { kind: 'set-failover', enabled: failover }, aliveWithinMs);
  return null;
}

/** Null, or why systemd did not start it: mostly since nobody has given the administrator the right. */
async function startUnit(unit: string): Promise<string | null> {
  try {
    await runProgram('systemctl', ['--no-ask-password', 'start', unit], { timeout: 330_000 });
    return null;
  } catch (error) {
    const said = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : '';
    return said.split('\n')[0] || (error instanceof Error ? error.message : String(error));
  }
}

/** There is a controller already: only an instance that does not run is left to start. */
async function useRunning(target: Target, options: StartOptions, pid: number | undefined): Promise<number> {
  const status = await callController(target.id, { kind: 'status' }, aliveWithinMs);
  const row =
    status.kind === 'reply'
      ? status.reply.status?.servers.find((it) => it.server_id === target.id)
      : undefined;
  const away = ['stopped', 'down', 'held', 'waiting'].includes(row?.instance ?? '');
  // Forced, it may be one that runs as primary in maintenance, and is to lead.
  if (options.mcOnly || (!away && !options.forced)) {
    process.stderr.write(
      `mc_ctl: the controller of ${target.id} is already running (process ${pid}${unitOf(pid)})\n`,
    );
    return exitCode.hostFailed;
  }
  if (options.failover !== null) {
    await callController(target.id, { kind: 'set-failover', enabled: options.failover }, aliveWithinMs);
  }
  if (options.wait || options.forced)
    return waitUntilRunning(target, { kind: 'start', ...(options.forced ? { force: true } : {}) });
  // Without waiting the request is only handed over; its answer would come when the instance runs.
  void callController(target.id, { kind: 'start' }, 200);
  await sleep(100);
  return exitCode.done;
}

/** ", unit X" when systemd started that process. */
function unitOf(pid: number | undefined): string {
  try {
    const unit = /([^/\n]+\.service)/.exec(readFileSync(`/proc/${pid}/cgroup`, 'utf8'))?.[1];
    return unit?.startsWith('mcoi') ? `, unit ${unit}: use systemctl` : '';
  } catch (error) {
    return error instanceof Error ? '' : String(error);
  }
}

function launch({ dir, id }: Target, options: StartOptions, bundle: string): Promise<string | null> {
  const flags = [
    ...(options.mcOnly ? ['--mc-only'] : []),
    ...(options.failover === null ? [] : [options.failover ? '-f' : '-F']),
  ];
  return launchDaemon({
    words: [bundle, 'daemon', '-M', dir, '--local-server', id, ...flags],
    logFile: join(dir, `${id}.log`),
    command: 'mc_ctl',
    what: `the controller of ${id}`,
    answers: async () => (await callController(id, { kind: 'status' }, aliveWithinMs)).kind === 'reply',
  });
}

async function waitUntilRunning(
  target: Target,
  request: { readonly kind: 'start'; readonly force?: boolean } | { readonly kind: 'wait-started' },
): Promise<number> {
  const reminder = setTimeout(() => void remind(target), reminderMs);
  const result = await askController(target, request, 0);
  clearTimeout(reminder);
  if (result.kind === 'reply' && result.reply.ok) {
    if (result.reply.text !== isRunning) process.stdout.write(`${result.reply.text}\n`);
    return exitCode.done;
  }
  if (result.kind === 'reply' && result.reply.code === 'busy') {
    process.stderr.write(`mc_ctl: ${result.reply.text}\n`);
    return exitOf(result.reply);
  }
  const why = result.kind === 'reply' ? result.reply.text : 'the controller has ended';
  process.stderr.write(`mc_ctl: the instance of ${target.id} was not started: ${why}\n`);
  return exitCode.hostFailed;
}

/** A start that takes longer says what it waits for. */
async function remind({ id }: Target): Promise<void> {
  const result = await callController(id, { kind: 'status' }, aliveWithinMs);
  if (result.kind !== 'reply') return;
  const instance = result.reply.status?.servers.find((row) => row.server_id === id)?.instance;
  const what =
    instance === 'waiting'
      ? 'waiting for the other server; the controller goes on by itself when it comes (Ctrl-C ends only this wait)'
      : `the instance is ${instance ?? 'being looked at'}`;
  process.stderr.write(`mc_ctl: ${what}\n`);
}
