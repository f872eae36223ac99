/**
 * Where messages go: under systemd to the journal, in a stream of their own; otherwise to stderr, which is
 * <serverIdentifier>.log, and to syslog through logger(1) when the host has both. Never blocks on a slow log.
 */
import type { ChildProcess } from 'node:child_process';
import { existsSync, fstatSync } from 'node:fs';
import { type MessageNumber, messageLine, messagePriority } from '../core/messages.ts';
import { facilityCode, type JournalSettings, journalStream, type LineStream } from './journal-stream.ts';
import { startProgram } from './processes.ts';

export interface Journal {
  log(number: MessageNumber, values: Readonly<Record<string, string>>): void;
  /** New name or facility after a reload. */
  configure(settings: JournalSettings): void;
  close(): void;
}

const longestLine = 2000;

/** JOURNAL_STREAM names the device and inode of the journal; a redirected stderr is another file. */
export function stderrIsJournal(): boolean {
  const { dev, ino } = fstatSync(2);
  return process.env.JOURNAL_STREAM === `${dev}:${ino}`;
}

/** `stream`: what opens one to the journal. */
export function openJournal(
  first: JournalSettings,
  stream: ((settings: JournalSettings) => LineStream) | undefined = stderrIsJournal()
    ? journalStream
    : undefined,
): Journal {
  let settings = first;
  let journal = stream?.(settings);
  let syslog = stream ? undefined : startLogger(settings);
  return {
    log(number, values) {
      const line = messageLine(settings.ident, process.pid, number, values).slice(0, longestLine);
      // The journal and logger add the name and number of the process themselves.
      const text = line.slice(`${settings.ident}[${process.pid}]: `.length);
      const priority = messagePriority(number);
      if (journal) journal.write(`<${priority}>${text}\n`);
      else process.stderr.write(`${new Date().toISOString()} ${line}\n`);
      syslog?.stdin?.write(`<${facilityCode(settings.facility) + priority}>${text}\n`);
    },
    configure(next) {
      const renamed = next.ident !== settings.ident;
      const moved = next.facility !== settings.facility;
      settings = next;
      if (stream && (renamed || moved)) {
        journal?.close();
        journal = stream(next);
      }
      if (syslog && renamed) {
        syslog.stdin?.end();
        syslog = startLogger(next);
      }
    },
    close() {
      journal?.close();
      syslog?.stdin?.end();
    },
  };
}

function startLogger({ ident }: JournalSettings): ChildProcess | undefined {
  if (!existsSync('/dev/log') || !existsSync('/usr/bin/logger')) return undefined;
  const tag = `${ident}[${process.pid}]`;
  // A logger that is gone must not take the controller with it; the file still gets every line.
  const giveUp = (error: Error): void => {
    process.stderr.write(`syslog is not reached any more: ${error.message}\n`);
    child?.stdin?.destroy();
  };
  const child = startProgram(
    '/usr/bin/logger',
    ['--prio-prefix', '--tag', tag],
    { stdio: ['pipe', 'ignore', 'ignore'], detached: true },
    giveUp,
  );
  child?.stdin?.on('error', giveUp);
  child?.unref();
  return child;
}
