/**
 * Where messages go: under systemd to the journal, by lines with a priority prefix on stderr; otherwise to stderr, which
 * is <serverIdentifier>.log, and to syslog through logger(1) when the host has both. Never blocks on a slow log.
 */
import type { ChildProcess } from 'node:child_process';
import { existsSync, fstatSync } from 'node:fs';
import { type MessageNumber, messageLine, messagePriority } from '../core/messages.ts';
import { startProgram } from './processes.ts';

export interface Journal {
  log(number: MessageNumber, values: Readonly<Record<string, string>>): void;
  /** New name or facility after a reload. */
  configure(settings: JournalSettings): void;
  close(): void;
}

export interface JournalSettings {
  readonly ident: string;
  /** LOCAL0 … LOCAL7. */
  readonly facility: string;
}

const longestLine = 2000;

/** JOURNAL_STREAM names the device and inode of the journal; a redirected stderr is another file. */
export function stderrIsJournal(): boolean {
  const { dev, ino } = fstatSync(2);
  return process.env.JOURNAL_STREAM === `${dev}:${ino}`;
}

export function openJournal(first: JournalSettings): Journal {
  const journal = stderrIsJournal();
  let settings = first;
  let syslog = journal ? undefined : startLogger(settings);
  return {
    log(number, values) {
      const line = messageLine(settings.ident, process.pid, number, values).slice(0, longestLine);
      if (journal) process.stderr.write(`<${messagePriority(number)}>${line}\n`);
      else process.stderr.write(`${new Date().toISOString()} ${line}\n`);
      // logger adds the name and number of the process itself.
      const text = line.slice(line.indexOf(': ') + 2);
      syslog?.stdin?.write(`<${facilityCode(settings.facility) * 8 + messagePriority(number)}>${text}\n`);
    },
    configure(next) {
      if (syslog && next.ident !== settings.ident) {
        syslog.stdin?.end();
        syslog = startLogger(next);
      }
      settings = next;
    },
    close() {
      syslog?.stdin?.end();
    },
  };
}

/** Syslog numbers local0 … local7 from 16 on. */
const facilityCode = (facility: string): number => 16 + Number(facility.slice(-1));

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
