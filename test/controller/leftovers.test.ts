/** What a killed controller has left beside the files that it writes: the next start removes it, and nothing of anybody else. */
import { spawnSync } from 'node:child_process';
import {
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
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { serverConf } from '../../src/controller/config.ts';
import { removeArbiterLeftovers, removeLeftovers } from '../../src/controller/io/leftovers.ts';
import { writeAtomic } from '../../src/controller/io/whole-file.ts';

let root = '';
const at = (path: string): string => join(root, path);
const put = (path: string, text = 'half'): string => {
  writeFileSync(at(path), text);
  return at(path);
};
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'mc-left-'));
  for (const name of ['mc', 'data', 'home']) mkdirSync(at(name));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const start = (): void =>
  removeLeftovers(
    {
      dir: at('mc'),
      self: { id: 'server1', host: '192.0.2.1', port: 27500 },
      conf: serverConf({ dbInstance: at('data') }),
    },
    at('home'),
  );

/** A process that is gone. */
const gone = (): number => spawnSync('true').pid;

describe('a start', () => {
  it('removes what was half written, in each place', () => {
    const left = [
      'home/..pgpass.controller.pgduet-tmp',
      'data/.postgresql.conf.controller.pgduet-tmp',
      'data/.postgresql.auto.conf.controller.pgduet-tmp',
      'data/.standby.signal.controller.pgduet-tmp',
      'data/.postmaster.pid.controller.pgduet-tmp',
      'mc/.server1.state.json.controller.pgduet-tmp',
      'mc/.server1.state.json.pgduet-tmp',
      'mc/.server1.status.json.controller.pgduet-tmp',
      `mc/server1.pid.${gone()}`,
      `mc/server1.pid.stale.${gone()}`,
    ];
    for (const path of left) put(path);
    start();
    expect(left.filter((path) => existsSync(at(path)))).toEqual([]);
  });

  it('knows the password file that the settings name', () => {
    put('data/postgresql.conf', `primary_conninfo = 'host=h user=u passfile=${at('home/passwords')}'\n`);
    const left = put('home/.passwords.controller.pgduet-tmp');
    start();
    expect(existsSync(left)).toBe(false);
  });

  it('leaves what pgduet, another server, a running process or a person has written', () => {
    const others = [
      'home/..pgpass.pgduet-tmp',
      'home/.pgpass',
      'home/..pgpass.controller.pgduet-tmp.bak',
      'data/.postgresql.conf.pgduet-tmp',
      'data/.notes.controller.pgduet-tmp',
      'mc/.network.conf.pgduet-tmp',
      'mc/.server2.state.json.pgduet-tmp',
      'mc/server1.pid',
      `mc/server1.pid.${process.pid}`,
      'mc/server1.pid.old',
      'mc/server1.pid.0',
      `mc/server2.pid.${gone()}`,
    ].sort();
    for (const path of others) put(path);
    start();
    expect(others.filter((path) => !existsSync(at(path)))).toEqual([]);
  });

  it('follows no link, and removes no directory', () => {
    const target = put('target');
    symlinkSync(target, at('home/..pgpass.controller.pgduet-tmp'));
    symlinkSync(target, at(`mc/server1.pid.${gone()}`));
    mkdirSync(at('data/.postgresql.conf.controller.pgduet-tmp'));
    start();
    expect(lstatSync(at('home/..pgpass.controller.pgduet-tmp')).isSymbolicLink()).toBe(true);
    expect(existsSync(at('data/.postgresql.conf.controller.pgduet-tmp'))).toBe(true);
    expect(readFileSync(target, 'utf8')).toBe('half');
    expect(readdirSync(at('mc'))).toHaveLength(1);
  });

  it.skipIf(process.getuid?.() !== 0)('removes nothing of another user', () => {
    const left = put('home/..pgpass.controller.pgduet-tmp');
    chownSync(left, 4711, 4711);
    start();
    expect(existsSync(left)).toBe(true);
  });

  it('of an arbiter does the same', () => {
    mkdirSync(at('mc/clusters/one'), { recursive: true });
    const left = ['clusters/one/.cell.json.controller.pgduet-tmp', 'clusters/one/.cell.json.pgduet-tmp'];
    for (const path of [...left, 'clusters/one/.network.conf.pgduet-tmp']) put(`mc/${path}`);
    removeArbiterLeftovers(at('mc'), 'arbiter', ['one']);
    expect(readdirSync(at('mc/clusters/one'))).toEqual(['.network.conf.pgduet-tmp']);
  });
});

it('a file that is written has a name beside it that pgduet does not use', () => {
  const of = put('data/.postgresql.conf.pgduet-tmp', "pgduet's");
  writeAtomic(at('data'), 'postgresql.conf', 'whole');
  expect(readFileSync(of, 'utf8')).toBe("pgduet's");
});
