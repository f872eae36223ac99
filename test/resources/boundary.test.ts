/**
 * Root and the instance administrator are two people: the steps of every kind that writes, with a real shell and two users. What
 * the administrator could have put in the way, a link to something of root's, changes nothing of root's and shows nothing of it
 * to him; neither does somebody who wins every race between two commands of a step. Needs root.
 */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ask } from '../../src/observe/question.ts';
import type { Change, Verdict } from '../../src/resources/contract/kind.ts';
import { preamble } from '../../src/resources/contract/preamble.ts';
import { rebuildProbe } from '../../src/resources/data/rebuild-observation.ts';
import { desiredOf, kindNamed, sampleContext, samplePlace } from './cases.ts';

const root = process.getuid?.() === 0;
const owner = 'nobody';
const uid = 65534;
const place = { owner, socketDir: '/tmp', port: 1 };

let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'pgduet-boundary-'));
  chmodSync(dir, 0o755);
  for (const name of ['roots', 'roots/dir', 'his', 'his/sub']) mkdirSync(join(dir, name));
  for (const name of ['his', 'his/sub']) chownSync(join(dir, name), uid, uid);
  writeFileSync(join(dir, 'roots/secret'), "root's own\nmcoi 1/tcp\n", { mode: 0o600 });
  writeFileSync(join(dir, 'roots/dir/f'), 'of root, too\n', { mode: 0o644 });
});
afterEach(() => rmSync(dir, { recursive: true }));

const his = (name: string): string => join(dir, 'his', name);
const put = (path: string, text: string, bits = 0o600, user = uid): void => {
  writeFileSync(path, text);
  chmodSync(path, bits);
  chownSync(path, user, user);
};

/** All that can be seen of what is below a path, links not followed. */
function snapshot(path: string): readonly string[] {
  const { mode, uid: user, gid, ino, size, ctimeMs } = lstatSync(path);
  const isDirectory = lstatSync(path).isDirectory();
  const line = `${path} ${mode} ${user} ${gid} ${ino} ${size} ${ctimeMs} ${isDirectory ? '' : readFileSync(path, 'utf8')}`;
  return [line, ...(isDirectory ? readdirSync(path).flatMap((name) => snapshot(join(path, name))) : [])];
}

const functions = () => preamble({ ...place, postgresVersion: 15, passfile: his('.pgpass') });

function sh(input: string, env: NodeJS.ProcessEnv = process.env, shell = 'sh') {
  const { status, stdout, stderr } = spawnSync(shell, [], { input, encoding: 'utf8', env });
  return { status: status ?? 255, stdout, stderr };
}

const run = (script: string, env?: NodeJS.ProcessEnv) => sh(`${functions()}\n( set -e\n${script}\n)`, env);

const desiredIn = (kind: string, yaml: string) =>
  desiredOf(
    kind,
    yaml,
    sampleContext({
      server: { ...samplePlace, owner, dataDir: join(dir, 'his'), managementDir: join(dir, 'his') },
    }),
  );

function look(kind: string, yaml: string): Verdict {
  const desired = desiredIn(kind, yaml);
  const question = ask('', [kindNamed(kind).probe(desired)], 'n0nce', place);
  const [reply] = question.read(sh(`${functions()}\n${question.script}`));
  if (!reply) throw new Error('the question was not answered');
  const observed = kindNamed(kind).read(reply, desired);
  if (observed.state === 'unknown') throw new Error(`unknown: ${observed.reason}`);
  return kindNamed(kind).diff(desired, observed);
}

function planned({ kind, yaml: yamlOf, change }: Work): Change {
  const yaml = yamlOf();
  if (change) return { summary: '', reason: '', ...change };
  const verdict = look(kind, yaml);
  if (verdict.kind !== 'change') throw new Error(`no change: ${JSON.stringify(verdict)}`);
  return verdict.change;
}

const scriptsOf = (work: Work): readonly string[] =>
  kindNamed(work.kind)
    .steps(planned(work), desiredIn(work.kind, work.yaml()))
    .map(({ script }) => script);

/** Nothing of his holds a text of root's afterwards, and nothing of root's belongs to him. */
function expectKept(before: readonly string[]): void {
  expect(snapshot(join(dir, 'roots'))).toEqual(before);
  for (const name of readdirSync(join(dir, 'his'), { recursive: true, encoding: 'utf8' })) {
    const path = his(name);
    if (lstatSync(path).isFile() && lstatSync(path).uid === uid)
      expect(readFileSync(path, 'utf8'), path).not.toContain("root's own");
  }
}

const link = (target: string, path: string): void => {
  rmSync(path, { recursive: true, force: true });
  symlinkSync(target, path);
  lchownSync(path, uid, uid);
};

/** What a step of this kind works on: how it stands when the plan is made, and the names that he may make links of. */
interface Work {
  readonly kind: string;
  readonly yaml: () => string;
  readonly before?: () => void;
  /** In place of the one that the look gives. */
  readonly change?: object;
  readonly names: readonly string[];
}

const quoted = (name: string): string => JSON.stringify(his(name));
const file = (name: string, more: string) => () => `{ path: ${quoted(name)}, owner: ${owner}, ${more} }`;
const password = `{ owner: ${owner}, host: h, port: 1, database: replication, user: repl, password: !secret replication_password }`;
const rules = 'local  all  all  peer\nhost all  all 10.0.0.0/8 scram-sha-256\n';

const works: Readonly<Record<string, Work>> = {
  'a file that is new': { kind: 'file', yaml: file('f', 'content: new'), names: ['f', '.f.pgduet-tmp'] },
  'a file with another content': {
    kind: 'file',
    yaml: file('f', 'content: new'),
    before: () => put(his('f'), 'old\n'),
    names: ['f', '.f.pgduet-tmp'],
  },
  'a file with another mode': {
    kind: 'file',
    yaml: file('f', "mode: '0640', content: one"),
    before: () => put(his('f'), 'one\n'),
    names: ['f', '.f.pgduet-tmp'],
  },
  "a file that is root's": {
    kind: 'file',
    yaml: file('f', "mode: '0640', content: one"),
    before: () => put(his('f'), 'one\n', 0o600, 0),
    names: ['f', '.f.pgduet-tmp'],
  },
  'a file below': {
    kind: 'file',
    yaml: file('sub/f', 'content: new'),
    names: ['sub', 'sub/f', 'sub/.f.pgduet-tmp'],
  },
  'a directory that is new': {
    kind: 'directory',
    yaml: file('sub/d', "mode: '0700'"),
    names: ['sub', 'sub/d'],
  },
  'a directory with another mode': {
    kind: 'directory',
    yaml: file('sub', "mode: '0710'"),
    names: ['sub'],
  },
  'a link': { kind: 'symlink', yaml: file('sub/l', 'target: /wal'), names: ['sub', 'sub/l'] },
  'what shall go': {
    kind: 'gone',
    yaml: () => `{ path: ${quoted('sub/f')} }`,
    before: () => put(his('sub/f'), 'old\n'),
    names: ['sub', 'sub/f'],
  },
  'a line': {
    kind: 'line',
    yaml: () => `{ path: ${quoted('f')}, line: 'mcoi 2/tcp' }`,
    before: () => put(his('f'), 'mcoi 1/tcp\n'),
    names: ['f', '.f.pgduet-tmp'],
  },
  'the password file': {
    kind: 'passfile',
    yaml: () => password,
    before: () => put(his('.pgpass'), 'a:1:b:c:d\n'),
    names: ['.pgpass', '..pgpass.pgduet-tmp'],
  },
  'client rules': {
    kind: 'hba',
    yaml: () => '{ template: hba.hbs }',
    before: () => put(his('pg_hba.conf'), 'local all all reject\n'),
    names: ['pg_hba.conf', '.pg_hba.conf.pgduet-tmp'],
  },
  'client rules that are open to others': {
    kind: 'hba',
    yaml: () => '{ template: hba.hbs }',
    before: () => put(his('pg_hba.conf'), rules, 0o644),
    names: ['pg_hba.conf', '.pg_hba.conf.pgduet-tmp'],
  },
  "client rules that are root's": {
    kind: 'hba',
    yaml: () => '{ template: hba.hbs }',
    before: () => put(his('pg_hba.conf'), rules, 0o600, 0),
    names: ['pg_hba.conf', '.pg_hba.conf.pgduet-tmp'],
  },
  settings: {
    kind: 'settings',
    yaml: () => '{ name: law, template: conf.hbs }',
    before: () => {
      put(his('postgresql.conf'), 'port = 1\n');
      put(his('postgresql.auto.conf'), '');
    },
    names: ['postgresql.conf', '.postgresql.conf.trial', '..postgresql.conf.trial.pgduet-tmp'],
  },
  "settings that are root's": {
    kind: 'settings',
    yaml: () => '{ name: law, template: conf.hbs }',
    before: () => put(his('postgresql.conf'), "port = 27500\nlisten_addresses = '*'\n", 0o644, 0),
    change: { access: true, reset: [] },
    names: ['postgresql.conf', '.postgresql.conf.pgduet-tmp'],
  },
};

const real = (name: string): string =>
  spawnSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).stdout.trim();

/** Programs that put the links back into their places before and after they do what they are for. */
function racing(names: readonly string[]): string {
  const bin = join(dir, 'bin');
  mkdirSync(bin);
  const ln = real('ln');
  const rm = real('rm');
  const plant = names.map((name) => {
    const target = name === 'sub' ? 'roots/dir' : 'roots/secret';
    return `${rm} -rf '${his(name)}'; ${ln} -sn '${join(dir, target)}' '${his(name)}'`;
  });
  const asHim = `if [ "$(${real('id')} -u)" = 0 ]; then exec ${real('setpriv')} --reuid ${uid} --clear-groups -- "$0"; fi`;
  writeFileSync(join(bin, 'plant'), `#!/bin/sh\n${asHim}\n${plant.join('\n')}\n`, { mode: 0o755 });
  const programs = [
    'rm',
    'chown',
    'chmod',
    'sync',
    'mv',
    'mkdir',
    'touch',
    'cat',
    'awk',
    'stat',
    'find',
    'rmdir',
  ];
  for (const name of [...programs, 'runuser', 'setpriv', 'cp', 'readlink', 'ln'])
    writeFileSync(
      join(bin, name),
      `#!/bin/sh\n${bin}/plant >/dev/null 2>&1\n${real(name)} "$@"; s=$?\n${bin}/plant >/dev/null 2>&1\nexit $s\n`,
      { mode: 0o755 },
    );
  return `${bin}:${process.env.PATH}`;
}

describe.skipIf(!root).each(Object.entries(works))('%s', (_, work) => {
  const { names } = work;
  beforeEach(() => work.before?.());

  it('is made so, as his', () => {
    for (const script of scriptsOf(work)) expect(run(script)).toEqual({ status: 0, stdout: '', stderr: '' });
    expect(look(work.kind, work.yaml()).kind).toBe('same');
    for (const name of names) if (existsSync(his(name))) expect(lstatSync(his(name)).uid).toBe(uid);
  });

  it.each(names)('%s is a link behind the plan', (name) => {
    const scripts = scriptsOf(work);
    const kept = snapshot(join(dir, 'roots'));
    link(join(dir, name === 'sub' ? 'roots/dir' : 'roots/secret'), his(name));
    for (const script of scripts) run(script);
    expectKept(kept);
  });

  it('somebody wins every race', () => {
    const scripts = scriptsOf(work);
    const kept = snapshot(join(dir, 'roots'));
    const PATH = racing(names);
    for (const script of scripts) run(script, { ...process.env, PATH });
    expectKept(kept);
  });
});

describe.skipIf(!root)('who acts', () => {
  const roots = (name: string): string => join(dir, 'roots', name);
  const step = (kind: string, yaml: string) =>
    run(scriptsOf({ kind, yaml: () => yaml, names: [] }).join('\n'));
  const at = (path: string, user: string, more: string): string =>
    `{ path: ${JSON.stringify(path)}, owner: ${user}, ${more} }`;

  it.each([
    ['file', 'content: new'],
    ['directory', "mode: '0700'"],
    ['symlink', 'target: /wal'],
  ])('root makes a %s of his in a directory of its own', (kind, more) => {
    const path = kind === 'directory' ? roots('new/deep') : roots('new');
    expect(step(kind, at(path, owner, more))).toEqual({ status: 0, stdout: '', stderr: '' });
    expect(lstatSync(path).uid).toBe(uid);
    if (kind === 'directory')
      expect([lstatSync(roots('new')).uid, lstatSync(path).mode & 0o777]).toEqual([0, 0o700]);
  });

  it('root follows a link of its own on the way', () => {
    symlinkSync('dir', roots('short'));
    expect(step('file', at(roots('short/new'), owner, 'content: new')).status).toBe(0);
    expect(lstatSync(roots('dir/new')).uid).toBe(uid);
  });

  it.each([
    ['file', 'content: new'],
    ['directory', "mode: '0700'"],
    ['symlink', 'target: /wal'],
  ])('root makes no %s of its own in a directory of his, and says why', (kind, more) => {
    const { status, stderr } = step(kind, at(his('new'), 'root', more));
    expect(status).not.toBe(0);
    expect(stderr).toContain(`root does nothing by the names in ${join(dir, 'his')}`);
    expect(existsSync(his('new'))).toBe(false);
  });

  it('nor behind a link of his in a directory where everybody may write', () => {
    mkdirSync(join(dir, 'all'));
    chmodSync(join(dir, 'all'), 0o1777);
    link(roots('dir'), join(dir, 'all/way'));
    const { status, stderr } = step('file', at(join(dir, 'all/way/new'), 'root', 'content: new'));
    expect([status === 0, existsSync(roots('dir/new'))]).toEqual([false, false]);
    expect(stderr).toContain(join(dir, 'all/way'));
  });

  it('nor where everybody may replace what it makes', () => {
    mkdirSync(join(dir, 'all'));
    chmodSync(join(dir, 'all'), 0o777);
    expect(step('file', at(join(dir, 'all/new'), 'root', 'content: new')).status).not.toBe(0);
    expect(existsSync(join(dir, 'all/new'))).toBe(false);
  });

  it('nor is a directory for him made where a group may replace it, and the message says how to make it', () => {
    mkdirSync(join(dir, 'group'));
    chownSync(join(dir, 'group'), 0, 1);
    chmodSync(join(dir, 'group'), 0o775);
    const { status, stderr } = step('directory', at(join(dir, 'group/new'), owner, "mode: '0700'"));
    expect([status === 0, existsSync(join(dir, 'group/new'))]).toEqual([false, false]);
    expect(stderr).toContain(`install -d -o ${owner} -m 0700 ${join(dir, 'group/new')}`);
  });

  const group = (gid: number, fresh = true): { readonly status: number; readonly made: boolean } => {
    const shared = join(dir, 'group');
    mkdirSync(shared, { recursive: true });
    if (fresh) {
      chownSync(shared, 0, gid);
      chmodSync(shared, 0o2775);
    }
    rmSync(join(shared, 'new'), { force: true });
    const script = scriptsOf({
      kind: 'file',
      yaml: () => at(join(shared, 'new'), 'root', 'content: new'),
      names: [],
    });
    // Of Debian's file the path alone is another one here.
    const known = functions().replaceAll('/etc/staff-group-for-usr-local', join(dir, 'staff'));
    const { status } = sh(
      `${known}\ngetent() { echo 'staff:x:4711:him'; }\n( set -e\n${script.join('\n')}\n)`,
    );
    return { status, made: existsSync(join(shared, 'new')) };
  };
  const made = { status: 0, made: true };
  const refused = { status: 1, made: false };

  it('a group that may write counts as root where the host says so of staff, whatever its number is', () => {
    expect([group(0), group(50), group(4711)]).toEqual([made, refused, refused]);
    writeFileSync(join(dir, 'staff'), '');
    expect([group(0), group(50), group(4711)]).toEqual([made, refused, made]);
  });

  it('a list of rights may name anybody, also where the group is that of root', ({ skip }) => {
    // Version 2; user:: rwx, the administrator rwx, group:: r-x, mask rwx, other:: r-x. No program of Debian's base sets one.
    const entry = (tag: number, bits: number, id = 0xffffffff) => [
      ...[tag, 0, bits, 0],
      ...[0, 8, 16, 24].map((by) => (id >>> by) & 255),
    ];
    const acl = [
      2,
      0,
      0,
      0,
      ...entry(1, 7),
      ...entry(2, 7, uid),
      ...entry(4, 5),
      ...entry(16, 7),
      ...entry(32, 5),
    ];
    const call = process.arch === 'arm64' ? 5 : 188;
    const perl = `my ($path, $name) = ($ARGV[0], 'system.posix_acl_access'); my $list = pack('C*', ${acl.join(',')}); exit(syscall(${call}, $path, $name, $list, ${acl.length}, 0) != 0)`;
    expect(group(0)).toEqual(made);
    if (spawnSync('perl', ['-e', perl, join(dir, 'group')]).status !== 0)
      skip('no file system with lists of rights, or no perl');
    expect(group(0, false)).toEqual(refused);
  });

  it("a directory of root's in one of his keeps its owner, and the message says how to give it away", () => {
    mkdirSync(his('sub/roots'));
    const { status, stderr } = step('directory', at(his('sub/roots'), owner, "mode: '0700'"));
    expect([status === 0, lstatSync(his('sub/roots')).uid]).toEqual([false, 0]);
    expect(stderr).toContain(`chown ${owner}: ${his('sub/roots')}`);
  });

  it('text that does not arrive as a whole is not written', () => {
    const { status } = run(
      `acting ${his('f')} ${owner} received place ${his('f')} 0600 ${owner}: </dev/null`,
    );
    expect([status === 0, existsSync(his('f'))]).toEqual([false, false]);
  });

  it('a home that was there before keeps its mode', () => {
    const tools = 'getent() { :; }; useradd() { :; }; as() { shift; "$@"; }\n';
    const user = `{ name: law, home: ${JSON.stringify(roots('dir'))} }`;
    const [made = ''] = scriptsOf({ kind: 'user', yaml: () => user, names: [], change: {} });
    expect(run(tools + made).status).toBe(0);
    expect(lstatSync(roots('dir')).mode & 0o777).toBe(0o755);
  });
});

describe.skipIf(!root)('a file of the server that he may not read', () => {
  const conf = '{ name: law, template: conf.hbs }';
  const secret = (name: string): void => link(join(dir, 'roots/secret'), his(name));

  it('is not copied into one of his: the settings are refused', () => {
    secret('postgresql.conf');
    expect(look('settings', conf)).toMatchObject({ kind: 'refuse', diagnostic: { code: 'SAF040' } });
  });

  it('makes place for the client rules, which are known', () => {
    secret('pg_hba.conf');
    const kept = snapshot(join(dir, 'roots'));
    const work: Work = { kind: 'hba', yaml: () => '{ template: hba.hbs }', names: [] };
    for (const script of scriptsOf(work)) expect(run(script).status).toBe(0);
    expectKept(kept);
    expect(look('hba', '{ template: hba.hbs }').kind).toBe('same');
  });

  it.each([
    ['a link', () => secret('.pgpass')],
    ["root's", () => put(his('.pgpass'), "root's own\n", 0o600, 0)],
  ])('is put aside, where the password file is %s', (_, close) => {
    close();
    const kept = snapshot(join(dir, 'roots'));
    const work: Work = { kind: 'passfile', yaml: () => password, names: [] };
    for (const script of scriptsOf(work)) expect(run(script)).toEqual({ status: 0, stdout: '', stderr: '' });
    expectKept(kept);
    expect(look('passfile', password).kind).toBe('same');
    expect(readdirSync(join(dir, 'his')).filter((name) => name.startsWith('.pgpass.closed-'))).toHaveLength(
      1,
    );
  });

  it('makes place for what pgduet alone writes', () => {
    put(his('f'), 'one\n', 0o600, 0);
    const yaml = `{ path: ${quoted('f')}, owner: ${owner}, content: one }`;
    for (const script of scriptsOf({ kind: 'file', yaml: () => yaml, names: [] }))
      expect(run(script).status).toBe(0);
    expect(look('file', yaml).kind).toBe('same');
  });
});

describe.skipIf(!root)('a directory that another host has', () => {
  const at = (path: string): string =>
    `{ path: ${JSON.stringify(path)}, owner: ${owner}, mode: '0700', from_another_host: true }`;
  const begin = (path: string) => {
    const [script = ''] = scriptsOf({ kind: 'directory', yaml: () => at(path), names: [], change: {} });
    return run(script);
  };

  it('is made for him, with a blank in its path', () => {
    const path = join(dir, 'roots/my space/ts');
    // The tree is below /tmp, which is one of the system: there the administrator makes it.
    expect(begin(path).status).not.toBe(0);
    expect(existsSync(path)).toBe(false);
    expect(begin(his('my space/ts'))).toEqual({ status: 0, stdout: '', stderr: '' });
    expect([lstatSync(his('my space/ts')).uid, lstatSync(his('my space/ts')).mode & 0o777]).toEqual([
      uid,
      0o700,
    ]);
    expect(look('directory', at(his('my space/ts'))).kind).toBe('same');
  });

  it('is not taken where one has come to be there behind the plan', () => {
    const kept = snapshot(join(dir, 'roots'));
    const { status, stderr } = begin(join(dir, 'roots/dir'));
    expect(status).not.toBe(0);
    expect(stderr).toContain('install -d -o nobody -m 0700');
    expect(snapshot(join(dir, 'roots'))).toEqual(kept);
    chmodSync(his('sub'), 0o755);
    expect(begin(his('sub')).status).not.toBe(0);
    expect(lstatSync(his('sub')).mode & 0o777).toBe(0o755);
  });

  it('is his already, or refused', () => {
    expect(look('directory', at(his('sub'))).kind).toBe('same');
    expect(look('directory', at(join(dir, 'roots/dir')))).toMatchObject({ diagnostic: { code: 'SAF040' } });
  });
});

/** bash, which is the shell of many hosts, runs what stands in an index within arithmetic. */
describe.skipIf(!root)('no arithmetic is', () => {
  const OUT = '1+a[$(touch${IFS}$OUT)0]';
  const bash = (script: string) =>
    sh(`${functions()}\n${script}`, { ...process.env, OUT: join(dir, 'out') }, 'bash');

  it('the name of a file', () => {
    mkdirSync(his('pg_wal'));
    put(his(`pg_wal/${OUT}.history`), '1\t0/3000060\tx\n');
    put(his('pg_wal/00000002.history'), '1\t0/3000060\tx\n');
    const yaml = "{ server: server2, system_identifier: '7', position: 0/1, timeline: 1, runs: true }";
    const { shell = '' } = kindNamed('holds').probe(desiredIn('holds', yaml));
    const { stdout } = bash(`postmaster() { pid=1; }\n${shell}`);
    expect(existsSync(join(dir, 'out'))).toBe(false);
    expect(stdout).toContain('history 00000002\nleft 1');
  });

  it.each([
    ['the primary says of itself', `7|2|${OUT}/1|`, '1\t0/3000060\tx'],
    ['the primary says of its history', '7|2|0/5000000|', `1\t${OUT}/1\tx`],
  ])('what %s', (_, self, history) => {
    mkdirSync(his('pg_wal'));
    for (const name of ['PG_VERSION', 'pg_wal/000000010000000000000001']) put(his(name), '15\n');
    const psql = `case "$*" in *IDENTIFY*) echo '${self}';; *) echo '00000002.history|${history}';; esac`;
    for (const [name, text] of [
      ['psql', psql],
      ['pg_controldata', 'echo "Bytes per WAL segment: 16777216"; echo "WAL block size: 8192"'],
    ] as const)
      put(join(dir, name), `#!/bin/sh\n${text}\n`, 0o755, 0);
    const there = { id: 'server1', dataDir: join(dir, 'his'), managementDir: join(dir, 'his'), version: 15 };
    const source = { owner, host: 'h', port: 1, user: 'repl', keepIn: dir };
    const { stdout } = bash(`PGBIN=${dir}\n${rebuildProbe({ ...there, ...source })}`);
    expect(existsSync(join(dir, 'out'))).toBe(false);
    expect(stdout).toContain('source 7|2|');
  });
});
