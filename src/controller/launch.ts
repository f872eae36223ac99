/**
 * Makes a daemon and waits until it answers. Under systemd a unit makes it; this is for hosts and tests without it. In: its command
 * line. Out: null, or what went wrong.
 */
import { closeSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import { startProgram } from './io/processes.ts';

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
  let ended = false;
  let notStarted: Error | undefined;
  const child = startProgram(
    process.execPath,
    words,
    { stdio: ['ignore', output, output], detached: true, env },
    (error) => {
      ended = true;
      notStarted = error;
    },
  );
  closeSync(output);
  child?.on('exit', () => {
    ended = true;
  });
  child?.unref();
  // Whether it could be started at all is known a moment later.
  await turn();
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
  if (notStarted) return `${command}: ${what} cannot be started: ${notStarted.message}\n`;
  const said = readFileSync(logFile).subarray(start).toString('utf8').trim();
  return `${command}: ${what} ended at once (${logFile}):\n${said}\n`;
}
