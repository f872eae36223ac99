/**
 * Programs and signals: the one place where the controller makes processes and signals them. In: a path and arguments, or the number of a
 * process. Out: what became of it. What the system refuses (no memory, too many processes or open files, a process of somebody
 * else) is an answer and never an exception: it must not end a controller.
 */
import {
  type ChildProcess,
  type ExecFileOptions,
  execFile,
  type SpawnOptions,
  type SpawnSyncOptions,
  spawn,
  spawnSync,
} from 'node:child_process';
import { promisify } from 'node:util';

/** Programs of PostgreSQL do not start in a directory that was removed, as that of the controller may have been. */
export const thereAlways = '/';

const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)));

/**
 * Starts a program. Of what keeps one from starting Node tells a part by an event and throws the rest, such as ENOMEM, E2BIG
 * and ENOTDIR: `failed` hears of all of it, once, behind the return. Undefined of a program that never was.
 */
export function startProgram(
  path: string,
  args: readonly string[],
  options: SpawnOptions,
  failed: (error: Error) => void,
): ChildProcess | undefined {
  try {
    return spawn(path, [...args], options).on('error', failed);
  } catch (error) {
    process.nextTick(failed, asError(error));
    return undefined;
  }
}

/** Runs a program to its end. Rejects where it cannot be started, ends by another status than 0 or takes too long. */
export const runProgram = async (
  path: string,
  args: readonly string[],
  options: ExecFileOptions & { readonly timeout: number },
): Promise<{ readonly stdout: string; readonly stderr: string }> =>
  promisify(execFile)(path, [...args], { ...options, encoding: 'utf8' });

/** What a short program prints, while everything else waits; or why it cannot be had. */
export function outputOf(
  path: string,
  args: readonly string[],
  options: SpawnSyncOptions = {},
): string | Error {
  try {
    const { stdout, error, status } = spawnSync(path, [...args], {
      timeout: 10_000,
      stdio: ['ignore', 'pipe', 'ignore'],
      ...options,
      encoding: 'utf8',
    });
    return error ?? (status === 0 ? stdout : new Error(`${path} ended with ${status ?? 'a signal'}`));
  } catch (error) {
    return asError(error);
  }
}

/** The signal was sent, nobody has the number any more, or the system refuses it. A negative number means a group. */
export function sendSignal(pid: number, name: NodeJS.Signals): 'sent' | 'gone' | Error {
  try {
    process.kill(pid, name);
    return 'sent';
  } catch (error) {
    const gone = error instanceof Error && 'code' in error && error.code === 'ESRCH';
    return gone ? 'gone' : asError(error);
  }
}
