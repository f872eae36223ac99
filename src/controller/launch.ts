/**
 * Makes a daemon and waits until it answers. Under systemd a unit makes it; this is for hosts and tests without it. In: its command
 * line. Out: null, or what went wrong.
 */
import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Launch {
  /** The program of Node.js and its arguments. */
  readonly words: readonly string[];
  readonly logFile: string;
  /** Who says what is said. */
  readonly command: 'mc_ctl' | 'mc_arb';
  /** The daemon in words. */
  readonly what: string;
  answers(): Promise<boolean>;
}

const reminderMs = 3000;

export async function launchDaemon({
  words,
  logFile,
  command,
  what,
  answers,
}: Launch): Promise<string | null> {
  const output = openSync(logFile, 'a', 0o600);
  const start = readFileSync(logFile).length;
  const { NOTIFY_SOCKET, WATCHDOG_USEC, JOURNAL_STREAM, ...env } = process.env;
  const child = spawn(process.execPath, words, { stdio: ['ignore', output, output], detached: true, env });
  closeSync(output);
  let ended = false;
  child.on('exit', () => {
    ended = true;
  });
  child.unref();
  const patience = setTimeout(
    () => process.stderr.write(`${command}: still starting; see ${logFile}\n`),
    reminderMs,
  );
  try {
    while (!ended) {
      if (await answers()) return null;
      await sleep(15);
    }
  } finally {
    clearTimeout(patience);
  }
  const said = readFileSync(logFile).subarray(start).toString('utf8').trim();
  return `${command}: ${what} ended at once (${logFile}):\n${said}\n`;
}
