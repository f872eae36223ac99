/**
 * Files that are read and replaced as a whole. A crash, a full disk or a broken one leaves the old content or the new one in
 * place, and nothing beside it; what cannot be looked at is an error, and never taken for absent. Throws what the system says.
 */
import {
  closeSync,
  fchmodSync,
  fchownSync,
  fstatSync,
  fsyncSync,
  lstatSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';

const statOf = (path: string): Stats | undefined => statSync(path, { throwIfNoEntry: false });

/** Whether something stands there. `existsSync` would say no of a disk that does not answer, too. */
export const isThere = (path: string): boolean => statOf(path) !== undefined;

/** Undefined of a file that is not there. */
export function readIfThere(path: string, encoding: BufferEncoding = 'utf8'): string | undefined {
  try {
    return readFileSync(path, encoding);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

export interface Replacing {
  readonly encoding?: BufferEncoding;
  /** Whether the content has to be on the disk before this returns, as it has to be unless nobody needs it after a crash. */
  readonly synced?: boolean;
  /** Asked at the last moment; no leaves the file as it is. */
  readonly still?: () => boolean;
}

/** Beside a file, where a controller writes it. pgduet, which writes some of the same files, has another name there. */
const unfinished = (name: string): string => `.${name}.controller.pgduet-tmp`;

/** As an earlier controller wrote it, and as pgduet does still: to be removed only of files that pgduet does not write. */
const formerUnfinished = (name: string): string => `.${name}.pgduet-tmp`;

/**
 * Removes what a killed controller has left of a write of this file: only a file of this user, by its exact name; a link is none. Whoever
 * calls has the lock. `own`: nobody but a controller writes it.
 */
export function removeUnfinished(path: string, { own = false } = {}): void {
  const name = basename(path);
  for (const left of [unfinished(name), ...(own ? [formerUnfinished(name)] : [])]) {
    const at = join(dirname(path), left);
    const facts = lstatSync(at, { throwIfNoEntry: false });
    if (facts?.isFile() && facts.uid === process.getuid?.()) rmSync(at, { force: true });
  }
}

/**
 * Writes beside the file, syncs, renames, syncs the directory. The new file has mode, owner and group of the old one, as far as
 * this user may give them; one that was not there is its own alone. One process at a time writes a file by one name beside it, so
 * what a crash has left there is the next one's to remove.
 */
export function writeAtomic(
  dir: string,
  name: string,
  content: string,
  { encoding = 'utf8', synced = true, still = () => true }: Replacing = {},
): void {
  const target = join(dir, name);
  const temporary = join(dir, unfinished(name));
  rmSync(temporary, { force: true });
  try {
    writeNew(temporary, Buffer.from(content, encoding), statOf(target), synced);
    if (still()) renameSync(temporary, target);
    else rmSync(temporary);
  } catch (error) {
    remove(temporary, error);
    throw error;
  }
  if (synced) syncDirectory(dir);
}

/** A single write(2) may take less than it is given, on a disk with little room; `writeFileSync` asks until all is taken. */
function writeNew(path: string, content: Buffer, former: Stats | undefined, synced: boolean): void {
  const file = openSync(path, 'wx', 0o600);
  try {
    writeFileSync(file, content);
    if (former) giveAccess(file, former);
    if (synced) fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** Only root gives a file away. Where the group has to be another one, it gets no rights that the former one had. */
function giveAccess(file: number, { uid, gid, mode }: Stats): void {
  const me = process.getuid?.() ?? uid;
  const kept = owned(file, uid, gid) || owned(file, me, gid);
  fchmodSync(file, mode & (kept ? 0o7777 : 0o7707));
}

function owned(file: number, uid: number, gid: number): boolean {
  const now = fstatSync(file);
  if (now.uid === uid && now.gid === gid) return true;
  try {
    fchownSync(file, uid, gid);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EPERM') return false;
    throw error;
  }
}

/** What failed first is told; that its remains could not be removed belongs to it. */
function remove(path: string, failure: unknown): void {
  try {
    rmSync(path, { force: true });
  } catch (error) {
    if (failure instanceof Error) failure.cause = error;
  }
}

function syncDirectory(dir: string): void {
  const directory = openSync(dir, 'r');
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}
