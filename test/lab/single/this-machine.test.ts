/**
 * A server of an ordinary user on this machine, without systemd and without root: migrated to a second server beside it, and back.
 * What it was started with on its command line differs from what the other server must have: port and socket.
 */
import { execFileSync } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect } from 'vitest';
import { describeLab, labTest } from '../harness/describe.ts';
import { built } from '../support/pgduet.ts';

const bin = '/usr/lib/postgresql/15/bin';
const pgduet = join(import.meta.dirname, '../../../dist/pgduet.js');
const numberOf = (user: string, flag: string): number =>
  Number(execFileSync('id', [flag, user], { encoding: 'utf8' }));

describeLab('a server of an ordinary user on this machine', () => {
  let dir = '';
  const at = (name: string): string => join(dir, name);
  const asOwner = (...words: string[]): string =>
    execFileSync('runuser', ['-u', 'postgres', '--', ...words], {
      encoding: 'utf8',
      cwd: dir,
      stdio: 'pipe',
    });
  const run = (...words: string[]): string =>
    asOwner(process.execPath, pgduet, ...words, '-i', at('inventory.yml'));
  const ask = (query: string): string =>
    asOwner('psql', '-XAtq', '-h', at('run'), '-p', '28500', '-d', 'postgres', '-c', query).trim();
  const files = (): string[] =>
    ['postgresql.conf', 'pg_hba.conf'].map((name) => readFileSync(at(`one/${name}`), 'utf8'));

  beforeAll(() => {
    built();
    dir = mkdtempSync('/var/tmp/pgduet-single-');
    chownSync(dir, numberOf('postgres', '-u'), numberOf('postgres', '-g'));
    writeFileSync(
      at('inventory.yml'),
      `cluster: hand
postgres: { version: 15, data_dir: ${at('one')}, socket_dir: ${at('run')}, port: 28500, passfile: ${at('pgpass')} }
multiplexing: { management_dir: ${at('mc1')}, port: 28540 }
hosts:
  one: { connection: local, role: primary }
  two: { connection: local, role: standby, postgres: { data_dir: ${at('two')}, port: 28501 }, multiplexing: { management_dir: ${at('mc2')}, port: 28541 } }
`,
    );
    asOwner('mkdir', at('run'));
    asOwner(
      `${bin}/initdb`,
      '-D',
      at('one'),
      '--data-checksums',
      '--auth-local=peer',
      '--auth-host=scram-sha-256',
    );
    const options = `-p 28500 -k ${at('run')} -c work_mem=7MB`;
    asOwner(`${bin}/pg_ctl`, '-s', '-w', '-D', at('one'), '-l', at('one.log'), '-o', options, 'start');
    ask('CREATE TABLE t AS SELECT generate_series(1, 1000) AS n');
  });
  afterAll(() => {
    // They are gone already if all went as it should.
    for (const name of ['mc2', 'mc1'])
      if (existsSync(at(`${name}/mc_ctl`))) asOwner(at(`${name}/mc_ctl`), 'stop', '-e', '-M', at(name));
    asOwner(`${bin}/pg_ctl`, '-s', '-m', 'immediate', '-D', at('one'), 'stop');
    rmSync(dir, { recursive: true, force: true });
  });

  labTest('migrate, switch and back: rows, options and files are as before', async () => {
    const before = files();
    expect(run('migrate', '--yes', '--json')).toContain('"exit": 0');
    expect(run('check')).toMatch(/2 servers are as declared/);
    expect(ask('SHOW work_mem')).toBe('7MB');
    run('switch', '--yes');
    run('teardown', '--keep', 'one', '--yes');
    expect(ask('SELECT count(*) FROM t')).toBe('1000');
    expect(ask("SELECT setting || source FROM pg_settings WHERE name = 'work_mem'")).toBe('7168command line');
    expect(files()).toEqual(before);
    expect(asOwner('ls', dir).trim().split('\n')).toEqual(['inventory.yml', 'one', 'one.log', 'run']);
  });
});
