/**
 * Runs a program of Node in processes that go on with the next run: warm-program.mjs. In: the program, and what differs from run to run.
 * Out: what `run` of the harness says of a process. It must never give a process to two runs at once, or a run to one that the run
 * before has left anything in.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { patience, type RunResult } from '../harness/run.ts';

const holder = fileURLToPath(new URL('warm-program.mjs', import.meta.url));

/** Each run leaves the compiled entry of the program behind. */
const RUNS = 100;

export interface WarmRun {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
}

interface Answer {
  readonly status: number;
  readonly left: readonly string[];
}

const idle: Warm[] = [];

/** As `run` of the harness with the same program, arguments and environment, and with nothing on standard input. */
export async function runWarm(program: string, wanted: WarmRun): Promise<RunResult> {
  const at = idle.findIndex((one) => one.program === program);
  const [warm = new Warm(program)] = at < 0 ? [] : idle.splice(at, 1);
  const result = await warm.run(wanted);
  if (warm.fit) idle.push(warm);
  else warm.end();
  return result;
}

class Warm {
  readonly program: string;
  readonly #child: ChildProcess;
  #runs = 0;
  #said = { stdout: '', stderr: '' };
  #heard: () => void = () => undefined;

  constructor(program: string) {
    this.program = program;
    const child = spawn(process.execPath, [holder, program], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env: {},
    });
    this.#child = child;
    for (const name of ['stdout', 'stderr'] as const) {
      const stream = child[name] as Socket;
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.#said[name] += text;
        this.#heard();
      });
      stream.unref();
    }
    // It ends with the one that asks, and keeps nobody from ending.
    child.channel?.unref();
    child.unref();
  }

  /** Whether the next run may have it. */
  get fit(): boolean {
    return this.#child.connected && this.#child.exitCode === null && this.#runs < RUNS;
  }

  end(): void {
    if (this.#child.connected) this.#child.disconnect();
  }

  run({ args, env, timeoutMs }: WarmRun): Promise<RunResult> {
    this.#runs += 1;
    this.#said = { stdout: '', stderr: '' };
    const child = this.#child;
    const mark = `\0${randomBytes(12).toString('hex')}\0`;
    const limit = setTimeout(() => child.kill('SIGKILL'), patience * timeoutMs);
    return new Promise<RunResult>((resolve, reject) => {
      let answer: Answer | undefined;
      const heard = (): void => {
        const { stdout, stderr } = this.#said;
        if (answer === undefined || !stdout.endsWith(mark) || !stderr.endsWith(mark)) return;
        const [out, err] = [stdout, stderr].map((text) => text.slice(0, -mark.length));
        if (answer.left.length === 0)
          resolve({ status: answer.status, stdout: out ?? '', stderr: err ?? '' });
        else
          reject(
            new Error(
              `${args.join(' ')} has left behind:\n${answer.left.join('\n')}\nit said:\n${out}${err}`,
            ),
          );
      };
      this.#heard = heard;
      child.once('message', (message) => {
        answer = message as Answer;
        heard();
      });
      // An error, or the end of its own that a program makes: what a process of its own would have said.
      child.once('close', (code, signal) => {
        const note = signal ? `killed by ${signal}\n` : '';
        resolve({ status: code ?? 128, stdout: this.#said.stdout, stderr: this.#said.stderr + note });
      });
      child.send({ args, env, mark });
    }).finally(() => {
      clearTimeout(limit);
      child.removeAllListeners('message');
      child.removeAllListeners('close');
    });
  }
}
