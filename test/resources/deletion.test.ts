/**
 * Nothing is deleted that is not PostgreSQL's own. The scripts of the kinds, run by a real shell in temporary trees: what stands in the
 * way is named and stays, in the first run and in every further one.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { preamble } from '../../src/resources/contract/preamble.ts';
import { gone } from '../child-end.ts';
import { desiredOf, kindNamed, sampleContext, samplePlace } from './cases.ts';

const { username: owner } = userInfo();
const isRoot = process.getuid?.() === 0;
let root = '';
let data = '';
let wal = '';
let mc = '';
beforeEach(() => {
  // In memory, where that is possible: the steps sync.
  root = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'pgduet-deletion-'));
  [data, wal, mc] = [join(root, 'pg'), join(root, 'wal'), join(root, 'mc')];
  mkdirSync(mc);
});
afterEach(() => {
  rmSync(root, { recursive: true });
});

/** What stands for a program of PostgreSQL. */
function program(name: string, body: string): void {
  mkdirSync(join(root, 'bin'), { recursive: true });
  writeFileSync(join(root, 'bin', name), `#!/bin/sh\n${body}\n`);
  chmodSync(join(root, 'bin', name), 0o755);
}

/** pg_controldata says what stands in global/pg_control, as it is. */
function standIns(): void {
  for (const name of ['postgres', 'psql', 'pg_receivewal']) program(name, ':');
  program('pg_controldata', 'cat "$2/global/pg_control" && [ -s "$2/global/pg_control" ]');
  const fill = `mkdir -p "$D/global" "$D/base/1" "$D/pg_tblspc"; echo 15 > "$D/PG_VERSION"; cp ${root}/control "$D/global/pg_control"`;
  const link = 'if [ -n "$W" ]; then mkdir -p "$W"; ln -s "$W" "$D/pg_wal"; else mkdir "$D/pg_wal"; fi';
  const parse =
    'while [ $# -gt 0 ]; do case $1 in -D) D=$2;; --waldir=*) W=${1#*=};; esac; shift; done; mkdir -p "$D"';
  const empty =
    'for p in "$D" ${W:+"$W"}; do if [ -n "$(ls -A "$p" 2>/dev/null)" ]; then echo "directory $p exists but is not empty" >&2; exit 1; fi; done';
  for (const name of ['initdb', 'pg_basebackup'])
    program(name, `${parse}\n${empty}\n${fill}\n${link}\n: > "$D/pg_wal/000000010000000000000001"`);
}

const control = (system: string, oid = 13572): string =>
  `Catalog version number: 202209061
Database system identifier: ${system}
Database cluster state: shut down
Latest checkpoint location: 0/2000028
Latest checkpoint's TimeLineID: 1
Latest checkpoint's NextOID: ${oid}
Data page checksum version: 1
`;

function put(path: string, text = 'precious'): string {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  return path;
}

const scriptOf = (text: string): string =>
  `set -e\nPATH=${root}/bin:$PATH\n${preamble({ postgresVersion: 15, binDir: join(root, 'bin'), owner, socketDir: '/tmp', port: 1 })}\n${text}`;
const sh = (text: string) => spawnSync('sh', [], { input: scriptOf(text), encoding: 'utf8' });
const look = (text: string) => sh(`set +e\n${text}`);

function resource(kind: string, yaml: string, over: { walDir?: string; mcCtl?: string } = {}) {
  const server = {
    ...samplePlace,
    dataDir: data,
    managementDir: mc,
    owner,
    mcCtl: '/nowhere/mc_ctl',
    ...over,
  };
  const desired = desiredOf(kind, yaml, sampleContext({ server }));
  const known = kindNamed(kind);
  const see = () => {
    const reply = look(known.probe(desired).shell ?? '');
    return known.read({ ...reply, status: reply.status ?? 1 }, desired);
  };
  const judge = () => {
    const seen = see();
    return seen.state === 'unknown' ? seen : known.diff(desired, seen);
  };
  const run = () => {
    const verdict = judge();
    if ('state' in verdict || verdict.kind !== 'change') return verdict;
    return known
      .steps(verdict.change, desired)
      .map((step) => sh(step.script))
      .reduce((all, one) => ({ status: all.status || one.status, stderr: all.stderr + one.stderr }), {
        status: 0 as number | null,
        stderr: '',
      });
  };
  /** The steps as they were planned before something came between. */
  const planned = () => {
    const verdict = judge();
    if ('state' in verdict || verdict.kind !== 'change') throw new Error(JSON.stringify(verdict));
    const steps = known.steps(verdict.change, desired);
    return (most = steps.length) =>
      steps
        .slice(0, most)
        .map((step) => sh(step.script))
        .find(({ status }) => status !== 0);
  };
  return { judge, run, planned };
}

const refused = (code: string, ...names: readonly string[]) =>
  expect.objectContaining({
    kind: 'refuse',
    diagnostic: expect.objectContaining({
      code,
      ...(names.length > 0
        ? { evidence: expect.arrayContaining(names.map((name) => `found: ${name}`)) }
        : {}),
    }),
  });
const done = expect.objectContaining({ status: 0 });

const instance = (over: { walDir?: string } = {}) => resource('instance', '{}', over);
const copyYaml = (rest = ''): string =>
  `{ host: h, port: 1, user: u, slot: s, system_identifier: '77'${rest} }`;
const standby = (rest = '', over: { walDir?: string } = {}) => resource('standby', copyYaml(rest), over);
const eraseYaml = (rest = ''): string => `{ keeper: server2, system_identifier: '77', serves: true${rest} }`;
const erased = (rest = '', over: { walDir?: string } = {}) => resource('erased', eraseYaml(rest), over);

/** A finished standby of ours. */
function finished(over: { walDir?: string } = {}): void {
  expect(standby('', over).run()).toEqual(done);
  expect(standby('', over).judge()).toMatchObject({ kind: 'same' });
}
const mark = (word: string) => put(join(mc, 'server1.making'), word);

beforeEach(() => {
  standIns();
  writeFileSync(join(root, 'control'), control('77'));
});

describe('a WAL directory that is not empty', () => {
  it.each(['instance', 'standby'] as const)('is refused in every run (%s)', (kind) => {
    const file = put(join(wal, 'other/f'));
    mkdirSync(join(wal, 'lost+found'));
    const make = kind === 'instance' ? instance({ walDir: wal }) : standby('', { walDir: wal });
    for (const _ of [1, 2, 3]) expect(make.run()).toEqual(refused('SAF002', file, join(wal, 'lost+found')));
    expect(make.judge()).toMatchObject({
      diagnostic: { fix: expect.stringContaining('a directory below it') },
    });
    mark('initdb');
    expect(make.run()).toEqual(refused('SAF002', file));
    expect(readFileSync(file, 'utf8')).toBe('precious');
    expect(existsSync(join(wal, 'lost+found'))).toBe(true);
  });

  it('keeps what comes between the plan and the step', () => {
    mkdirSync(wal);
    const go = instance({ walDir: wal }).planned();
    const file = put(join(wal, 'other/f'));
    expect(go()?.stderr).toContain('holds what is not PostgreSQL');
    expect(readFileSync(file, 'utf8')).toBe('precious');
  });

  it("is not another cluster's to lose, though the names are those of WAL", () => {
    const segment = put(join(wal, '000000010000000000000007'));
    mark('initdb');
    put(join(data, 'PG_VERSION'), '15\n');
    expect(instance({ walDir: wal }).run()).toEqual(refused('SAF002', segment));
    expect(existsSync(segment)).toBe(true);
  });

  it('of an interrupted attempt is emptied, and the attempt made anew', () => {
    expect(instance({ walDir: wal }).run()).toEqual(done);
    rmSync(join(mc, 'server1.system'));
    mark('initdb');
    expect(instance({ walDir: wal }).run()).toEqual(done);
    expect(readdirSync(wal)).toEqual(['000000010000000000000001']);
    expect(existsSync(join(mc, 'server1.making'))).toBe(false);
  });
});

describe('a place that cannot be looked at', () => {
  it.each([
    ['wal', () => [instance({ walDir: wal }), standby('', { walDir: wal })]],
    ['space', () => [standby(`, tablespaces: [${join(root, 'space')}]`)]],
  ])('is unknown, and nothing is made or deleted (%s)', (name, kinds) => {
    const file = put(join(root, name, 'f'));
    for (const one of kinds()) expect(one.run()).toEqual(refused('SAF002', file));
    program(
      'find',
      `case $PWD in */${name}) echo 'find: Input/output error' >&2; exit 1;; esac; exec /usr/bin/find "$@"`,
    );
    for (const one of kinds())
      expect(one.run()).toMatchObject({
        state: 'unknown',
        reason: expect.stringContaining('Input/output error'),
      });
    expect(existsSync(join(mc, 'server1.making'))).toBe(false);
  });

  it('is unknown at a teardown and a rebuild', () => {
    formerPrimary({ walDir: wal });
    program(
      'find',
      `case $PWD in */wal) echo 'find: Input/output error' >&2; exit 1;; esac; exec /usr/bin/find "$@"`,
    );
    for (const one of [erased('', { walDir: wal }), rebuild('', { walDir: wal })])
      expect(one.run()).toMatchObject({
        state: 'unknown',
        reason: expect.stringContaining('Input/output error'),
      });
  });
});

describe('what an interrupted attempt has left', () => {
  it.each(['dumps/a.sql', 'server.key', 'base/1/notes.txt', 'pg_wal/archive/1', 'postgresql.conf.bak'])(
    'is not emptied with %s in it',
    (name) => {
      finished();
      rmSync(join(mc, 'server1.system'));
      mark('copy');
      const file = put(join(data, name));
      for (const _ of [1, 2]) expect(standby().run()).toEqual(refused('SAF002', file));
      expect(readFileSync(file, 'utf8')).toBe('precious');
      expect(existsSync(join(data, 'PG_VERSION'))).toBe(true);
    },
  );

  it('is emptied where the primary has the same file, byte for byte', () => {
    finished();
    mark('copy');
    put(join(data, 'conf.d/a [1].conf'), 'text');
    const sum = spawnSync('sh', ['-c', 'printf text | sha256sum'], { encoding: 'utf8' }).stdout.slice(0, 64);
    const same = `, same: ['${sum} conf.d/a [1].conf', 'd conf.d']`;
    expect(standby().run()).toEqual(refused('SAF002'));
    expect(standby(same).run()).toEqual(done);
    expect(existsSync(join(data, 'conf.d'))).toBe(false);
  });

  it('is nobody to be emptied when a server was started in it, or it is of another cluster', () => {
    finished();
    mark('copy');
    put(join(data, 'postmaster.opts'));
    expect(standby().run()).toEqual(refused('SAF001'));
    rmSync(join(data, 'postmaster.opts'));
    rmSync(join(mc, 'server1.system'));
    writeFileSync(join(data, 'global/pg_control'), control('99'));
    expect(standby().run()).toEqual(refused('SAF001'));
    expect(erased().run()).toEqual(refused('SAF001'));
    expect(existsSync(join(data, 'PG_VERSION'))).toBe(true);
  });

  it('is more than an initdb where somebody has made a table', () => {
    finished();
    rmSync(join(mc, 'server1.system'));
    mark('initdb');
    writeFileSync(join(data, 'global/pg_control'), control('99', 16390));
    expect(instance().run()).toEqual(refused('SAF001'));
    const { diagnostic } = instance().judge() as { diagnostic: { what: string } };
    expect(diagnostic.what).toContain('more than an initdb');
  });

  it.each([
    ['in production', 20192, done],
    ['in production', 24576, refused('SAF001')],
    ['shut down', 20192, refused('SAF001')],
  ])('is an initdb that nobody has used, by its next OID (%s, %i)', (state, oid, expected) => {
    finished();
    rmSync(join(mc, 'server1.system'));
    mark('initdb');
    const go = instance().planned();
    const now = control('99', oid).replace('shut down', state);
    writeFileSync(join(data, 'global/pg_control'), now);
    expect(instance().judge()).toEqual(
      expected === done ? expect.objectContaining({ kind: 'change' }) : expected,
    );
    expect(go()?.status).toBe(expected === done ? undefined : 1);
  });

  it('of a copy is not for initdb to use', () => {
    finished();
    mark('copy');
    expect(instance().run()).toEqual(refused('SAF001'));
  });

  it('is unknown where its control file tells nothing', () => {
    finished();
    mark('copy');
    program('pg_controldata', 'echo broken >&2; exit 1');
    expect(standby().run()).toMatchObject({ state: 'unknown' });
    expect(erased().run()).toMatchObject({ state: 'unknown' });
  });
});

describe('recorded, and nothing there', () => {
  it.each(['empty', 'absent', 'a link that leads nowhere'])('%s', (how) => {
    put(join(mc, 'server1.system'), '77');
    if (how === 'empty') mkdirSync(data);
    if (how.startsWith('a link')) symlinkSync(join(root, 'unmounted'), data);
    for (const one of [instance(), standby(), erased()]) {
      expect(one.run()).toEqual(refused('SAF008'));
      expect(one.judge()).toMatchObject({
        diagnostic: { what: expect.stringContaining('is a disk not mounted?') },
      });
    }
    expect(readFileSync(join(mc, 'server1.system'), 'utf8')).toBe('77');
  });

  it('is made anew once the record is gone', () => {
    finished();
    rmSync(data, { recursive: true });
    rmSync(join(mc, 'server1.system'));
    expect(standby().run()).toEqual(done);
  });
});

/** The primary answers a server that is to be rebuilt: it is on timeline 2. */
const primaryAnswers = () =>
  program(
    'psql',
    `case "$*" in *IDENTIFY*) echo '77|2|0/5000000|';; *TIMELINE*) printf '00000002.history|1\\t0/300100\\tx\\n';; esac`,
  );

describe('a record that is there and tells nothing', () => {
  beforeEach(primaryAnswers);
  const secret = 'root:$y$j9T$precious';
  const kinds = () => [instance(), standby(), rebuild(), rebuild(', copy: true'), erased()];
  const shapes: Readonly<Record<string, (file: string) => void>> = {
    empty: (file) => put(file, ''),
    'of other words': (file) => put(file, '77 or 78\n'),
    'too long': (file) => put(file, '7'.repeat(21)),
    'a link to a secret': (file) => symlinkSync(put(join(root, 'shadow'), `${secret}\n`), file),
    'a link that leads nowhere': (file) => symlinkSync(join(root, 'nowhere'), file),
    'a directory': (file) => mkdirSync(file),
  };

  it.each(
    Object.keys(shapes).flatMap((shape) => ['server1.system', 'server1.making'].map((name) => [shape, name])),
  )('is none that is missing, and is not shown (%s: %s)', (shape = '', name = '') => {
    for (const there of [false, true]) {
      if (there) {
        rmSync(join(mc, name), { recursive: true });
        finished();
        rmSync(join(mc, name), { recursive: true, force: true });
      }
      rmSync(join(root, 'shadow'), { force: true });
      shapes[shape]?.(join(mc, name));
      for (const one of kinds()) {
        const verdict = one.run();
        expect(verdict).toEqual(refused('SAF008'));
        expect(JSON.stringify(verdict)).toContain(join(mc, name));
        expect(JSON.stringify(verdict)).not.toContain('precious');
      }
      expect(existsSync(join(data, 'PG_VERSION'))).toBe(there);
    }
  });

  it.each(['server1.system', 'server1.making'])(
    'ends the steps that were planned before it was (%s)',
    (name) => {
      const go = [instance().planned(), standby().planned()];
      symlinkSync(put(join(root, 'shadow'), `${secret}\n`), join(mc, name));
      for (const one of go) {
        const ended = one();
        expect(ended?.stderr).toContain(`${join(mc, name)} does not say`);
        expect(ended?.stderr).not.toContain('precious');
      }
      expect(existsSync(data)).toBe(false);
      rmSync(join(mc, name));
      finished();
      const deletion = erased().planned();
      rmSync(join(mc, name), { force: true });
      symlinkSync(join(root, 'shadow'), join(mc, name));
      expect(deletion()?.stderr).toContain(`${join(mc, name)} does not say`);
      expect(existsSync(join(data, 'PG_VERSION'))).toBe(true);
    },
  );

  it('is the version, too', () => {
    finished();
    rmSync(join(data, 'PG_VERSION'));
    symlinkSync(put(join(root, 'shadow'), `${secret}\n`), join(data, 'PG_VERSION'));
    const { shell = '' } = kindNamed('standby').probe(
      desiredOf(
        'standby',
        copyYaml(),
        sampleContext({ server: { ...samplePlace, dataDir: data, managementDir: mc, owner } }),
      ),
    );
    const { stdout } = look(shell);
    expect(stdout).toContain('content cluster');
    expect(stdout).not.toContain('precious');
  });
});

describe('a list of tablespaces that cannot be read', () => {
  it('is none that is empty: nothing is made or deleted', () => {
    primaryAnswers();
    finished();
    mark('copy');
    const go = [standby().planned(), erased().planned(), rebuild(', copy: true').planned()];
    mkdirSync(join(mc, 'server1.spaces'));
    const unread = expect.stringContaining('server1.spaces cannot be read');
    for (const one of [rebuild(), erased(), standby(`, tablespaces: [${join(root, 'space')}]`)])
      expect(one.run()).toMatchObject({ state: 'unknown', reason: unread });
    for (const one of go) expect(one()?.stderr).toEqual(unread);
    expect(existsSync(join(data, 'base/1'))).toBe(true);
    expect(readFileSync(join(mc, 'server1.making'), 'utf8')).toBe('copy');
  });
});

const rebuildYaml = (rest = ''): string =>
  `{ primary: server2, host: h, port: 1, user: u, slot: s, rewind_user: r${rest} }`;
const rebuild = (rest = '', over: { walDir?: string } = {}) => resource('rebuild', rebuildYaml(rest), over);

const walBytes = 1024 * 1024;
/** A segment of WAL on timeline 1 whose pages up to this one were written. */
function segment(number: number, pages: number): Buffer {
  const bytes = Buffer.alloc(walBytes);
  for (let page = 0; page < pages; page++)
    bytes.writeBigUInt64LE(BigInt(number * walBytes + page * 8192), page * 8192 + 8);
  return bytes;
}
const segmentFile = (number: number): string =>
  join(data, 'pg_wal', `0000000100000000${number.toString(16).toUpperCase().padStart(8, '0')}`);

/** It was primary on timeline 1; the present primary left that at 0/300100, within segment 3. */
function formerPrimary(over: { walDir?: string } = {}): void {
  writeFileSync(
    join(root, 'control'),
    `${control('77').replace('0/2000028', '0/300028')}Latest checkpoint's full_page_writes: on
WAL block size: 8192
Bytes per WAL segment: ${walBytes}
Minimum recovery ending location: 0/0
`,
  );
  finished(over);
  rmSync(join(data, 'standby.signal'));
  primaryAnswers();
  program(
    'pg_rewind',
    'while [ $# -gt 0 ]; do case $1 in -D) D=$2;; --dry-run) exit 0;; esac; shift; done; echo new > "$D/base/1/1"; echo "START WAL LOCATION: 0/1 (file x)" > "$D/backup_label"',
  );
  rmSync(segmentFile(1));
  put(join(data, 'base/1/1'), 'old');
  writeFileSync(segmentFile(3), segment(3, 1));
  waldump(
    'pg_waldump: error: error in WAL record at 0/3000C8: invalid record length at 0/300100: wanted 24, got 0',
  );
}
const waldump = (says: string, prints = '') =>
  program('pg_waldump', `printf '%s' '${prints}'; echo '${says}' >&2; exit 1`);
const keptCopies = (): readonly string[] =>
  readdirSync(root).filter((name) => name.includes('before-rebuild'));
const notesOf = (one: ReturnType<typeof rebuild>): string => JSON.stringify(one.judge());

describe('the copy that a rebuild keeps', () => {
  it.each([
    ['a link', '', false],
    ['a link, and pg_wal another one', '', true],
    ['a link, for a base backup', ', copy: true', false],
    ['a link, and pg_wal another one, for a base backup', ', copy: true', true],
  ])('is whole where the data directory is %s', (_, rest, ownWal) => {
    const over = ownWal ? { walDir: wal } : {};
    formerPrimary(over);
    waldump('x', 'desc: COMMIT\n');
    const real = join(root, 'disk/main');
    mkdirSync(dirname(real));
    expect(spawnSync('mv', [data, real]).status).toBe(0);
    symlinkSync(real, data);
    expect(rebuild(rest, over).run()).toEqual(done);
    const [kept, ...more] = keptCopies();
    expect(more).toEqual([]);
    const copy = join(root, kept ?? '');
    expect(lstatSync(copy).isDirectory()).toBe(true);
    expect(lstatSync(join(copy, 'pg_wal')).isDirectory()).toBe(true);
    expect(readFileSync(join(copy, 'base/1/1'), 'utf8')).toBe('old');
    // A comparison by toEqual takes seconds for a million bytes.
    expect(readFileSync(join(copy, 'pg_wal/000000010000000000000003')).equals(segment(3, 1))).toBe(true);
    expect(lstatSync(data).isSymbolicLink()).toBe(true);
    expect(existsSync(join(real, 'base/1/1')) && readFileSync(join(real, 'base/1/1'), 'utf8')).toBe(
      rest === '' ? 'new\n' : false,
    );
    expect(existsSync(join(real, 'standby.signal'))).toBe(true);
    if (ownWal) expect(lstatSync(join(real, 'pg_wal')).isSymbolicLink()).toBe(true);
  });

  it('is none where nothing was to rewind: it stopped where the other one took over, and is a standby all the same', () => {
    formerPrimary();
    program('pg_rewind', 'echo "pg_rewind: no rewind required" >&2');
    expect(rebuild().run()).toEqual(done);
    expect(keptCopies()).toEqual([]);
    expect(readFileSync(join(data, 'base/1/1'), 'utf8')).toBe('old');
    expect(existsSync(join(data, 'standby.signal'))).toBe(true);
    expect(existsSync(join(mc, 'server1.making'))).toBe(false);
  });

  it('is proven: nothing is changed where it is not the same', () => {
    formerPrimary();
    waldump('x', 'desc: COMMIT\n');
    program('cp', '/bin/cp "$@"; for k; do :; done; rm -f "$k"base/1/1 2>/dev/null; :');
    const { status, stderr } = sh(`PATH=${root}/bin:$PATH\n${rebuildScript(0)}`);
    expect([status, stderr]).toEqual([1, expect.stringContaining('is not the same as')]);
    expect(keptCopies()).toEqual(['pg.before-rebuild.unfinished']);
    expect(readFileSync(join(data, 'base/1/1'), 'utf8')).toBe('old');
    expect(existsSync(join(mc, 'server1.making'))).toBe(false);
  });

  it('of an earlier attempt counts only as long as it is one', () => {
    formerPrimary();
    waldump('x', 'desc: COMMIT\n');
    put(join(mc, 'server1.rebuild'), `kept ${join(root, 'kept')}\n`);
    expect(notesOf(rebuild())).toContain('is kept in');
    expect(notesOf(rebuild())).toContain('-TIME first');
    symlinkSync(data, join(root, 'kept'));
    expect(notesOf(rebuild())).toContain('-TIME first');
    rmSync(join(root, 'kept'));
    expect(spawnSync('cp', ['-a', data, join(root, 'kept')]).status).toBe(0);
    expect(notesOf(rebuild())).toContain(`kept in ${join(root, 'kept')}"`);
    writeFileSync(
      join(data, 'global/pg_control'),
      `${readFileSync(join(root, 'control'), 'utf8')}later: 1\n`,
    );
    expect(notesOf(rebuild())).toContain('-TIME first');
  });

  const rebuildScript = (index: number): string => {
    const server = { ...samplePlace, dataDir: data, managementDir: mc, owner };
    const desired = desiredOf('rebuild', rebuildYaml(), sampleContext({ server }));
    const kind = kindNamed('rebuild');
    const reply = look(kind.probe(desired).shell ?? '');
    const seen = kind.read({ ...reply, status: reply.status ?? 1 }, desired);
    const verdict = seen.state === 'unknown' ? undefined : kind.diff(desired, seen);
    if (verdict?.kind !== 'change') throw new Error(JSON.stringify([seen, verdict]));
    return kind.steps(verdict.change, desired)[index]?.script ?? '';
  };
});

describe('"no commits of its own"', () => {
  it('is proven by a reading that came to the end', () => {
    formerPrimary();
    expect(notesOf(rebuild())).not.toContain('is kept in');
  });

  it.each([
    ['pg_waldump could not read', 'pg_waldump: error: could not read file: Input/output error', () => {}],
    ['pg_waldump is not there', '', () => rmSync(join(root, 'bin/pg_waldump'))],
    [
      'a record is damaged',
      'pg_waldump: error: error in WAL record at 0/3000C8: incorrect resource manager data checksum in record at 0/300100',
      () => {},
    ],
    [
      'the page goes on',
      'pg_waldump: error: error in WAL record at 0/3000C8: invalid record length at 0/300100: wanted 24, got 0',
      () => writeFileSync(segmentFile(3), Buffer.from(segment(3, 1)).fill(7, 0x200, 0x201)),
    ],
    [
      'a later page was written',
      'pg_waldump: error: error in WAL record at 0/3000C8: invalid record length at 0/300100: wanted 24, got 0',
      () => writeFileSync(segmentFile(3), segment(3, 9)),
    ],
    [
      'a later segment was written',
      'pg_waldump: error: could not find file "000000010000000000000004": No such file or directory',
      () => writeFileSync(segmentFile(5), segment(5, 1)),
    ],
    [
      'it stopped before the last checkpoint',
      'pg_waldump: fatal: could not find a valid record after 0/300100',
      () =>
        writeFileSync(
          join(data, 'global/pg_control'),
          readFileSync(join(root, 'control'), 'utf8').replace('0/300028', '0/300228'),
        ),
    ],
    [
      'its WAL is gone',
      '',
      () => {
        writeFileSync(segmentFile(5), segment(5, 1));
        rmSync(segmentFile(3));
      },
    ],
  ])('is unknown where %s, and the data is kept', (_, says, change) => {
    formerPrimary();
    waldump(says);
    change();
    expect(notesOf(rebuild())).toContain('it cannot be told whether server1 holds commits');
    expect(notesOf(rebuild())).toContain('-TIME first');
  });

  it.each([
    ['unexpected pageaddr 0/100000 in log segment 000000010000000000000003, offset 8192'],
    ['unexpected pageaddr 0/100000 in WAL segment 000000010000000000000003, LSN 0/302000, offset 8192'],
    ['invalid magic number 0000 in log segment 000000010000000000000003, offset 8192'],
    ['invalid record length at 0/300100: expected at least 24, got 0'],
  ])('is known where the words are: %s', (says) => {
    formerPrimary();
    waldump(`pg_waldump: error: error in WAL record at 0/300100: ${says}`);
    // A segment that waits to be used again still has the addresses of its former place.
    writeFileSync(segmentFile(4), segment(1, 20));
    expect(notesOf(rebuild())).not.toContain('is kept in');
  });

  /** The primary is on timeline 1 as well, and its WAL ends there. */
  const primaryAt = (position: string): void =>
    program('psql', `case "$*" in *IDENTIFY*) echo '77|1|${position}|';; esac`);

  it('is unknown of a standby that has more than its primary, and of a primary beside it', () => {
    formerPrimary();
    put(join(data, 'standby.signal'), '');
    put(join(data, 'postmaster.opts'), '');
    primaryAt('0/300100');
    expect(notesOf(rebuild())).not.toContain('is kept in');
    primaryAt('0/300000');
    expect(notesOf(rebuild())).toContain('it ends after 0/300000, where the primary is');
    primaryAt('0/300100');
    rmSync(join(data, 'standby.signal'));
    expect(notesOf(rebuild())).toContain('it was primary on timeline 1, as the primary is');
  });

  it('counts what was prepared', () => {
    formerPrimary();
    waldump('x', 'desc: PREPARE\n');
    expect(notesOf(rebuild())).toContain('1 commits are on server1 alone');
  });
});

describe('a rebuild', () => {
  it.each(['', ', copy: true'])('is refused where a file of somebody would be lost (%s)', (rest) => {
    formerPrimary();
    const file = put(join(data, 'dumps/a.sql'));
    expect(rebuild(rest).run()).toEqual(refused('SAF002', file));
    rmSync(join(data, 'dumps'), { recursive: true });
    const go = rebuild(rest).planned();
    put(file);
    expect(go()?.stderr).toContain('dumps/a.sql');
    expect(readFileSync(file, 'utf8')).toBe('precious');
    expect(existsSync(join(mc, 'server1.making'))).toBe(false);
  });

  it('says where a certificate of its own belongs, since the copy brings that of the primary', () => {
    formerPrimary();
    const key = put(join(data, 'server.key'), 'of this host');
    const certificate = put(join(data, 'server.crt'), 'of this host');
    expect(rebuild().judge()).toMatchObject({
      diagnostic: {
        code: 'SAF002',
        what: expect.stringContaining(`${certificate}, and 1 more`),
        fix: expect.stringMatching(/Move them away.* ssl_cert_file/),
        evidence: [`found: ${certificate}`, `found: ${key}`],
      },
    });
    expect(readFileSync(key, 'utf8')).toBe('of this host');
  });

  it('names the slots of a former primary, which go with what it had', () => {
    formerPrimary();
    for (const name of ['feed', 'pgduet_copy_server2', 'pg_basebackup_77'])
      put(join(data, 'pg_replslot', name, 'state'));
    const go = 'the replication slots of server1 go, and whoever read from them begins anew at server2: feed';
    expect(rebuild().judge()).toMatchObject({ change: { notes: expect.arrayContaining([go]) } });
    put(join(data, 'standby.signal'), '');
    expect(JSON.stringify(rebuild().judge())).not.toContain('replication slots');
  });

  it.each(['', ', copy: true'])('changes nothing where commits came since the plan (%s)', (rest) => {
    formerPrimary();
    const outdated = () => {
      const go = rebuild(rest).planned();
      return (change: () => void) => {
        change();
        expect(go()?.status).toBe(75);
        expect(readFileSync(join(data, 'base/1/1'), 'utf8')).toBe('old');
        expect(existsSync(join(mc, 'server1.making'))).toBe(false);
      };
    };
    outdated()(() => waldump('x', 'desc: COMMIT\n'));
    // The copy that an earlier attempt has kept is that of the data no more.
    expect(spawnSync('cp', ['-a', data, join(root, 'kept')]).status).toBe(0);
    put(join(mc, 'server1.rebuild'), `kept ${join(root, 'kept')}\n`);
    const later = `${readFileSync(join(root, 'control'), 'utf8')}later: 1\n`;
    outdated()(() => writeFileSync(join(data, 'global/pg_control'), later));
    writeFileSync(join(data, 'global/pg_control'), readFileSync(join(root, 'control')));
    expect(rebuild(rest).run()).toEqual(done);
  });

  /** Promoted by a person between the plan and its first step; its controller runs. */
  it.each([
    ['whose data holds nothing of its own', ''],
    ['whose data would be kept', 'desc: COMMIT\n'],
  ])('stops no server that has become a primary meanwhile: a standby %s', (_, own) => {
    formerPrimary();
    put(join(data, 'standby.signal'), '');
    put(join(data, 'postmaster.opts'), '');
    if (own !== '') waldump('x', own);
    const controller = spawn('sleep', ['60'], { stdio: 'ignore' });
    const started = readFileSync(`/proc/${controller.pid}/stat`, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ')[19];
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8');
    put(join(mc, 'server1.pid'), `${controller.pid}\n${started}\n${boot}`);
    const stopped = join(root, 'stopped');
    const mcCtl = put(join(root, 'mc_ctl'), `#!/bin/sh\ntouch ${stopped}\n`);
    chmodSync(mcCtl, 0o755);
    const go = resource('rebuild', rebuildYaml(''), { mcCtl }).planned();
    rmSync(join(data, 'standby.signal'));
    expect(go(1)?.status).toBe(75);
    expect(existsSync(stopped)).toBe(false);
    put(join(data, 'standby.signal'), '');
    go(1);
    expect(existsSync(stopped)).toBe(true);
    controller.kill('SIGKILL');
  });

  it.each(['', 'rewind', 'copy'])(
    'empties tablespaces with any name, and nothing that only looks like one (mark: %s)',
    (word) => {
      formerPrimary();
      if (word !== '') mark(word);
      // What a killed run of pg_rewind has left.
      put(join(mc, 'server1.rewind-pass'));
      const space = join(root, 'data:1/ts a');
      put(join(space, 'PG_15_202209061/5/16400'));
      symlinkSync(space, join(data, 'pg_tblspc/16399'));
      const other = put(join(root, 'data/PG_15_202209061/5/1'));
      expect(rebuild(', copy: true').run()).toEqual(done);
      expect(readdirSync(space)).toEqual([]);
      expect(readdirSync(mc).sort()).toEqual(['server1.rebuild', 'server1.system']);
      expect(readFileSync(other, 'utf8')).toBe('precious');
    },
  );

  it.each(['', 'copy'])('is refused where a new tablespace of the primary finds files (mark: %s)', (word) => {
    formerPrimary();
    const [old, fresh] = [join(root, 'old'), join(root, 'fresh ts')];
    put(join(old, 'PG_15_202209061/5/16400'));
    symlinkSync(old, join(data, 'pg_tblspc/16399'));
    if (word !== '') mark(word);
    const now = () => rebuild(`, copy: true, tablespaces: ['${old}', '${fresh}']`);
    const go = now().planned();
    const file = put(join(fresh, 'letter'));
    expect(now().judge()).toEqual(refused('SAF002', file));
    expect(go()?.stderr).toContain('letter');
    expect(readFileSync(join(data, 'base/1/1'), 'utf8')).toBe('old');
    rmSync(file);
    expect(now().run()).toEqual(done);
    expect(existsSync(join(data, 'base/1/1'))).toBe(false);
  });

  it('is refused where the disk with its WAL is not mounted, and keeps no copy without WAL', () => {
    formerPrimary({ walDir: wal });
    waldump('x', 'desc: COMMIT\n');
    const go = rebuild().planned();
    expect(spawnSync('mv', [wal, join(root, 'unmounted')]).status).toBe(0);
    const all = () => [rebuild(), rebuild(', copy: true'), erased('', { walDir: wal })];
    const away = () => {
      for (const one of all()) {
        expect(one.run()).toEqual(refused('SAF008'));
        expect(one.judge()).toMatchObject({
          diagnostic: { what: `the WAL of 'server1' is not in '${wal}': is a disk not mounted?` },
        });
      }
    };
    away();
    mkdirSync(wal);
    away();
    expect(go()?.stderr).toContain('is a disk not mounted?');
    expect(keptCopies()).toEqual([]);
    expect(readFileSync(join(data, 'base/1/1'), 'utf8')).toBe('old');
    expect(existsSync(join(mc, 'server1.making'))).toBe(false);
  });

  /** What the message says about a disk that is gone for good. */
  const forGood = (one: ReturnType<typeof resource>): void => {
    const { fix } = (one.judge() as { diagnostic: { fix: string } }).diagnostic;
    const command = /: (rm(?:dir)? .*?), then run the same command again/.exec(fix)?.[1] ?? 'false';
    expect(spawnSync('sh', ['-c', command]).status).toBe(0);
  };

  it('goes on without WAL that is gone for good, and keeps the rest; so does a teardown', () => {
    formerPrimary({ walDir: wal });
    rmSync(wal, { recursive: true });
    forGood(rebuild('', { walDir: wal }));
    expect(rebuild(', copy: true', { walDir: wal }).run()).toEqual(done);
    expect(keptCopies()).toHaveLength(1);
    expect(readFileSync(join(root, keptCopies()[0] ?? '', 'base/1/1'), 'utf8')).toBe('old');
    expect(standby('', { walDir: wal }).judge()).toMatchObject({ kind: 'same' });
    rmSync(wal, { recursive: true });
    expect(erased('', { walDir: wal }).judge()).toMatchObject({
      diagnostic: { fix: expect.stringContaining('--keep-data') },
    });
    forGood(erased('', { walDir: wal }));
    expect(erased('', { walDir: wal }).run()).toEqual(done);
    expect(existsSync(data)).toBe(false);
  });

  it('is refused where pg_wal itself is where the disk should be mounted, and goes on once that is said', () => {
    formerPrimary();
    const go = rebuild(', copy: true').planned();
    const at = join(data, 'pg_wal');
    rmSync(at, { recursive: true });
    mkdirSync(at);
    for (const one of [rebuild(), rebuild(', copy: true'), erased()]) {
      expect(one.run()).toEqual(refused('SAF008'));
      expect(one.judge()).toMatchObject({
        diagnostic: {
          what: `the WAL of 'server1' is not in '${at}': is a disk not mounted?`,
          evidence: [`no WAL is in ${at}`],
        },
      });
    }
    expect(go()?.status).not.toBe(0);
    expect(readFileSync(join(data, 'base/1/1'), 'utf8')).toBe('old');
    forGood(rebuild(', copy: true'));
    expect(rebuild(', copy: true').run()).toEqual(done);
    expect(readFileSync(join(root, keptCopies()[0] ?? '', 'base/1/1'), 'utf8')).toBe('old');
  });

  it.skipIf(!isRoot).each(['pg', 'p g\\x'])(
    'leaves a disk that is mounted at pg_wal alone, with all that is on it (%s)',
    (name) => {
      data = join(root, name);
      formerPrimary();
      const at = join(data, 'pg_wal');
      rmSync(at, { recursive: true });
      mkdirSync(at);
      expect(spawnSync('mount', ['-t', 'tmpfs', 'tmpfs', at]).status).toBe(0);
      try {
        const segment = put(join(at, '000000010000000000000001'));
        for (const one of [rebuild(), rebuild(', copy: true'), erased()]) {
          expect(one.run()).toEqual(refused('SAF002', at));
          expect(one.judge()).toMatchObject({
            diagnostic: { fix: expect.stringMatching(/is mounted at .*pg_wal.* put a link in its place/) },
          });
        }
        expect(readFileSync(segment, 'utf8')).toBe('precious');
        expect(readFileSync(join(data, 'base/1/1'), 'utf8')).toBe('old');
        expect(existsSync(join(mc, 'server1.making'))).toBe(false);
      } finally {
        spawnSync('umount', [at]);
      }
    },
  );

  it('is refused where its disk is not mounted', () => {
    formerPrimary();
    rmSync(data, { recursive: true });
    expect(rebuild().run()).toEqual(refused('SAF008'));
    expect(rebuild(', copy: true').run()).toEqual(refused('SAF008'));
    rmSync(join(mc, 'server1.system'));
    expect(rebuild().run()).toEqual(done);
  });
});

describe('the data of a server that goes', () => {
  it('is deleted: data, WAL and tablespaces', () => {
    const space = join(root, 'a space: 1');
    finished({ walDir: wal });
    put(join(space, 'PG_15_202209061/5/16400'));
    symlinkSync(space, join(data, 'pg_tblspc/16399'));
    expect(erased('', { walDir: wal }).run()).toEqual(done);
    expect([existsSync(data), existsSync(wal), existsSync(space)]).toEqual([false, false, false]);
    expect(readFileSync(join(mc, 'server1.making'), 'utf8')).toBe('erase');
    expect(erased('', { walDir: wal }).judge()).toMatchObject({ kind: 'same' });
  });

  it.each(['dumps/a.sql', 'pg_wal/archive/000000010000000000000001', 'pg_tblspc/16399/dumps/x'])(
    'is refused with %s, which stays',
    (name) => {
      finished({ walDir: wal });
      put(join(root, 'space/PG_15_202209061/5/16400'));
      symlinkSync(join(root, 'space'), join(data, 'pg_tblspc/16399'));
      const file = put(join(data, name));
      for (const _ of [1, 2]) expect(erased('', { walDir: wal }).run()).toEqual(refused('SAF002'));
      expect(JSON.stringify(erased('', { walDir: wal }).judge())).toContain(file.split('/').at(-1));
      mark('erase');
      expect(erased('', { walDir: wal }).run()).toEqual(refused('SAF002'));
      expect(readFileSync(file, 'utf8')).toBe('precious');
      expect(existsSync(join(data, 'base/1'))).toBe(true);
    },
  );

  it('keeps what comes between the plan and the step', () => {
    finished();
    const go = erased().planned();
    const file = put(join(data, 'dumps/a.sql'));
    expect(go()?.stderr).toContain('dumps/a.sql');
    expect(readFileSync(file, 'utf8')).toBe('precious');
    expect(existsSync(join(mc, 'server1.making'))).toBe(false);
  });

  it.each(['wal ', 'wal\n/other'])('is deleted where its link leads, and nowhere else (%j)', (name) => {
    finished();
    const [real, other] = [
      join(root, name),
      put(join(root, name.trimEnd().split('\n')[0] ?? '', '000000010000000000000009')),
    ];
    mkdirSync(dirname(real), { recursive: true });
    expect(spawnSync('mv', [join(data, 'pg_wal'), real]).status).toBe(0);
    symlinkSync(real, join(data, 'pg_wal'));
    if (name.includes('\n'))
      expect(erased().run()).toMatchObject({
        state: 'unknown',
        reason: expect.stringContaining('a line break'),
      });
    else expect(erased().run()).toEqual(done);
    expect(existsSync(real)).toBe(name.includes('\n'));
    expect(readFileSync(other, 'utf8')).toBe('precious');
  });

  it.each([
    'pg_logical/mappings/map-5-4EB-1_2F0A3C8-2e1-2e2',
    'pg_replslot/server2.tmp/state',
    'pg_stat/pgstat.stat.tmp',
    'pg_wal/00000002.history.tmp',
    'startup.log',
  ])('goes with %s, which a power cut or pgduet itself has left', (name) => {
    finished();
    put(join(data, name));
    for (const directory of ['pg_logical', 'pg_stat', 'pg_replslot'])
      mkdirSync(join(data, directory), { recursive: true });
    expect(erased().run()).toEqual(done);
    expect(existsSync(data)).toBe(false);
  });

  it('goes through links: the directory behind one is emptied, and both go', () => {
    finished();
    const real = join(root, 'disk/main');
    mkdirSync(dirname(real));
    expect(spawnSync('mv', [data, real]).status).toBe(0);
    symlinkSync(real, data);
    expect(erased().run()).toEqual(done);
    expect([existsSync(real), existsSync(data)]).toEqual([false, false]);
    expect(() => lstatSync(data)).toThrow('ENOENT');
  });

  it('is not deleted where pg_wal leads to something else', () => {
    finished();
    const home = put(join(root, 'home/letter'));
    rmSync(join(data, 'pg_wal'), { recursive: true });
    symlinkSync(join(root, 'home'), join(data, 'pg_wal'));
    expect(erased().run()).toEqual(refused('SAF002', home));
    expect(readFileSync(home, 'utf8')).toBe('precious');
  });

  it('is not half deleted where a disk of a tablespace is not mounted', () => {
    finished();
    mkdirSync(join(root, 'space'));
    symlinkSync(join(root, 'space'), join(data, 'pg_tblspc/16399'));
    expect(erased().run()).toEqual(refused('SAF008'));
    expect(erased().judge()).toMatchObject({
      diagnostic: { what: expect.stringContaining(`the tablespace of 'server1' is not in`) },
    });
    rmSync(join(root, 'space'), { recursive: true });
    expect(erased().run()).toEqual(refused('SAF008'));
    rmSync(join(data, 'pg_tblspc/16399'));
    expect(erased().run()).toEqual(done);
  });

  it('takes the log of the server along, where its settings say that it is', () => {
    finished();
    put(join(data, 'postgresql.conf'), "log_directory = 'pg_logs' # as ever\n");
    put(join(data, 'pg_logs/postgresql-Mon.log'));
    const other = put(join(data, 'other/postgresql-Mon.log'));
    expect(erased().run()).toEqual(refused('SAF002', other));
    rmSync(join(data, 'other'), { recursive: true });
    const note = put(join(data, 'pg_logs/notes.txt'));
    expect(erased().run()).toEqual(refused('SAF002', note));
    rmSync(note);
    expect(erased().run()).toEqual(done);
    expect(existsSync(data)).toBe(false);
  });

  it('knows the files of that log by the name that the settings give them', () => {
    finished();
    put(join(data, 'postgresql.conf'), "log_filename = 'server_log.%a'\nlog_directory = pg_logs\n");
    const own = ['server_log.Mon', 'server_log.Tue.csv', 'postgresql-2026-01-01_000000.json'];
    for (const name of own) put(join(data, 'pg_logs', name));
    for (const name of [
      'report.csv',
      'server_log',
      'server_logs.Mon',
      'config.json',
      'postgresql-notes.txt',
    ]) {
      const others = put(join(data, 'pg_logs', name));
      expect(erased().run()).toEqual(refused('SAF002', others));
      rmSync(others);
    }
    const report = put(join(data, 'log/report.csv'));
    expect(erased().run()).toEqual(refused('SAF002', report));
    rmSync(dirname(report), { recursive: true });
    expect(erased().run()).toEqual(done);
    expect(existsSync(data)).toBe(false);
  });

  it.each([
    ['%a.log', ['dump-of-sales.sql', 'Mon.log', 'Mon.csv']],
    ['%Y-%m-%d.log', ['2026-01-01.csv']],
    ['pg-%Y-%m-%d_%H%M%S.log', ['pg-a-b_c.sql', 'pg-2026-01-01_120000.sql', 'pg-2026-01-01_1200.log']],
    ['pg-%a.log', ['pg-Sales.log', 'pg-Mon']],
    ['pg-%Q.log', ['pg-1.log', 'pg-Q.log']],
    ['pg-%%.log', ['pg-%.log', 'pg-1.log']],
    ['pg.log.%j', ['pg.log.all', 'pgxlog.001']],
    ['postgresql-%a.log', ['postgresql-sales.csv', 'postgresql-2026.json']],
  ])('keeps what %j does not name', (setting, others) => {
    finished();
    put(join(data, 'postgresql.conf'), `log_filename = '${setting}'\n`);
    const files = others.map((name) => put(join(data, 'log', name)));
    expect(erased().run()).toEqual(refused('SAF002', ...files));
    for (const file of files) expect(readFileSync(file, 'utf8')).toBe('precious');
  });

  it.each([
    ['pg-%Y-%m-%d_%H%M%S.log', 'pg-2026-01-01_120000.log'],
    ['pg-%Y-%m-%d_%H%M%S.log', 'pg-2026-01-01_120000.csv'],
    ['x %A %B %e [1] %T.log', 'x Wednesday September  7 [1] 12:00:00.json'],
    ['server.log', 'server.csv'],
    ['pg.log.%j', 'pg.log.001.csv'],
  ])('takes along what %j names: %s', (setting, name) => {
    finished();
    put(join(data, 'postgresql.conf'), `log_filename = '${setting}'\n`);
    put(join(data, 'log', name));
    expect(erased().run()).toEqual(done);
    expect(existsSync(data)).toBe(false);
  });

  it.each([
    ['postgresql.conf', "  Log_Filename='sales-%a.log'"],
    ['postgresql.conf', 'LOG_FILENAME sales-%a.log'],
    ['../conf/a.conf', "log_filename = 'sales-%a.log'", "include = '../conf/a.conf'"],
    ['../conf/b/b.conf', "log_filename = 'sales-%a.log'", "Include_Dir '../conf/b'"],
    ['postgresql.auto.conf', "log_filename = 'sales-%a.log'", "log_filename = 'x.log'"],
  ])('finds that name where the server does (%s: %s)', (file, line, main = '') => {
    finished();
    put(join(data, 'postgresql.conf'), `${main}\n`);
    put(join(data, file), `#log_filename = 'y.log'\n${line}\n`);
    put(join(data, 'log/sales-Mon.log'));
    expect(erased().run()).toEqual(done);
    expect(existsSync(data)).toBe(false);
  });

  it('takes no earlier line of the settings for the last one', () => {
    finished();
    put(join(data, 'postgresql.conf'), "log_filename = 'sales-%a.log'\nlog_filename = 'it''s.log'\n");
    const file = put(join(data, 'log/sales-Mon.log'));
    expect(erased().run()).toEqual(refused('SAF002', file));
  });

  it('can be told to the end of an interrupted deletion', () => {
    finished();
    mark('erase');
    rmSync(join(data, 'base'), { recursive: true });
    expect(erased().run()).toEqual(done);
    expect(existsSync(data)).toBe(false);
  });

  it.skipIf(!isRoot)('stays on its own file system', () => {
    finished();
    const there = join(data, 'base/2');
    mkdirSync(there);
    expect(spawnSync('mount', ['-t', 'tmpfs', 'tmpfs', there]).status).toBe(0);
    try {
      const file = put(join(there, '16400'));
      expect(erased().run()).toEqual(refused('SAF002', there));
      expect(existsSync(file)).toBe(true);
    } finally {
      spawnSync('umount', [there]);
    }
  });
});

describe('a management directory', () => {
  const forgotten = (yaml = '{}') => resource('forgotten', yaml);
  const ours = [
    'network.conf',
    'cluster.key',
    'identity.key',
    '.identity.key.pgduet-tmp',
    'identities.json',
    'server1.proven.json',
    '.server1.proven.json.controller.pgduet-tmp',
    'renewal.json',
    'etcd.cell',
    'etcd.password',
    'etcd-ca.pem',
    'tls/ca.pem',
    'tls/next',
    'tls/.ca.pem.pgduet-tmp',
    'tls/request/server.key',
    'tls/request/.server.pem.pgduet-tmp',
    'tls/0123456789abcdef/server.key',
    'tls/0123456789abcdef/server.pem',
    'mc_ctl',
    'mc.cjs',
    'server1.system',
    'server1.conf',
    'server1.state.json',
    'server1.state.json.torn',
    'server1.status.json',
    'server1.state.json.17.tmp',
    'server1.pid.stale.17',
    'server1.startup.log',
    'server1.pg_control.before-rebuild',
    'server1.rewind-pass',
    'server1.spaces',
    'server1-log/postgresql-Sun.log',
    'server1-log/postgresql-Sun.csv',
    `.s.PGSQL.${samplePlace.port}.lock`,
  ];

  it('goes with all that is ours', () => {
    for (const name of ours) put(join(mc, name));
    put(join(mc, '.server1.conf.pgduet-tmp'));
    put(join(mc, 'server1.before.json'));
    expect(forgotten().run()).toEqual(done);
    expect(existsSync(mc)).toBe(false);
  });

  it('stays with the sockets of a server that stays, and nothing else', async () => {
    const path = join(mc, `.s.PGSQL.${samplePlace.port}`);
    for (const name of ours) put(join(mc, name));
    const listener = createServer().listen(path);
    await once(listener, 'listening');
    mkdirSync(data, { recursive: true });
    const server = spawn('sleep', ['60'], { cwd: data });
    await once(server, 'spawn');
    put(join(data, 'postmaster.pid'), `${server.pid}\n${data}\n`);
    try {
      const stays = () => forgotten('{ stays: seen }');
      expect(stays().judge()).toMatchObject({
        change: {
          summary: expect.stringMatching(
            /^empty the management directory .* but for what the server that stays needs/,
          ),
        },
      });
      expect(stays().run()).toEqual(done);
      expect(readdirSync(mc).sort()).toEqual([
        `.s.PGSQL.${samplePlace.port}`,
        `.s.PGSQL.${samplePlace.port}.lock`,
      ]);
      expect(stays().judge()).toMatchObject({ kind: 'same' });
    } finally {
      server.kill();
      listener.close();
      await Promise.all([gone(server), once(listener, 'close')]);
    }
    // Stopped, it has none; its configuration says whether it will look for the directory.
    rmSync(join(mc, `.s.PGSQL.${samplePlace.port}.lock`));
    expect(forgotten('{ stays: declared }').judge()).toMatchObject({ kind: 'same' });
    expect(forgotten('{ stays: seen }').run()).toEqual(done);
    expect(existsSync(mc)).toBe(false);
  });

  it('stays empty where a server that does not run now has its sockets there by its configuration', () => {
    for (const name of ours) put(join(mc, name));
    expect(forgotten('{ stays: declared }').run()).toEqual(done);
    expect(readdirSync(mc)).toEqual([`.s.PGSQL.${samplePlace.port}.lock`]);
    const note = put(join(mc, 'notes.txt'));
    expect(forgotten('{ stays: declared }').run()).toEqual(refused('SAF002', 'notes.txt'));
    expect(existsSync(note)).toBe(true);
  });

  it('stays with the certificates that a server goes on naming, whole, and goes with them once it names others', () => {
    const names = (path: string) =>
      put(join(data, 'postgresql.conf'), `ssl = on\nssl_cert_file = '${path}/server.pem'\n`);
    for (const name of ours) put(join(mc, name));
    names(join(mc, 'tls/0123456789abcdef'));
    expect(forgotten().run()).toEqual(done);
    expect(readdirSync(mc)).toEqual(['tls']);
    expect(readdirSync(join(mc, 'tls/0123456789abcdef')).sort()).toEqual(['server.key', 'server.pem']);
    expect(forgotten().judge()).toMatchObject({ kind: 'same' });
    for (const name of ours) put(join(mc, name));
    expect(forgotten('{ stays: declared }').run()).toEqual(done);
    expect(readdirSync(mc).sort()).toEqual([`.s.PGSQL.${samplePlace.port}.lock`, 'tls']);
    put(join(mc, 'network.conf'));
    names('/pki');
    expect(forgotten().run()).toEqual(done);
    expect(existsSync(mc)).toBe(false);
  });

  it('goes with the log by the name that is declared', () => {
    const declared = () => forgotten("{ log_filename: 'sales %Y-%m-%d.log' }");
    for (const name of [...ours, 'server1-log/sales 2026-11-29.log']) put(join(mc, name));
    expect(forgotten().run()).toEqual(refused('SAF002', 'server1-log/sales 2026-11-29.log'));
    const earlier = put(join(mc, 'server1-log/sales-Sun.log'));
    expect(declared().run()).toEqual(refused('SAF002', 'server1-log/sales-Sun.log'));
    expect(declared().judge()).toMatchObject({
      diagnostic: { fix: expect.stringMatching(/'sales %Y-%m-%d.log'.* an earlier value .* delete them/) },
    });
    rmSync(earlier);
    expect(declared().run()).toEqual(done);
    expect(existsSync(mc)).toBe(false);
  });

  it.each([
    ...['hooks/pre.sh', 'server2.conf', 'notes.txt', 'server1.sql', 'server1.tar.gz', 'server1.conf.bak'],
    ...['server1-log/notes.json', 'server1-log/report.csv', 'server1-log/sales.log', '.s.PGSQL.1.lock'],
  ])('is refused with %s in it, and nothing is deleted', (name) => {
    for (const one of ours) put(join(mc, one));
    const go = forgotten().planned();
    put(join(mc, name));
    expect(go()?.stderr).toContain(name);
    expect(forgotten().run()).toEqual(refused('SAF002', name));
    for (const one of [...ours, name]) expect(existsSync(join(mc, one))).toBe(true);
  });
});

describe('an arbiter', () => {
  const dismissed = () =>
    resource('dismissed', `{ directory: ${mc}, cluster: inst1, owner: ${owner}, mc_arb: /nowhere }`);

  it('goes with its last cluster, and the files of another one stay', () => {
    for (const name of ['network.conf', 'arbiter.key', 'renewal.json', 'cell.json'])
      for (const cluster of ['inst1', 'sales']) put(join(mc, 'clusters', cluster, name));
    const programs = ['arbitration.conf', 'mc_arb', 'mc.cjs'];
    for (const name of [...programs, 'arbiter.log', 'arbiter.pid.17']) put(join(mc, name));
    expect(dismissed().run()).toEqual(done);
    expect(readdirSync(join(mc, 'clusters'))).toEqual(['sales']);
    rmSync(join(mc, 'clusters/sales'), { recursive: true });
    expect(dismissed().run()).toEqual(done);
    expect(existsSync(mc)).toBe(false);
  });

  it.each([
    ['clusters/inst1/notes', 'notes', true],
    ['clusters/inst1/notes', 'clusters/inst1/notes', false],
    ['backup/x', 'backup/x', false],
    ['arbiter.notes.txt', 'arbiter.notes.txt', false],
  ])('is refused with %s beside its own', (path, name, others) => {
    put(join(mc, 'clusters/inst1/network.conf'));
    if (others) put(join(mc, 'clusters/sales/network.conf'));
    const go = dismissed().planned();
    put(join(mc, path));
    expect(go()?.stderr).toContain(name);
    expect(dismissed().run()).toEqual(refused('SAF002', name));
    expect(existsSync(join(mc, path)) && existsSync(join(mc, 'clusters/inst1/network.conf'))).toBe(true);
  });
});

describe('very many files of somebody', () => {
  it('are refused with the first of them, and not compared', () => {
    finished();
    for (let number = 100; number < 350; number++) put(join(data, `dumps/${number}.sql`));
    const verdict = erased().run();
    expect(verdict).toEqual(refused('SAF002'));
    const { diagnostic } = verdict as { diagnostic: { evidence: readonly string[] } };
    expect(diagnostic.evidence.filter((line) => line.includes('/dumps/')).length).toBeGreaterThan(5);
    expect(diagnostic.evidence.join()).toContain('more than 200 in all');
    expect(readdirSync(join(data, 'dumps')).length).toBe(250);
  });

  it('are unknown where they cannot be looked at', () => {
    finished();
    // Root may read all, so the disk does not answer.
    program('find', `/usr/bin/find "$@"; echo 'find: Input/output error' >&2; exit 1`);
    expect(erased().run()).toMatchObject({ state: 'unknown' });
    expect(existsSync(join(data, 'PG_VERSION'))).toBe(true);
  });
});
