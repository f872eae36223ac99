/**
 * Runs one program and measures its wall time. In: a command, its arguments, a time limit. Out: seconds, exit status
 * and what it printed. A program that takes too long is ended with all that it started; none outlives the benchmark.
 */
import { spawn } from 'node:child_process';

const running = new Set();

/** Ends every process group that is still measured: a person pressed Ctrl-C. */
export function endChildren() {
  for (const child of running) killGroup(child);
}

function killGroup(child) {
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch (error) {
    // The group may have ended at this very moment.
    if (error.code !== 'ESRCH') throw error;
  }
}

/** Resolves also when the program fails; `problem` then says how, with its last lines. */
export function timed(command, args, { input = '', timeoutMs, ...options }) {
  return new Promise((resolve) => {
    const began = performance.now();
    const child = spawn(command, args, { ...options, detached: true, stdio: ['pipe', 'pipe', 'pipe'] });
    const out = [];
    const err = [];
    const late = setTimeout(() => killGroup(child), timeoutMs);
    const finish = (status, why) => {
      clearTimeout(late);
      running.delete(child);
      const seconds = (performance.now() - began) / 1000;
      const stdout = Buffer.concat(out).toString();
      const stderr = Buffer.concat(err).toString();
      const ended = status === 0 ? {} : { problem: problemOf(command, why, `${stdout}${stderr}`) };
      resolve({ seconds, status, stdout, stderr, ...ended });
    };
    running.add(child);
    child.stdout.on('data', (chunk) => out.push(chunk));
    child.stderr.on('data', (chunk) => err.push(chunk));
    // A program may end before it has read its input; its status tells the story then.
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
    child.on('error', (error) => finish(127, error.message));
    child.on('close', (status, signal) => {
      const after = `after ${((performance.now() - began) / 1000).toFixed(0)} s`;
      finish(status ?? 128, signal === null ? `exit status ${status}` : `ended by ${signal} ${after}`);
    });
  });
}

const problemOf = (command, why, said) =>
  `${command.split('/').at(-1)}: ${why}; ${said.trim().split('\n').slice(-8).join(' | ')}`;
