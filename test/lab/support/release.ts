/**
 * Makes releases of this working tree as a maintainer would, each from a clone of its own. In: a directory that goes with
 * the test. Out: folders with the files of a release. The libraries are those that are installed here, if they are the
 * locked ones; the set-up of the clone decides that.
 */
import { cpSync, mkdirSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type RunResult, run } from '../harness/run.ts';

const root = dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url)))));
/** What a clone does not have. */
const made = ['.git', '.cache', 'dist', 'node_modules', 'release'];
const nobody = [
  '-c',
  'user.name=test',
  '-c',
  'user.email=test@test.invalid',
  '-c',
  'init.defaultBranch=main',
];

export const git = (directory: string, ...args: readonly string[]): Promise<RunResult> =>
  run('git', [...nobody, '-C', directory, ...args], { check: true });

/** A repository with one commit: the files as they are here now, committed or not. */
export async function repositoryOf(directory: string): Promise<string> {
  mkdirSync(directory);
  for (const name of readdirSync(root))
    if (!made.includes(name)) cpSync(join(root, name), join(directory, name), { recursive: true });
  await git(directory, 'init', '--quiet');
  await git(directory, 'add', '--all');
  await git(directory, 'commit', '--quiet', '--message', 'The tree under test');
  return directory;
}

export async function clone(repository: string, directory: string): Promise<string> {
  mkdirSync(dirname(directory), { recursive: true });
  await git(repository, 'clone', '--quiet', repository, directory);
  // Linked where that is possible; npm replaces whole files, so that nothing of ours is changed.
  const [from, to] = [join(root, 'node_modules'), join(directory, 'node_modules')];
  if ((await run('cp', ['-al', from, to])).status !== 0)
    await run('sh', ['-c', 'rm -rf "$2"; exec cp -a "$1" "$2"', 'sh', from, to], { check: true });
  return directory;
}

/** `npm run release` with a plain environment; `umask` and `more` are what differs on another machine. */
export function release(
  directory: string,
  umask: string,
  more: Readonly<Record<string, string>> = {},
): Promise<RunResult> {
  const clean = { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '/', CI: 'true' };
  const script = `umask ${umask}; cd "$1"; exec npm run --silent release`;
  return run('sh', ['-c', script, 'sh', directory], { env: { ...clean, ...more }, timeoutMs: 280_000 });
}
