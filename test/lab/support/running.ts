/**
 * pgduet as a process that may still go on, so that a test can wait for what it says, stop it, or answer it. In: arguments.
 * Out: its streams as they come, and how it ended.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { until } from '../harness/run.ts';

const program =
  process.env.PGDUET_PROGRAM ?? fileURLToPath(new URL('../../../dist/pgduet.js', import.meta.url));

export interface Ended {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A run of pgduet that may still go on. */
export class Run {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  stdout = '';
  stderr = '';

  /** With `terminal` it runs on a terminal of its own, whose keyboard is `child.stdin` and whose screen is stdout. */
  constructor(args: readonly string[], env: Readonly<Record<string, string>> = {}, terminal = false) {
    const words = [process.execPath, program, ...args];
    const [command = '', ...rest] = terminal ? ['script', '-qec', words.join(' '), '/dev/null'] : words;
    const child = spawn(command, rest, {
      stdio: [terminal ? 'pipe' : 'ignore', 'pipe', 'pipe'],
      env: { ...process.env, NO_COLOR: '1', SSH_AUTH_SOCK: '', ...env },
    });
    this.child = child;
    child.stdout?.on('data', (chunk: Buffer) => {
      this.stdout += chunk.toString();
    });
    child.stderr?.on('data', (chunk: Buffer) => {
      this.stderr += chunk.toString();
    });
    this.ended = new Promise((resolve) =>
      child.on('close', (code, signal) =>
        resolve({
          status: code ?? (signal === 'SIGINT' ? 130 : 137),
          stdout: this.stdout,
          stderr: this.stderr,
        }),
      ),
    );
  }

  /** Waits until the run has said this. */
  async said(text: string): Promise<void> {
    const all = () => `${this.stdout}${this.stderr}`;
    await until(
      () => `pgduet did not say '${text}':\n${all()}`,
      30_000,
      () => {
        if (all().includes(text)) return true;
        if (this.child.exitCode !== null) throw new Error(`pgduet ended without '${text}':\n${all()}`);
        return undefined;
      },
      2,
    );
  }

  /** Waits until so many steps are done, or until the run has ended: then it is false. */
  async stepsDone(count: number): Promise<boolean> {
    const done = () =>
      this.stderr.split('\n').filter((line) => /^ +[\d.]+ s {2}\S+: .* \(.*s\)$/.test(line)).length;
    return until(
      () => `pgduet did not get to step ${count}:\n${this.stderr}`,
      60_000,
      () => {
        if (this.child.exitCode !== null || this.child.signalCode !== null) return false;
        return this.stderr.includes(' to change') && done() >= count ? true : undefined;
      },
      2,
    );
  }
}
