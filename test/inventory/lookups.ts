/** Lookups of a machine that exists in tests only: a few files, a few variables, nothing else. */
import type { FileFacts, Lookups } from '../../src/inventory/lookups.ts';

export interface FakeFile {
  readonly text: string;
  readonly mode: number;
}

const standard: Readonly<Record<string, FakeFile>> = {
  '/home/me/.ssh/key': { text: '', mode: 0o600 },
  '/home/me/.ssh/key.pub': { text: '', mode: 0o644 },
  '/home/me/.ssh/wide': { text: '', mode: 0o640 },
  '/work/errors/wide.txt': { text: 'hunter2\n', mode: 0o644 },
  '/work/errors/lines.txt': { text: 'hunter2\nhunter3\n', mode: 0o600 },
};

export function fakeLookups(
  files: Readonly<Record<string, FakeFile>> = {},
  env: Lookups['env'] = {},
): Lookups {
  const all = { ...standard, ...files };
  return {
    env: { PGDUET_SECRET: 'hunter2', PGDUET_EMPTY: '', ...env },
    readFile: async (path) => {
      const file = all[path];
      if (file === undefined) throw Object.assign(new Error('no such file'), { code: 'ENOENT' });
      return file.text;
    },
    stat: async (path): Promise<FileFacts | undefined> => {
      const file = all[path];
      return file === undefined ? undefined : { mode: file.mode, kind: 'file' };
    },
    uid: 1000,
    home: '/home/me',
    cwd: '/work',
  };
}
