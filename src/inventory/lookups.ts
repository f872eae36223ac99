/**
 * Lookups: everything that the inventory stage asks the world for, so that its core stays a function of its
 * arguments. `machineLookups` is the real world; tests pass their own.
 */
import { readFile, stat } from 'node:fs/promises';
import { homedir } from 'node:os';

export interface FileFacts {
  readonly mode: number;
  readonly kind: 'file' | 'other';
}

export interface Lookups {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Text of a file; rejects with an Error that has a `code` such as ENOENT. */
  readonly readFile: (path: string) => Promise<string>;
  /** Facts of a file, or undefined when there is none that can be seen. */
  readonly stat: (path: string) => Promise<FileFacts | undefined>;
  /** Effective user id of this process; undefined where the OS has none. */
  readonly uid: number | undefined;
  /** What `~` stands for on this machine. */
  readonly home: string;
  /** Directory that relative paths of the command line start from. */
  readonly cwd: string;
}

async function statFacts(path: string): Promise<FileFacts | undefined> {
  try {
    const facts = await stat(path);
    return { mode: facts.mode & 0o7777, kind: facts.isFile() ? 'file' : 'other' };
  } catch {
    // Missing and unreadable are the same to the caller: it cannot use the file.
    return undefined;
  }
}

/** The real machine, with single lookups replaced. */
export function machineLookups(replaced: Partial<Lookups> = {}): Lookups {
  return {
    env: process.env,
    readFile: (path) => readFile(path, 'utf8'),
    stat: statFacts,
    uid: process.geteuid?.(),
    home: homedir(),
    cwd: process.cwd(),
    ...replaced,
  };
}
