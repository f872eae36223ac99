/**
 * What the server has written to its own log in a start that failed. With the logging collector on, the reason stands nowhere else. Only what came since
 * the start: what stands before it, such as statements of clients, may hold secrets of others. In: the data directory. Out: the last lines
 * with the name of their file, or nothing; it never fails.
 */
import { constants } from 'node:fs';
import { open, readFile, stat } from 'node:fs/promises';
import { resolve } from 'node:path';

const lastBytes = 4096;
const lastLines = 5;

/** Where the log stood before a start. */
export interface LogMark {
  /** By the wall clock, as the times of files. */
  readonly atMs: number;
  readonly path?: string;
  readonly ino?: number;
  readonly bytes: number;
}

/** `current_logfiles` is written by the collector: "stderr log/postgresql.log" in a line for each form. */
async function logFile(dataDir: string): Promise<string> {
  const files = (await readFile(resolve(dataDir, 'current_logfiles'), 'utf8')).trim().split('\n');
  const named = files.find((line) => line.startsWith('stderr ')) ?? files[0] ?? '';
  return resolve(dataDir, named.slice(named.indexOf(' ') + 1));
}

export async function markServerLog(dataDir: string): Promise<LogMark> {
  const atMs = Date.now();
  try {
    const path = await logFile(dataDir);
    const { size, ino } = await stat(path);
    return { atMs, path, ino, bytes: size };
  } catch {
    // None yet: what there will be is new.
    return { atMs, bytes: 0 };
  }
}

export async function serverLogSince(dataDir: string, mark: LogMark): Promise<readonly string[]> {
  try {
    const path = await logFile(dataDir);
    const text = (await tail(path, mark)).trim();
    if (text === '') return [];
    return [`${text.split('\n').slice(-lastLines).join(' | ').slice(0, 1000)} (${path})`];
  } catch {
    // No collector, or a log that has gone: the reason is in the file of the start, or nowhere.
    return [];
  }
}

/** Only of a plain file, and not more than its end: a pipe would be waited for. An older file that was not looked at before tells nothing. */
async function tail(path: string, mark: LogMark): Promise<string> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const facts = await file.stat();
    const isSame = path === mark.path && facts.ino === mark.ino;
    // One that was made in the millisecond of the mark, and had been looked at by then, is none that is new.
    const isNew = !isSame && facts.birthtimeMs >= mark.atMs;
    if (!facts.isFile() || (!isSame && !isNew)) return '';
    const before = isSame && facts.size >= mark.bytes ? mark.bytes : 0;
    const from = Math.max(before, facts.size - lastBytes);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(lastBytes), 0, lastBytes, from);
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await file.close();
  }
}
