/** Lookups of a machine that exists in tests only: a few files, a few variables, nothing else. */
import type { FileFacts, Lookups } from '../../src/inventory/lookups.ts';

export interface FakeFile {
  readonly text: string;
  readonly mode: number;
}

/** Signs nothing; its key was thrown away. */
export const certificate = `-----BEGIN CERTIFICATE-----
MIIBTzCCAQGgAwIBAgIUfDSoLLz+B4yKFFETQ62NOzt6I7gwBQYDK2VwMBwxGjAY
BgNVBAMMEWF1dGhvcml0eSBvZiBldGNkMCAXDTI2MTEyOTAxMzUzOFoYDzIxMjYx
MTA1MDEzNTM4WjAcMRowGAYDVQQDDBFhdXRob3JpdHkgb2YgZXRjZDAqMAUGAytl
cAMhAJF7ZZVD72yY46u8G7Jv5WJrQskXDeOTs9Nu4iy8M3PEo1MwUTAdBgNVHQ4E
FgQUQnTYn6pJH3A3XHfRB/Jm+pwxCQswHwYDVR0jBBgwFoAUQnTYn6pJH3A3XHfR
B/Jm+pwxCQswDwYDVR0TAQH/BAUwAwEB/zAFBgMrZXADQQAKH7oDFV5EMvKhk2Hu
IFiqDaduWLezsLcMv6cvlu0Vml0coyMYIZoeUYeJ3LHUJqFVcel2X2PBsbawTwqO
jucK
-----END CERTIFICATE-----
`;

const standard: Readonly<Record<string, FakeFile>> = {
  '/home/me/.ssh/key': { text: '', mode: 0o600 },
  '/home/me/.ssh/key.pub': { text: '', mode: 0o644 },
  '/home/me/.ssh/wide': { text: '', mode: 0o640 },
  '/work/etcd-ca.pem': { text: certificate, mode: 0o644 },
  '/work/etcd.password': { text: 'of etcd alone\n', mode: 0o600 },
  '/work/docs/etcd-ca.pem': { text: certificate, mode: 0o644 },
  '/work/docs/etcd.password': { text: 'of etcd alone\n', mode: 0o600 },
  '/work/errors/etcd-ca.pem': { text: certificate, mode: 0o644 },
  '/work/errors/no-ca.pem': { text: 'hunter2\n', mode: 0o644 },
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
