/**
 * One controller per server: <serverIdentifier>.pid holds who has the lock. A process that is gone, or whose number was
 * given to another one since, holds nothing. The lock file appears by link(2), complete and at once.
 * Its lines: process, start of the process in clock ticks, boot, start in seconds since 1970, version of Node. Its time of change is when
 * the configuration in force was read, so that anyone can see that a file is newer than what runs.
 */
import {
  linkSync,
  lstatSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { readIfThere } from './whole-file.ts';

export interface Holder {
  readonly pid: number;
  /** Field 22 of /proc/<pid>/stat: with the boot it makes a process number unique. */
  readonly started: string;
  readonly boot: string;
}

export interface Taken {
  readonly kind: 'taken';
  /** The file that was linked is there still, in the directory that has this name now. */
  isThere(): boolean;
  release(): void;
}

export type LockResult = Taken | { readonly kind: 'held'; readonly by: Holder };

/**
 * The boot as this process sees it: in a container, a unit that is kept from /proc/sys sees another one than a login does,
 * and each writes its own into the file. Undefined when there is no such process.
 */
function bootId(pid: number): string | undefined {
  const path = '/proc/sys/kernel/random/boot_id';
  try {
    return readOfProcess(`/proc/${pid}/root${path}`)?.trim();
  } catch (error) {
    // A login that is neither its owner nor root with all rights sees no more than its own boot.
    if (error instanceof Error && 'code' in error && error.code === 'EACCES')
      return readFileSync(path, 'utf8').trim();
    throw error;
  }
}

function readOfProcess(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ESRCH'))
      return undefined;
    throw error;
  }
}

/** When the process began, in clock ticks; undefined when there is no such process. */
function startTicks(pid: number): string | undefined {
  const text = readOfProcess(`/proc/${pid}/stat`);
  // The name in parentheses may hold spaces; the fields are counted behind it.
  const fields = text?.slice(text.lastIndexOf(')') + 2).split(' ');
  return fields === undefined || fields[0] === 'Z' ? undefined : fields[19];
}

const isAlive = (holder: Holder): boolean =>
  startTicks(holder.pid) === holder.started && holder.boot === bootId(holder.pid);

/** Who holds the lock now, if anyone does. */
export function lockHolder(dir: string, id: string): Holder | undefined {
  const holder = read(join(dir, `${id}.pid`));
  return holder && isAlive(holder) ? holder : undefined;
}

function read(path: string): Holder | undefined {
  const text = readIfThere(path);
  if (text === undefined) return undefined;
  const [pid = '', started = '', boot = ''] = text.split('\n');
  return { pid: Number(pid), started, boot };
}

/** The configuration that was read at this time is in force now. */
export function markConfigurationRead(dir: string, id: string, readAtWall: number): void {
  utimesSync(join(dir, `${id}.pid`), readAtWall / 1000, readAtWall / 1000);
}

/**
 * What starts that were killed have left beside the lock: each by the number of its process, which is gone. One that was moved away and whose
 * holder runs is somebody's lock still.
 */
export function removeLockLeftovers(dir: string, id: string): void {
  for (const name of readdirSync(dir)) {
    if (!name.startsWith(`${id}.pid.`)) continue;
    const [, pid] = /^(?:stale\.)?([1-9][0-9]*)$/.exec(name.slice(`${id}.pid.`.length)) ?? [];
    if (pid === undefined || startTicks(Number(pid)) !== undefined) continue;
    const path = join(dir, name);
    const facts = lstatSync(path, { throwIfNoEntry: false });
    if (!facts?.isFile() || facts.uid !== process.getuid?.()) continue;
    const holder = read(path);
    if (!holder || !isAlive(holder)) rmSync(path, { force: true });
  }
}

/** Takes the lock or says who has it. */
export function takeLock(dir: string, id: string): LockResult {
  const path = join(dir, `${id}.pid`);
  const own = `${path}.${process.pid}`;
  const started = (Date.now() / 1000).toFixed(3);
  const lines = [
    process.pid,
    startTicks(process.pid) ?? '',
    bootId(process.pid) ?? '',
    started,
    process.version,
  ];
  try {
    writeFileSync(own, `${lines.join('\n')}\n`, { mode: 0o600 });
    for (let attempt = 0; attempt < 5; attempt += 1) {
      if (tryLink(own, path)) return taken(path);
      const holder = read(path);
      if (holder && isAlive(holder)) return { kind: 'held', by: holder };
      if (holder) removeStale(path, holder);
    }
    throw new Error(`the lock ${path} changes hands too quickly`);
  } finally {
    rmSync(own, { force: true });
  }
}

/** A directory that was removed took the lock with it, and what stands there since is another one's. */
function taken(path: string): Taken {
  const { dev, ino } = lstatSync(path);
  const isThere = (): boolean => {
    const now = lstatSync(path, { throwIfNoEntry: false });
    return now?.ino === ino && now.dev === dev;
  };
  return { kind: 'taken', isThere, release: () => (isThere() ? unlinkSync(path) : undefined) };
}

function tryLink(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

/** Moves the stale file away; when a faster process had already replaced it, its lock is put back. */
function removeStale(path: string, stale: Holder): void {
  const aside = `${path}.stale.${process.pid}`;
  try {
    renameSync(path, aside);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return;
    throw error;
  }
  const moved = read(aside);
  if (moved && (moved.pid !== stale.pid || moved.started !== stale.started)) tryLink(aside, path);
  unlinkSync(aside);
}
