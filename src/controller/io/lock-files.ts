/**
 * Lock files that a crash or a power cut has left: they must not keep the next postmaster from starting. In: the program `postgres` and its
 * data directory, of which nobody runs. A file whose process works in that directory is never touched.
 */
import { lstatSync, rmSync } from 'node:fs';
import { realpath } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { readOrNull, worksIn } from './postmaster.ts';
import { runProgram, thereAlways } from './processes.ts';
import { readIfThere, writeAtomic } from './whole-file.ts';

/** More than any system gives to a process. */
const nobody = '2147483647';

/**
 * After a crash or a power cut postmaster.pid names a postmaster that is gone. PostgreSQL takes every process and thread of its own
 * user with that number for it and refuses to start, also one that has begun since anybody looked. So the file gets a number that
 * nobody can have, unless the process works in the data directory. The rest stays: it says which shared memory has to be free.
 */
export async function passLockFile(dataDir: string): Promise<boolean> {
  const name = 'postmaster.pid';
  const read = (): string | undefined => readIfThere(join(dataDir, name));
  const text = read();
  // Negative is the number of a server without a postmaster (postgres --single).
  const [number, pid] = /^-?(\d+)(?=\n)/.exec(text ?? '') ?? [];
  if (text === undefined || number === undefined || (await worksIn(Number(pid), dataDir)) !== null)
    return false;
  // Somebody may have started the server meanwhile: its lock file stays.
  const still = (): boolean => read() === text;
  try {
    writeAtomic(dataDir, name, text.replace(number, nobody), { still });
  } catch (error) {
    // Without room PostgreSQL looks for itself whose number it is.
    if (!isNoRoom(error)) throw error;
  }
  return true;
}

const isNoRoom = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && ['ENOSPC', 'EDQUOT'].includes(String(error.code));

/** The lock of a socket names the same postmaster, and refuses the next one as postmaster.pid does; there is nothing else in it. */
export async function removeSocketLocks(dataDir: string, port: string, directories: string): Promise<void> {
  for (const directory of directories.split(',')) {
    const path = join(resolve(dataDir, directory.trim()), `.s.PGSQL.${port}.lock`);
    const found = lstatSync(path, { throwIfNoEntry: false });
    // Where everybody may write, it can be anything.
    if (!found?.isFile() || found.uid !== process.getuid?.()) continue;
    const [pid = '', owner = ''] = (readIfThere(path) ?? '').split('\n');
    const isOurs =
      owner !== '' && (await readOrNull(realpath(owner))) === (await readOrNull(realpath(dataDir)));
    if (isOurs && (await worksIn(Math.abs(Number(pid)), dataDir)) === null) rmSync(path, { force: true });
  }
}

/** A setting as the server will have it; empty where its files cannot be read, which its start then says. */
const settingOf = (program: string, dataDir: string, name: string): Promise<string> =>
  runProgram(program, ['-D', dataDir, '-C', name], { cwd: thereAlways, timeout: 10_000 }).then(
    ({ stdout }) => stdout.trim(),
    () => '',
  );

/** A postmaster that has ended in order leaves no lock, so that only a start after a crash asks for the settings. */
export async function passLocks(program: string, dataDir: string): Promise<void> {
  if (!(await passLockFile(dataDir))) return;
  const names = ['port', 'unix_socket_directories'];
  const [port = '', directories = ''] = await Promise.all(
    names.map((name) => settingOf(program, dataDir, name)),
  );
  if (port !== '') await removeSocketLocks(dataDir, port, directories);
}
