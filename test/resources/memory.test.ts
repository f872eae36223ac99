/**
 * The management directory that is made anew, by a real shell in temporary trees: no record stands there without the mark that the controller has
 * forgotten, whenever the step is killed; nothing is written over, no link is followed, and what another user has put in the way stays.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
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
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { outdated } from '../../src/resources/contract/kind.ts';
import { preamble } from '../../src/resources/contract/preamble.ts';
import { desiredOf, kindNamed, sampleContext, samplePlace } from './cases.ts';

const { username: me } = userInfo();
const isRoot = process.getuid?.() === 0;
const system = '7301234567890123456';
const yaml = `{ system_identifier: '${system}', by: server2, by_address: 192.0.2.2, by_port: 27500, unit: mcoi_inst1 }`;

let root = '';
let data = '';
let mc = '';
let owner = me;
let server: ChildProcess;
beforeEach(() => {
  root = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'pgduet-memory-'));
  [data, mc] = [join(root, 'pg'), join(root, "it's mc")];
  owner = me;
  chmodSync(root, 0o755);
  for (const path of ['bin', 'facts', 'pg', 'pg/global']) mkdirSync(join(root, path), { mode: 0o755 });
  writeFileSync(join(data, 'PG_VERSION'), '15\n');
  writeFileSync(join(data, 'postmaster.opts'), 'postgres\n');
  server = spawn('sleep', ['600'], { cwd: data });
  writeFileSync(join(data, 'postmaster.pid'), `${server.pid}\n${data}\n`);
  fact('control', control(system));
  fact('stream', 't');
  unitFor(mc);
  writeFileSync(join(data, 'global/pg_control'), 'binary');
  for (const name of ['postgres', 'pg_isready']) program(name, ':');
  program('pg_controldata', `cat ${root}/facts/control`);
  program('psql', `cat ${root}/facts/stream`);
});
afterEach(() => {
  server.kill('SIGKILL');
  rmSync(root, { recursive: true });
});

/** Root's file of the unit. */
const unitFor = (directory: string): void =>
  fact('mcoi_inst1.service', `[Service]\nExecStart=node daemon -M ${directory} --local-server server1\n`);
const fact = (name: string, text: string): void => writeFileSync(join(root, 'facts', name), text);
const control = (identifier: string): string => `Database system identifier: ${identifier}
Database cluster state: in production
Latest checkpoint location: 0/2000028
Latest checkpoint's TimeLineID: 1
Latest checkpoint's NextOID: 20000
Data page checksum version: 1
`;

function program(name: string, body: string): void {
  writeFileSync(join(root, 'bin', name), `#!/bin/sh\n${body}\n`);
  chmodSync(join(root, 'bin', name), 0o755);
}

/** In a session of its own, so that all of it can be killed at once. */
function sh(text: string) {
  const place = { postgresVersion: 15, binDir: join(root, 'bin'), owner, socketDir: '/tmp', port: 1 };
  const there = text
    .replaceAll('/etc/systemd/system', `${root}/facts`)
    .replaceAll('/run/systemd', `${root}/none`);
  const input = `PATH=${root}/bin:$PATH\n${preamble(place)}\n${there}`;
  const { status, stdout, stderr } = spawnSync('setsid', ['sh'], { input, encoding: 'utf8' });
  return { status: status ?? 255, stdout, stderr };
}

const kind = kindNamed('memory');
const desired = () =>
  desiredOf(
    'memory',
    yaml,
    sampleContext({ server: { ...samplePlace, dataDir: data, managementDir: mc, owner } }),
  );

function verdict() {
  const seen = kind.read(sh(kind.probe(desired()).shell ?? ''), desired());
  if (seen.state === 'unknown') throw new Error(seen.reason);
  return kind.diff(desired(), seen);
}

/** The step as it was planned while all was as it should be. */
function step() {
  const change = { summary: '', reason: '' };
  const [only] = kind.steps(change, desired());
  return sh(`set -e\n${only?.script}`);
}

const names = (): readonly string[] => (existsSync(mc) ? readdirSync(mc).sort() : ['(none)']);
const beside = (): readonly string[] => readdirSync(root).filter((name) => name.includes('.pgduet-'));
const text = (name: string): string => readFileSync(join(mc, name), 'utf8');
const both = ['server1.state.json.torn', 'server1.system'];

describe('a directory that is not there', () => {
  it('is made with the mark and the record, and is the same then', () => {
    expect(verdict()).toMatchObject({ kind: 'change' });
    expect(step()).toMatchObject({ status: 0, stderr: '' });
    expect(names()).toEqual(both);
    expect(both.map(text)).toEqual(['', system]);
    expect([mc, ...both.map((name) => join(mc, name))].map((path) => lstatSync(path).mode & 0o777)).toEqual([
      0o700, 0o600, 0o600,
    ]);
    expect(beside()).toEqual([]);
    expect(verdict()).toMatchObject({ kind: 'same' });
  });

  it('is made with the directory above it', () => {
    mc = join(root, 'a/b/mc');
    unitFor(mc);
    expect(step()).toMatchObject({ status: 0, stderr: '' });
    expect(names()).toEqual(both);
    expect(lstatSync(join(root, 'a/b')).mode & 0o777).toBe(0o755);
  });

  it.each(['-mc', '-n', 'a[b]*;&(c)~'])('is made under any name that an inventory takes: %s', (name) => {
    mc = join(root, name);
    unitFor(mc);
    expect(step()).toMatchObject({ status: 0, stderr: '' });
    expect(names()).toEqual(both);
    expect(beside()).toEqual([]);
  });

  it.runIf(isRoot)('is the administrator`s, who makes it himself where the directory above is his', () => {
    owner = 'nobody';
    mc = join(root, 'home/mc');
    unitFor(mc);
    mkdirSync(join(root, 'home'));
    const { uid, gid } = idsOf('nobody');
    chownSync(join(root, 'home'), uid, gid);
    chownSync(data, uid, gid);
    expect(step()).toMatchObject({ status: 0, stderr: '' });
    expect([mc, ...both.map((name) => join(mc, name))].map((path) => lstatSync(path).uid)).toEqual([
      uid,
      uid,
      uid,
    ]);
  });

  it('is not made in the place of what came meanwhile', () => {
    program('mktemp', `/usr/bin/mktemp "$@"; mkdir -p "${mc}"; : > "${mc}/precious"`);
    expect(step().status).toBe(outdated);
    expect(names()).toEqual(['precious']);
    expect(beside()).toEqual([]);
  });
});

describe('a directory of the administrator that is there', () => {
  beforeEach(() => mkdirSync(mc));

  it('gets the mark and the record, and keeps all else', () => {
    writeFileSync(join(mc, 'server1.conf'), 'mine');
    writeFileSync(join(mc, 'server1.state.json'), 'written meanwhile');
    expect(step()).toMatchObject({ status: 0, stderr: '' });
    expect(names()).toEqual(['server1.conf', 'server1.state.json', ...both]);
    expect([...both, 'server1.conf', 'server1.state.json'].map(text)).toEqual([
      '',
      system,
      'mine',
      'written meanwhile',
    ]);
    expect(verdict()).toMatchObject({ kind: 'same' });
  });

  it('keeps a mark that is there', () => {
    writeFileSync(join(mc, 'server1.state.json.torn'), 'torn text');
    expect(step().status).toBe(0);
    expect(both.map(text)).toEqual(['torn text', system]);
  });

  it.each(both)('has no link followed in the place of %s', (name) => {
    const target = join(root, 'precious');
    writeFileSync(target, 'precious');
    symlinkSync(target, join(mc, name));
    expect(step().status).not.toBe(0);
    expect(readFileSync(target, 'utf8')).toBe('precious');
    expect(names()).toEqual([name]);
  });

  it('has no dangling link followed in the place of the mark', () => {
    symlinkSync(join(root, 'nowhere'), join(mc, 'server1.state.json.torn'));
    expect(step().status).not.toBe(0);
    expect(existsSync(join(root, 'nowhere'))).toBe(false);
    expect(names()).toEqual(['server1.state.json.torn']);
  });

  it('keeps a record that came meanwhile, whatever it says', () => {
    writeFileSync(join(mc, 'server1.system'), '99');
    expect(step().status).toBe(outdated);
    expect(names()).toEqual(['server1.system']);
    expect(text('server1.system')).toBe('99');
    expect(verdict()).toMatchObject({ kind: 'refuse', diagnostic: { code: 'SAF001' } });
  });

  it.runIf(isRoot)('is left alone where it is somebody else`s, as the place of a mount is', () => {
    const { uid, gid } = idsOf('nobody');
    chownSync(mc, uid, gid);
    expect(step().status).toBe(outdated);
    expect(names()).toEqual([]);
  });
});

describe('what leads elsewhere', () => {
  it('is no place for it: a link where the directory should be', () => {
    mkdirSync(join(root, 'elsewhere'));
    symlinkSync(join(root, 'elsewhere'), mc);
    expect(step().status).not.toBe(0);
    expect(readdirSync(join(root, 'elsewhere'))).toEqual([]);
  });

  it('is no leftover of ours: a link with its name stays, and what it leads to', () => {
    const elsewhere = join(root, 'elsewhere');
    mkdirSync(elsewhere);
    for (const name of both) writeFileSync(join(elsewhere, name), 'precious');
    symlinkSync(elsewhere, join(root, ".it's mc.pgduet-abcdef"));
    expect(step().status).toBe(0);
    expect(readdirSync(elsewhere)).toEqual(both);
    expect(lstatSync(join(root, ".it's mc.pgduet-abcdef")).isSymbolicLink()).toBe(true);
  });

  it.runIf(isRoot)('is no leftover of ours: a directory of another user', () => {
    const other = join(root, ".it's mc.pgduet-abcdef");
    mkdirSync(other);
    writeFileSync(join(other, 'server1.system'), 'precious');
    const { uid, gid } = idsOf('nobody');
    chownSync(other, uid, gid);
    expect(step()).toMatchObject({ status: 0, stderr: expect.stringContaining('is not ours, and stays') });
    expect(readFileSync(join(other, 'server1.system'), 'utf8')).toBe('precious');
  });

  it('is no leftover of ours: one with more in it stays', () => {
    const other = join(root, ".it's mc.pgduet-abcdef");
    mkdirSync(other);
    writeFileSync(join(other, 'notes'), 'precious');
    expect(step().status).toBe(0);
    expect(readdirSync(other)).toEqual(['notes']);
  });
});

describe('what is not as it was seen', () => {
  it.each<[string, () => void]>([
    ['it does not stream with the other server', () => fact('stream', 'f')],
    ['the server says nothing', () => program('psql', 'exit 2')],
    ['the data is of another cluster', () => fact('control', control('99'))],
    ['the control file says nothing', () => program('pg_controldata', 'exit 1')],
    ["root's unit is gone", () => rmSync(join(root, 'facts/mcoi_inst1.service'))],
    ['no server was started in it', () => rmSync(join(data, 'postmaster.opts'))],
    ['the server does not run', () => rmSync(join(data, 'postmaster.pid'))],
    [
      'it is being made',
      () => {
        mkdirSync(mc);
        writeFileSync(join(mc, 'server1.making'), 'copy');
      },
    ],
  ])('ends the step, and nothing is made: %s', (_, happens) => {
    happens();
    const before = names();
    expect(step().status).toBe(outdated);
    expect(names()).toEqual(before);
  });

  it('asks for its own end of the stream with that server', () => {
    program('psql', `cat > ${root}/facts/asked; echo t`);
    expect(step().status).toBe(0);
    const asked = readFileSync(join(root, 'facts/asked'), 'utf8');
    expect(asked).toContain("sender_host = '192.0.2.2' AND sender_port = 27500");
    expect(asked).toContain("application_name = 'server2'");
  });

  it.each<[string, () => void]>([
    ['the data is of another cluster', () => fact('control', control('99'))],
    ["root's unit is gone", () => rmSync(join(root, 'facts/mcoi_inst1.service'))],
  ])('is refused in a plan: %s', (_, happens) => {
    happens();
    expect(verdict()).toMatchObject({ kind: 'refuse', diagnostic: { code: 'SAF001' } });
  });
});

describe('a step that is killed', () => {
  const programs = ['mktemp', 'chown', 'chmod', 'sync', 'mv', 'ln', 'rm'];
  /** The n-th call of any of these kills the whole step, before it or behind it. */
  function killAt(count: number, when: 'before' | 'behind'): void {
    fact('calls', '');
    for (const name of programs) {
      const kill = `printf x >> ${root}/facts/calls; [ "$(wc -c < ${root}/facts/calls)" -ne ${count} ] || kill -9 0`;
      const real = `/usr/bin/env PATH=/usr/bin:/bin ${name} "$@"`;
      program(name, when === 'before' ? `${kill}\n${real}` : `${real}; status=$?\n${kill}\nexit $status`);
    }
  }
  const calls = (): number => readFileSync(join(root, 'facts/calls'), 'utf8').length;
  const unharmed = (): void => {
    for (const name of programs) rmSync(join(root, 'bin', name));
  };

  it.each<['before' | 'behind', 'absent' | 'there']>([
    ['before', 'absent'],
    ['behind', 'absent'],
    ['before', 'there'],
    ['behind', 'there'],
  ])(
    '%s each of its programs leaves no record without the mark, and the next run makes it whole (%s)',
    (when, form) => {
      killAt(-1, when);
      if (form === 'there') mkdirSync(mc);
      expect(step().status).toBe(0);
      const all = calls();
      expect(all).toBeGreaterThan(7);
      for (let at = 1; at <= all; at += 1) {
        rmSync(mc, { recursive: true });
        if (form === 'there') mkdirSync(mc);
        killAt(at, when);
        step();
        const left = names().filter((name) => !name.startsWith('.'));
        expect(left, `killed at ${at}`).toSatisfy((found: string[]) =>
          form === 'absent'
            ? ['(none)', both.join()].includes(found.join())
            : ['', both[0], both.join()].includes(found.join()),
        );
        unharmed();
        if (!left.includes('server1.system')) expect(step().status).toBe(0);
        expect(verdict()).toMatchObject({ kind: 'same' });
        expect(both.map(text)).toEqual(['', system]);
        expect(beside()).toEqual([]);
      }
    },
  );
});

function idsOf(user: string): { readonly uid: number; readonly gid: number } {
  const [, , uid, gid] = spawnSync('getent', ['passwd', user], { encoding: 'utf8' }).stdout.split(':');
  return { uid: Number(uid), gid: Number(gid) };
}
