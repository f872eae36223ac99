/**
 * Runs one program of this machine and hands back what it printed.
 * In: a command, its arguments, optional standard input and a time limit in milliseconds, which is taken `patience` times.
 * Out: status, stdout and stderr, at the time limit as far as they have come; with `check` a status other than 0 is an error that quotes stderr.
 * It must never hand a string to a shell by itself: arguments stay separate words.
 */
import { spawn } from 'node:child_process';

/**
 * Limits of time end what hangs, and judge nothing. They are written down as they are ample on a quiet machine; a shared one has taken five
 * times as long.
 */
export const patience = 4;

export interface RunResult {
  status: number;
  stdout: string;
  stderr: string;
}

export interface RunOptions {
  /** Throw when the status is not 0. */
  check?: boolean;
  input?: string;
  timeoutMs?: number;
  env?: Record<string, string>;
}

/** A program that was killed by a signal has status 128, one that could not be started 127. */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: options.env ?? process.env,
      timeout: patience * (options.timeoutMs ?? 60_000),
      killSignal: 'SIGKILL',
    });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
    // A program may end before it has read its input; its own status tells the story then.
    child.stdin.on('error', () => undefined);
    child.stdin.end(options.input ?? '');
    let spawnError = '';
    child.on('error', (error) => {
      spawnError = `${error.message}\n`;
    });
    // What it has started may live on with its output, on a host above all: nobody would ever close that.
    child.on('exit', (_code, signal) => {
      if (signal === null) return;
      child.stdout.destroy();
      child.stderr.destroy();
    });
    child.on('close', (code, signal) => {
      const stdout = Buffer.concat(out).toString();
      const note = signal ? `killed by ${signal}\n` : spawnError;
      const stderr = Buffer.concat(err).toString() + note;
      const status = code !== null && code >= 0 ? code : signal ? 128 : 127;
      if (options.check && status !== 0) reject(new Error(describe(command, args, status, stdout, stderr)));
      else resolve({ status, stdout, stderr });
    });
  });
}

/** The same, with `check`, for a caller that only wants the text. */
export async function text(command: string, ...args: string[]): Promise<string> {
  return (await run(command, args, { check: true })).stdout.trim();
}

function describe(
  command: string,
  args: readonly string[],
  status: number,
  out: string,
  err: string,
): string {
  const last = (err.trim() || out.trim()).split('\n').slice(-15).join('\n');
  return `${[command, ...args].join(' ')} ended with status ${status}:\n${last}`;
}

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * Asks every `everyMs` until the answer is not undefined; after `withinMs`, times `patience`, it throws `what`. Without `everyMs` the pauses are twice as long
 * as the question takes: one that starts a process would else take a processor for itself, which others wait for.
 */
export async function until<T>(
  what: () => string | Promise<string>,
  withinMs: number,
  ask: () => Promise<T | undefined> | T | undefined,
  everyMs?: number,
): Promise<T> {
  const end = Date.now() + patience * withinMs;
  for (;;) {
    const begin = Date.now();
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (Date.now() > end) throw new Error(await what());
    await sleep(everyMs ?? Math.max(20, 2 * (Date.now() - begin)));
  }
}
