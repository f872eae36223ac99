/**
 * Runs a program with a limit of time, such as the commands of the configuration. In: a path and arguments. Out: whether it
 * ended with 0, and why not. Never throws.
 */
import { programLine } from '../../base/program-line.ts';
import { sendSignal, startProgram } from './processes.ts';
import { timerMs } from './timer.ts';

export interface CommandResult {
  readonly ok: boolean;
  readonly why: string;
}

/** The fixed word that the commands get as their last argument: which centre this is. There is only one. */
export const centre = 'primarycenter';

/** So much of what a command says last is kept for the log. */
const lastWords = 300;
/** A child that a command leaves behind may hold its output open; nobody waits for that. */
const drainMs = 50;
/** One that not even SIGKILL ends in this time belongs to somebody else, as that of sudo, or hangs in the kernel: it is left. */
const endedWithinMs = 1000;

export interface CommandForm {
  /** In place of the controller's own. */
  readonly env?: NodeJS.ProcessEnv;
  /** What it prints is read by nobody. */
  readonly silent?: true;
}

/** A command of the configuration: its own arguments come first, then what the controller tells it. */
export async function runConfigured(
  line: string,
  told: readonly string[],
  timeoutMs: number,
  how: CommandForm = {},
): Promise<CommandResult> {
  const command = programLine(line);
  if (!command.ok) return { ok: false, why: command.why };
  return runCommand(command.path, [...command.args, ...told], timeoutMs, how);
}

/** When the time is up the command is killed with everything that it has started, as long as that is in its group. */
export function runCommand(
  path: string,
  args: readonly string[],
  timeoutMs: number,
  how: CommandForm = {},
): Promise<CommandResult> {
  return new Promise((resolve) => {
    let said = '';
    const tooLate = `no answer within ${timeoutMs / 1000} s`;
    let late = false;
    const { NOTIFY_SOCKET, WATCHDOG_USEC, WATCHDOG_PID, ...env } = how.env ?? process.env;
    const output = how.silent ? 'ignore' : 'pipe';
    const child = startProgram(
      path,
      args,
      { stdio: ['ignore', output, output], detached: true, env },
      (error) => done(cannotRun(path, error)),
    );
    const left = (why: string): void => {
      child?.unref();
      done(`${tooLate}, and it cannot be ended${why}`);
    };
    let limit = setTimeout(() => {
      late = true;
      const pid = child?.pid;
      const sent = pid === undefined ? 'gone' : sendSignal(-pid, 'SIGKILL');
      if (sent instanceof Error) left(` (${sent.message})`);
      else limit = setTimeout(() => left(''), endedWithinMs);
    }, timerMs(timeoutMs));
    const done = (how: string): void => {
      clearTimeout(limit);
      const ok = how === 'exit status 0';
      const last = said.trim().split('\n').slice(-3).join(' | ').slice(-lastWords);
      resolve({ ok, why: ok || last === '' ? how : `${how}: ${last}` });
      child?.stdout?.destroy();
      child?.stderr?.destroy();
    };
    for (const stream of [child?.stdout, child?.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => {
        said = (said + text).slice(-2000);
      });
    child?.on('exit', (code, signal) => {
      const how = late ? tooLate : `exit status ${code ?? signal}`;
      child.on('close', () => done(how));
      setTimeout(() => done(how), drainMs);
    });
  });
}

function cannotRun(path: string, error: Error): string {
  const code = 'code' in error ? error.code : '';
  if (code === 'ENOENT' || code === 'ENOTDIR')
    return `${path}, or the program of its first line, does not exist`;
  return code === 'EACCES'
    ? `${path} may not be executed: check its mode and owner`
    : `${path}: ${error.message}`;
}
