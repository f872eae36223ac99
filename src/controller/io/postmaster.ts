/**
 * The PostgreSQL server process of this host: whether it is there. In: the data directory.
 * A process is believed to be the postmaster only if it works in that directory.
 */
import { readdir, readFile, readlink, realpath } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { withTimeout } from './timer.ts';

/** Lines of postmaster.pid (PostgreSQL, src/include/utils/pidfile.h). */
export interface Postmaster {
  readonly pid: number;
  readonly startedAtWall: number;
  readonly port: number;
  /** First Unix socket directory; empty when there is none. */
  readonly socketDir: string;
  readonly listenAddress: string;
  /** "ready" or "standby" when connections are taken. */
  readonly status: string;
}

export const isMissing = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && ['ENOENT', 'ESRCH', 'ENOTDIR'].includes(String(error.code));

export async function readOrNull(read: Promise<string>): Promise<string | null> {
  try {
    return await read;
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

/** The last one that was found in each data directory, and where it works. */
const lastFound = new Map<string, { readonly postmaster: Postmaster; readonly cwd: string }>();

/** A disk that stalls answers neither with text nor with an error. */
const diskPatienceMs = 2000;
/** Reads without an answer yet. Each holds a thread of this process, of which there are few: one disk gets one of them. */
const reading = new Map<string, Promise<string | null>>();

function lockFile(dataDir: string): Promise<string | null> {
  const open =
    reading.get(dataDir) ??
    readOrNull(readFile(join(dataDir, 'postmaster.pid'), 'utf8')).finally(() => reading.delete(dataDir));
  reading.set(dataDir, open);
  return open;
}

/** The running postmaster of a data directory, or null when there is none. */
export async function findPostmaster(dataDir: string): Promise<Postmaster | null> {
  let text: string | null;
  try {
    text = await withTimeout(lockFile(dataDir), diskPatienceMs);
  } catch (error) {
    return stillThere(dataDir, error);
  }
  if (text === null) return null;
  const lines = text.split('\n');
  const pid = Number(lines[0]);
  const cwd = Number.isInteger(pid) && pid > 1 ? await worksIn(pid, dataDir) : null;
  if (cwd === null) return null;
  const postmaster = {
    pid,
    startedAtWall: Number(lines[2] ?? 0) * 1000,
    port: Number(lines[3] ?? 0),
    socketDir: (lines[4] ?? '').trim(),
    listenAddress: (lines[5] ?? '').trim(),
    status: (lines[7] ?? '').trim(),
  };
  lastFound.set(dataDir, { postmaster, cwd });
  return postmaster;
}

/** A disk that has failed or stalls hides the file, not the process: a postmaster that was seen can still be looked for and stopped. */
async function stillThere(dataDir: string, error: unknown): Promise<Postmaster | null> {
  const last = lastFound.get(dataDir);
  if (!last) throw error;
  const cwd = await directoryOf(last.postmaster.pid);
  return cwd === last.cwd ? last.postmaster : null;
}

/** Where a process works; null of one that is gone, and of one of another user, which is no postmaster of this user. */
async function directoryOf(pid: number): Promise<string | null> {
  try {
    return await readOrNull(readlink(`/proc/${pid}/cwd`));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EACCES') return null;
    throw error;
  }
}

/** Every process of PostgreSQL that works in the data directory, also one that has outlived its postmaster. */
export async function processesIn(dataDir: string): Promise<number[]> {
  const found: number[] = [];
  for (const name of await readdir('/proc')) {
    const pid = Number(name);
    if (Number.isInteger(pid) && (await worksIn(pid, dataDir)) !== null && (await isServerProcess(pid)))
      found.push(pid);
  }
  return found;
}

/** Not the shell of a person who stands in the data directory. */
async function isServerProcess(pid: number): Promise<boolean> {
  const program = await readOrNull(readlink(`/proc/${pid}/exe`));
  return program !== null && /^postgres( \(deleted\))?$/.test(basename(program));
}

/** The postmaster changes into its data directory at start; a zombie has no directory any more. */
export async function worksIn(pid: number, dataDir: string): Promise<string | null> {
  const cwd = await directoryOf(pid);
  return cwd !== null && cwd === (await readOrNull(realpath(dataDir))) ? cwd : null;
}
