/**
 * The two laws with a real shell, for the kinds that need no more than a directory: after its steps a resource is the
 * same, and looking changes nothing. The lab proves them for every kind (`lab/laws.test.ts`).
 */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask } from '../../src/observe/question.ts';
import { answerOf } from '../../src/postgres/pgpass.ts';
import type { AnyKind, Verdict } from '../../src/resources/contract/kind.ts';
import { preamble } from '../../src/resources/contract/preamble.ts';
import { canary, desiredOf, kindNamed } from './cases.ts';

const { username: me } = userInfo();
let root = '';
let count = 0;
/** A directory of its own for each attempt, with characters in its name that a shell would like to read. */
const scratch = (): string => {
  count += 1;
  const path = join(root, `it's "${count}" $HOME *`);
  mkdirSync(path);
  return path;
};

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'pgduet-laws-'));
});
afterAll(() => rmSync(root, { recursive: true }));

function sh(dir: string, script: string, as: { readonly uid?: number } = {}) {
  const place = { postgresVersion: 15, owner: me, socketDir: '/tmp', port: 1 };
  const functions = preamble({ ...place, passfile: join(dir, '.pgpass') });
  const { status, stdout, stderr } = spawnSync('sh', [], {
    input: `${functions}\n${script}`,
    encoding: 'utf8',
    ...as,
  });
  return { status: status ?? 255, stdout, stderr };
}

function observe(kind: AnyKind, dir: string, desired: unknown, as?: { readonly uid?: number }) {
  const question = ask('', [kind.probe(desired)], 'n0nce', { owner: me, socketDir: '/tmp', port: 1 });
  const [reply] = question.read(sh(dir, question.script, as));
  if (!reply) throw new Error('the question was not answered');
  return kind.read(reply, desired);
}

function look(kind: AnyKind, dir: string, desired: unknown): Verdict {
  const observed = observe(kind, dir, desired);
  if (observed.state === 'unknown') throw new Error(`unknown: ${observed.reason}`);
  return kind.diff(desired, observed);
}

/** Everything below a directory that a change could touch. */
function snapshot(path: string): readonly string[] {
  const { mode, mtimeMs, uid, gid, size } = lstatSync(path);
  const line = `${path} ${mode} ${mtimeMs} ${uid} ${gid} ${size}`;
  if (!lstatSync(path).isDirectory()) return [line];
  return [line, ...readdirSync(path).flatMap((name) => snapshot(join(path, name)))];
}

/** Change, steps, same; and no look on the way leaves a trace. */
function proveLaws(name: string, dir: string, yaml: string): void {
  const kind = kindNamed(name);
  const desired = desiredOf(name, yaml);
  const untouched = snapshot(dir);
  const verdict = look(kind, dir, desired);
  expect(snapshot(dir)).toEqual(untouched);
  expect(verdict.kind).toBe('change');
  if (verdict.kind !== 'change') return;
  for (const step of kind.steps(verdict.change, desired)) {
    const { status, stderr } = sh(dir, `( set -e\n${step.script}\n)`);
    expect(stderr).toBe('');
    expect(status).toBe(0);
  }
  const made = snapshot(dir);
  expect(look(kind, dir, desired)).toMatchObject({ kind: 'same' });
  expect(snapshot(dir)).toEqual(made);
  expect(made.filter((line) => line.includes('pgduet-tmp'))).toEqual([]);
}

const owner = `owner: ${me}`;
const path = (dir: string, name: string): string => `path: ${JSON.stringify(join(dir, name))}`;

describe('directory', () => {
  it('is made with its parents', () => {
    const dir = scratch();
    proveLaws('directory', dir, `{ ${path(dir, 'a/b/c')}, ${owner}, mode: '0700' }`);
    expect(lstatSync(join(dir, 'a/b')).mode & 0o777).toBe(0o755);
  });

  it('gets its mode back', () => {
    const dir = scratch();
    mkdirSync(join(dir, 'wide'));
    chmodSync(join(dir, 'wide'), 0o777);
    proveLaws('directory', dir, `{ ${path(dir, 'wide')}, ${owner}, mode: '0700' }`);
  });
});

describe('file', () => {
  it.each([
    ['text', 'one\ntwo\n'],
    ['text that a shell would read', `$(touch ${'/tmp'}/x) \`id\` "$HOME" 'it''s' \\n %s\n`],
    ['no line at all', '\n'],
    ['lines that end as on Windows', 'a\r\nb\r\n'],
    ['empty lines at its end', 'a\n\n\n'],
    ['letters of the world', 'ä 名 🐘\n'],
  ])('holds %s', (_, content) => {
    const dir = scratch();
    proveLaws(
      'file',
      dir,
      `{ ${path(dir, 'f')}, ${owner}, mode: '0640', content: ${JSON.stringify(content)} }`,
    );
    expect(readFileSync(join(dir, 'f'), 'utf8')).toBe(content);
    expect(lstatSync(join(dir, 'f')).mode & 0o777).toBe(0o640);
  });

  it('takes the place of an older one', () => {
    const dir = scratch();
    writeFileSync(join(dir, 'f'), 'older, and longer than what comes after\n');
    proveLaws('file', dir, `{ ${path(dir, 'f')}, ${owner}, content: new }`);
  });

  it('keeps its time where only its mode is wrong: nobody has to read it again', () => {
    const dir = scratch();
    const file = join(dir, 'f');
    writeFileSync(file, 'one\n');
    chmodSync(file, 0o666);
    utimesSync(file, 1, 1);
    proveLaws('file', dir, `{ ${path(dir, 'f')}, ${owner}, content: one }`);
    expect(lstatSync(file).mtimeMs).toBe(1000);
  });

  it('is not misled by what an interrupted run left', () => {
    const dir = scratch();
    writeFileSync(join(dir, '.f.pgduet-tmp'), 'half of it');
    chmodSync(join(dir, '.f.pgduet-tmp'), 0o400);
    proveLaws('file', dir, `{ ${path(dir, 'f')}, ${owner}, content: new }`);
  });

  it('holds whatever text it is given, byte for byte', () => {
    const dir = scratch();
    const text = fc.string({ unit: 'binary', minLength: 1 }).filter((one) => !one.includes('\0'));
    fc.assert(
      fc.property(text, (content) => {
        rmSync(join(dir, 'f'), { force: true });
        proveLaws('file', dir, `{ ${path(dir, 'f')}, ${owner}, content: ${JSON.stringify(content)} }`);
      }),
      { numRuns: 25 },
    );
  });
});

describe('line', () => {
  const yaml = (dir: string): string => `{ ${path(dir, 'services')}, line: 'mcoi_inst1 27540/tcp' }`;
  it.each([
    ['a file that is not there', undefined, ''],
    ['an empty file', '', ''],
    ['a file without it', 'ssh 22/tcp\n', 'ssh 22/tcp\n'],
    ['a file with another port', 'a 1/tcp\nmcoi_inst1 1/tcp\nb 2/tcp\n', 'a 1/tcp\nb 2/tcp\n'],
    ['a file that has it twice', 'mcoi_inst1 27540/tcp\nmcoi_inst1  27540/tcp\n', ''],
    [
      'a file with a longer word',
      'mcoi_inst10 5/tcp\n\n# mcoi_inst1\n',
      'mcoi_inst10 5/tcp\n\n# mcoi_inst1\n',
    ],
  ])('is added to %s, and the others stay', (_, before, kept) => {
    const dir = scratch();
    if (before !== undefined) writeFileSync(join(dir, 'services'), before);
    proveLaws('line', dir, yaml(dir));
    expect(readFileSync(join(dir, 'services'), 'utf8')).toBe(`${kept}mcoi_inst1 27540/tcp\n`);
  });
});

describe('the end of a file of others', () => {
  const line = "line: 'mcoi_inst1 27540/tcp'";
  const password = `${owner}, host: h, port: 1, database: replication, user: repl, password: !secret replication_password`;
  it.each([
    ['line', 'services', line],
    ['passfile', '.pgpass', password],
  ])('is there again when our %s has gone, with a line end or without', (name, file, fields) => {
    for (const before of [
      'ssh:22:a:b:c',
      'a:1:b:c:d\nssh:22:a:b:c',
      'ssh:22:a:b:c\n',
      'x:1:y:z:w\r\nlast\r',
      'x\n\n',
    ]) {
      const dir = scratch();
      writeFileSync(join(dir, file), before);
      const at = name === 'line' ? `${path(dir, file)}, ` : '';
      proveLaws(name, dir, `{ ${at}${fields} }`);
      expect(readFileSync(join(dir, file), 'utf8').endsWith(before.slice(-3))).toBe(
        name === 'passfile' || !before.endsWith('\n'),
      );
      proveLaws(name, dir, `{ ${at}${fields}, state: absent }`);
      expect(readFileSync(join(dir, file), 'utf8')).toBe(before);
    }
  });
});

describe('symlink', () => {
  it('is made, to a place that need not be there', () => {
    const dir = scratch();
    proveLaws(
      'symlink',
      dir,
      `{ ${path(dir, 'pg_wal')}, target: ${JSON.stringify(join(dir, 'wal'))}, ${owner} }`,
    );
  });

  it('is seen where it leads elsewhere, and is not replaced', () => {
    const dir = scratch();
    symlinkSync('/elsewhere', join(dir, 'pg_wal'));
    const desired = desiredOf('symlink', `{ ${path(dir, 'pg_wal')}, target: /wal, ${owner} }`);
    expect(look(kindNamed('symlink'), dir, desired)).toMatchObject({ kind: 'refuse' });
  });
});

describe('passfile', () => {
  const yaml = `{ ${owner}, host: '::1', port: 5432, database: replication, user: repl, password: !secret replication_password }`;
  it.each([
    ['a file that is not there', undefined],
    ['a file with lines of others', "# mine\n*:*:*:joe:pa'ss\\:word\n"],
    ['a file whose last line has no end', 'a:1:b:c:d'],
    ['a file with the old password', '\\:\\:1:5432:replication:repl:old\n'],
    ['a file that begins with a line for everything', 'db:1:*:*:x\n*:*:*:*:other\n'],
    ['a file with a line for every host', '*:5432:*:repl:other\n'],
    ['a file with lines for every replication', '*:*:replication:*:x\r\n*:*:*:*:\\\\y'],
  ])('is written to %s', (_, before) => {
    const dir = scratch();
    if (before !== undefined) writeFileSync(join(dir, '.pgpass'), before, { mode: 0o644 });
    proveLaws('passfile', dir, yaml);
    const after = readFileSync(join(dir, '.pgpass'), 'utf8');
    for (const line of (before ?? '').split('\n').filter((text) => !text.includes(':repl:')))
      expect(after).toContain(line);
    expect(after).not.toContain('repl:old');
    const asked = { host: '::1', port: '5432', database: 'replication', user: 'repl' };
    const [first] = after.split('\n').flatMap((line) => answerOf(line, asked) ?? []);
    expect(first?.reveal()).toBe(canary);
    expect(lstatSync(join(dir, '.pgpass')).mode & 0o777).toBe(0o600);
  });

  it.each(['..pgpass.pgduet-tmp', '..pgpass.controller.pgduet-tmp'])(
    'takes %s with it, which holds the password',
    (left) => {
      const dir = scratch();
      const lines = 'a:1:b:c:d\n';
      writeFileSync(join(dir, '.pgpass'), lines, { mode: 0o600 });
      writeFileSync(join(dir, left), `::1:5432:replication:repl:${canary}\n`, { mode: 0o600 });
      const desired = desiredOf(
        'passfile',
        yaml.replace('password: !secret replication_password', 'state: absent'),
      );
      expect(look(kindNamed('passfile'), dir, desired).kind).toBe('change');
      proveLaws('passfile', dir, yaml.replace('password: !secret replication_password', 'state: absent'));
      expect(readdirSync(dir)).toEqual(['.pgpass']);
      expect(readFileSync(join(dir, '.pgpass'), 'utf8')).toBe(lines);
    },
  );
});

describe('behind a directory that is closed to the login', () => {
  const nobody = process.getuid?.() === 0 ? { uid: 65534 } : {};
  it.each([
    ['file', 'content: one'],
    ['directory', "mode: '0700'"],
    ['symlink', 'target: /wal'],
  ])('a %s is unknown, not absent', (name, more) => {
    const dir = scratch();
    const closed = join(dir, 'closed');
    mkdirSync(join(closed, 'a'), { recursive: true });
    chmodSync(closed, 0o600);
    const desired = desiredOf(name, `{ ${path(dir, 'closed/a/b')}, ${owner}, ${more} }`);
    const reason = expect.stringMatching(/^no right to look into \//);
    expect(observe(kindNamed(name), dir, desired, nobody)).toEqual({ state: 'unknown', reason });
    chmodSync(closed, 0o700);
    expect(look(kindNamed(name), dir, desired).kind).toBe('change');
  });
});

describe('command', () => {
  it('is run while its check fails', () => {
    const dir = scratch();
    const mark = JSON.stringify(`'${join(dir, 'done').replaceAll("'", "'\\''")}'`);
    proveLaws(
      'command',
      dir,
      `{ name: mark, run: ${mark.replace('"', '"touch ')}, unless: ${mark.replace('"', '"test -e ')} }`,
    );
  });
});
