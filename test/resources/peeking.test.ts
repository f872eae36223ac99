/**
 * What root reads by a name that the administrator could have made is read as him: with a real shell and two users. A link to
 * something of root's in place of a record shows nothing of it in what pgduet writes as his. Needs root.
 */
import { spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  lchownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { preamble } from '../../src/resources/contract/preamble.ts';
import { wholeFunction } from '../../src/resources/contract/whole.ts';
import { beginMaking } from '../../src/resources/data/making.ts';
import { besideFunction } from '../../src/resources/data/own-files.ts';
import { keepStep } from '../../src/resources/data/rebuild-steps.ts';
import { liveSql } from '../../src/resources/single/holds.ts';
import { strangers } from '../../src/resources/system/own-tree.ts';
import { gone } from '../child-end.ts';
import { desiredOf, kindNamed } from './cases.ts';

const owner = 'nobody';
const uid = 65534;
let dir = '';
const at = (name: string): string => join(dir, name);
const put = (name: string, text: string, mode = 0o600, user = uid): void => {
  writeFileSync(at(name), text);
  chmodSync(at(name), mode);
  chownSync(at(name), user, user);
};

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'pgduet-peeking-'));
  chmodSync(dir, 0o755);
  for (const name of ['bin', 'mc', 'keep', 'pg', 'pg/global']) mkdirSync(at(name));
  for (const name of ['mc', 'keep', 'pg', 'pg/global']) chownSync(at(name), uid, uid);
  put('secret', "root's own\n", 0o600, 0);
  put('pg/global/pg_control', 'control');
  for (const name of ['postgres', 'psql']) put(`bin/${name}`, '#!/bin/sh\necho "$@"\n', 0o755, 0);
  put('bin/pg_controldata', '#!/bin/sh\nid -un\n', 0o755, 0);
});
afterEach(() => rmSync(dir, { recursive: true }));

const links = (name: string): void => {
  symlinkSync(at('secret'), at(name));
  lchownSync(at(name), uid, uid);
};

const run = (script: string, timeout?: number) =>
  spawnSync('sh', [], {
    ...(timeout === undefined ? {} : { timeout, killSignal: 'SIGKILL' }),
    input: `${preamble({ owner, socketDir: '/tmp', port: 1, postgresVersion: 15, binDir: at('bin') })}\n( set -e\n${script}\n)`,
    encoding: 'utf8',
  });

/** What files of his hold afterwards. */
const ofHis = (): string =>
  readdirSync(dir, { recursive: true, encoding: 'utf8' })
    .filter((name) => {
      const seen = statSync(at(name), { throwIfNoEntry: false });
      return seen?.isFile() && seen.uid === uid;
    })
    .map((name) => readFileSync(at(name), 'utf8'))
    .join('\n');

const place = () => ({ owner, id: 'server1', dataDir: at('pg'), managementDir: at('mc'), version: 15 });
const rebuild = () => ({
  ...place(),
  ...{ host: 'h', port: 1, user: 'repl', mcCtl: '/nowhere', primary: 'server2', slot: 's' },
  ...{ rewindUser: 'rewind', copy: true, keepIn: at('keep'), keepAs: at('keep/server1'), run: 'run' },
});

describe.skipIf(process.getuid?.() !== 0)('a directory of his', () => {
  const beside = (what: string) => `${besideFunction(15)}\nbeside ${what}`;
  const tree = { f: 'network\\.conf' };
  const looks: Readonly<Record<string, (path: string) => string>> = {
    'what is beside data': (path) => beside(`data ${path}`),
    'what is beside anything': (path) => beside(`any ${path}`),
    'what is in the way': (path) => strangers(path, tree, owner),
  };

  it.each(Object.entries(looks))(
    'that leads to one of root shows no name and no sum of it: %s',
    (_, look) => {
      mkdirSync(at('hidden'), { mode: 0o700 });
      mkdirSync(at('hidden/open'), { mode: 0o755 });
      for (const name of ['hidden/letter', 'hidden/open/letter']) put(name, "root's own", 0o600, 0);
      for (const name of ['hidden', 'hidden/open']) {
        rmSync(at('pg'), { recursive: true });
        symlinkSync(at(name), at('pg'));
        lchownSync(at('pg'), uid, uid);
        const seen = run(look(at('pg')));
        expect(seen.status).not.toBe(0);
        expect(seen.stdout).not.toMatch(/letter|[0-9a-f]{64}/);
      }
    },
  );

  it('tells what he may not look into as being in the way', () => {
    for (const name of ['pg/lost+found', 'pg/base']) mkdirSync(at(name), { mode: 0o700 });
    put('pg/base/letter', "root's own", 0o600, 0);
    const seen = run(beside(`data ${at('pg')}`));
    expect([seen.status, seen.stdout.trim().split('\n').sort()]).toEqual([
      0,
      [`d ${at('pg')}//base`, `d ${at('pg')}//lost+found`],
    ]);
    expect(
      run(strangers(at('pg'), tree, owner))
        .stdout.trim()
        .split('\n')
        .sort(),
    ).toEqual(['base', 'global', 'global/pg_control', 'lost+found']);
  });

  it('is looked at by root where nobody else has made the way, and no file there is read', () => {
    mkdirSync(at('own'), { mode: 0o700 });
    put('own/letter', "root's own", 0o600, 0);
    const seen = run(beside(`any ${at('own')}`));
    expect([seen.status, seen.stdout]).toEqual([0, `f ${at('own')}//letter\n`]);
  });
});

/** By turns a file and a pipe without a writer, as fast as it goes, until the answer is called. */
function swapping(name: string, text: string): () => Promise<void> {
  put(`${name}.file`, text);
  spawnSync('mkfifo', [at(`${name}.pipe`)]);
  const swap = `const { linkSync, renameSync } = require('node:fs');
for (;;) for (const kind of ['file', 'pipe']) {
  linkSync(process.argv[1] + '.' + kind, process.argv[1] + '.next');
  renameSync(process.argv[1] + '.next', process.argv[1]);
}`;
  const child = spawn(process.execPath, ['-e', swap, at(name)], { stdio: 'ignore' });
  return () => {
    child.kill('SIGKILL');
    return gone(child);
  };
}

describe.skipIf(process.getuid?.() !== 0)('a pipe that comes in the place of a file', () => {
  const reads: Readonly<Record<string, () => string>> = {
    'a pid file': () => `lines ${at('mc/x')} word || :`,
    'what a server says of itself': () => `postmaster ${at('mc')} || :`,
    'whether the pair is whole': () =>
      `${wholeFunction({ managementDir: at('mc'), id: 'server1' })}\nwhole 1 || :`,
    'who uses a port': () =>
      `( ${kindNamed('port').probe(desiredOf('port', `{ port: 1, for: it, pid_file: ${at('mc/x')} }`)).shell} ) || :`,
    'a file that pgduet writes': () =>
      `( ${kindNamed('file').probe(desiredOf('file', `{ path: ${at('mc/x')}, owner: ${owner}, content: x }`)).shell} ) || :`,
  };
  it.each(Object.keys(reads))('holds nobody up: %s', async (what) => {
    const names = {
      'what a server says of itself': 'postmaster.pid',
      'whether the pair is whole': 'server1.status.json',
    };
    const path = `mc/${names[what as keyof typeof names] ?? 'x'}`;
    const end = swapping(path, '1\n');
    try {
      const { signal, stdout } = run(
        `until [ -e ${at(path)} ]; do sleep 0.01; done
n=0; while [ $n -lt 150 ]; do ${reads[what]?.()}\nn=$((n + 1)); done >/dev/null 2>&1\necho over`,
        60_000,
      );
      expect({ signal, stdout }).toEqual({ signal: null, stdout: 'over\n' });
    } finally {
      await end();
    }
  });

  it('and its words are those of the file, or none', () => {
    put('mc/x', 'one\n\n three \\n$(id)\nfour');
    const { stdout } = run(`lines ${at('mc/x')} a b c d e; printf '%s|' "$a" "$b" "$c" "$d" "$e"`);
    expect(stdout).toBe('one|| three \\n$(id)|four||');
    symlinkSync(at('mc/x'), at('mc/link'));
    const link = run(`a=before; if lines ${at('mc/link')} a; then echo read; fi; printf '%s|' "$a"`);
    expect(link.stdout).toBe('|');
  });
});

describe.skipIf(process.getuid?.() !== 0)('a name of the administrator', () => {
  it('is the password file: what he may not read is not read for him', () => {
    const passfile = `{ owner: ${owner}, host: h, port: 1, database: replication, user: repl, password: !secret replication_password }`;
    const line = 'h:1:replication:repl:what root knows\n';
    const look = (yaml: string) =>
      run(`PASSFILE=${at('mc/.pgpass')}\n${kindNamed('passfile').probe(desiredOf('passfile', yaml)).shell}`);
    put('mc/.pgpass', `x:1:y:z:other\n${line}`);
    expect(look(passfile).stdout).toContain(line);
    put('secret', line, 0o600, 0);
    rmSync(at('mc/.pgpass'));
    links('mc/.pgpass');
    const seen = look(passfile);
    expect([seen.status, seen.stdout.includes('what root knows')]).toEqual([0, false]);
    const gone = look(passfile.replace('password: !secret replication_password', 'state: absent'));
    expect([gone.status, gone.stderr]).toEqual([1, expect.stringContaining('cannot be read by nobody')]);
  });

  it('is the record of a rebuild: a link ends the step, and nothing is written', () => {
    links('mc/server1.rebuild');
    expect(run(keepStep(rebuild()).script).status).not.toBe(0);
    expect(ofHis()).not.toContain("root's own");
  });

  it('is the record of a rebuild that is his: the copy is made, and the record goes on', () => {
    put('mc/server1.rebuild', 'why so\n');
    const { status, stderr } = run(keepStep(rebuild()).script);
    expect({ status, stderr }).toEqual({ status: 0, stderr: expect.stringContaining('kept in') });
    expect(readFileSync(at('mc/server1.rebuild'), 'utf8')).toMatch(/^why so\nkept /);
  });

  it('is the list of tablespaces of an unfinished copy', () => {
    rmSync(at('pg'), { recursive: true });
    put('mc/server1.making', 'copy');
    links('mc/server1.spaces');
    run(beginMaking({ ...place(), what: 'copy', system: '7' }));
    expect(ofHis()).not.toContain("root's own");
  });

  it('is the pid file: no line of it gets into a list of processes', () => {
    put('secret', "1\n2\n3\n4\nroot's own\n", 0o600, 0);
    links('pg/postmaster.pid');
    const { stdout } = run(`${liveSql(at('pg'), owner)}\npid=1\nlive`);
    expect(stdout).toContain('-h');
    expect(stdout).not.toContain("root's own");
  });

  it('without a server nothing is asked', () => {
    const { status, stdout } = run(`${liveSql(at('pg'), owner)}\necho x | live`);
    expect({ failed: status !== 0, stdout }).toEqual({ failed: true, stdout: '' });
  });
});
