/**
 * What a host says of a configuration that is tried there: with a real PostgreSQL, where there is one, as an ordinary user. Each
 * of the cases is a server that does not start; nothing of the trial stays.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { neededOf } from '../../src/postgres/host-settings.ts';
import { preamble } from '../../src/resources/contract/preamble.ts';
import { trialScript } from '../../src/resources/contract/scratch.ts';
import { readTrial } from '../../src/resources/contract/trial.ts';

const binDir = '/usr/lib/postgresql/15/bin';
const owner = process.getuid?.() === 0 ? 'nobody' : userInfo().username;

describe('what a configuration needs of a host', () => {
  it('is nothing of another place, no command, and no word to another server', () => {
    const given = { Port: '1', archive_command: 'x', primary_conninfo: 'password=x', Work_Mem: '1MB' };
    expect(neededOf(given, undefined)).toEqual({
      settings: { work_mem: '1MB' },
      tls: false,
      log: '',
      hugePages: false,
    });
  });

  it.each([
    [{ ssl: 'on' }, undefined, false],
    [{ ssl: 'on' }, '/d', true],
    [{ ssl: 'yes', ssl_cert_file: '/a', ssl_key_file: '/b' }, undefined, true],
    [{ ssl: 'on', ssl_cert_file: '/a', ssl_key_file: '/b', ssl_ca_file: 'c' }, undefined, false],
    [{ ssl: 'off', ssl_cert_file: '/a', ssl_key_file: '/b' }, undefined, false],
  ])('TLS of %j in %s is tried: %s', (given, dataDir, tls) => {
    expect(neededOf(given as Record<string, string>, dataDir).tls).toBe(tls);
  });

  it.each([
    [{ logging_collector: 'on', log_directory: '/var/log/pg/' }, '/var/log/pg'],
    [{ logging_collector: 'on', log_directory: 'log' }, ''],
    [{ logging_collector: 'off', log_directory: '/var/log/pg' }, ''],
    [{ log_directory: '/var/log/pg' }, ''],
  ])('%j logs in %j', (given, log) => {
    expect(neededOf(given as Record<string, string>, undefined).log).toBe(log);
  });
});

describe.skipIf(!existsSync(`${binDir}/pg_resetwal`))(
  'a host with PostgreSQL 15',
  { timeout: 120_000 },
  () => {
    const dir = mkdtempSync(join(tmpdir(), 'pgduet-trial-'));
    const at = (name: string): string => join(dir, name);
    const left = (): readonly string[] =>
      readdirSync('/tmp').filter((name) => name.startsWith('pgduet-scratch.'));

    const said = (
      settings: Readonly<Record<string, string>>,
      dataDir?: string,
      brought: readonly string[] = [],
    ): readonly string[] => {
      const place = { owner, version: 15, brought, ...(dataDir === undefined ? {} : { dataDir }) };
      const { stdout, stderr } = spawnSync('sh', [], {
        input: `${preamble({ owner, socketDir: '/tmp', port: 1, postgresVersion: 15, binDir })}\n${trialScript(settings, place)}\n`,
        encoding: 'utf8',
      });
      expect(`${stdout}${stderr}`).toContain('trial tried');
      return readTrial(stdout, settings, owner);
    };

    beforeAll(() => {
      chmodSync(dir, 0o755);
      const openssl = (words: string): unknown =>
        execFileSync('openssl', words.split(' '), { cwd: dir, stdio: 'ignore' });
      openssl(
        'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=x -days 2 -keyout server.key -out server.crt',
      );
      openssl('ec -aes128 -passout pass:secret -in server.key -out locked.key');
      if (owner === 'nobody')
        execFileSync('chown', ['nobody', at('server.key'), at('server.crt'), at('locked.key')]);
      for (const name of ['server.key', 'locked.key']) chmodSync(at(name), 0o600);
      writeFileSync(at('file'), '');
    });
    afterAll(() => rmSync(dir, { recursive: true, force: true }));

    it('takes what a server can start with, and nothing of the trial stays', () => {
      const tls = { ssl: 'on', ssl_cert_file: at('server.crt'), ssl_key_file: at('server.key') };
      const settings = {
        ...tls,
        shared_buffers: '128MB',
        shared_preload_libraries: 'pg_stat_statements',
        'pg_stat_statements.max': '500',
      };
      expect(
        said({ ...settings, archive_mode: 'on', archive_command: 'touch /tmp/pgduet-scratch.archived' }),
      ).toEqual([]);
      expect(left()).toEqual([]);
    });

    it('takes a library that a package brings before, and tries it where it is there', () => {
      const loads = (libraries: string) => ({ shared_preload_libraries: libraries });
      expect(said(loads('pg_stat_statements, no_such'), undefined, ['no_such'])).toEqual([]);
      expect(said(loads('no_such'), undefined, ['no_such'])).toEqual([]);
      expect(said(loads('"$libdir/no_such"'), undefined, ['no_such'])).toEqual([]);
      // One that is not brought, one that is there and is no library for it, and one that nobody brings.
      expect(said(loads('nor_this, no_such'), undefined, ['no_such'])).toHaveLength(1);
      expect(said(loads('libpqwalreceiver, nor_this'), undefined, ['libpqwalreceiver'])).toHaveLength(1);
      expect(said(loads('no_such'))).toHaveLength(1);
    });

    it('takes files of the data directory, and a key that needs a passphrase', () => {
      expect(said({ ssl: 'on' }, dir)).toEqual([]);
      const locked = { ssl: 'on', ssl_cert_file: at('server.crt'), ssl_key_file: at('locked.key') };
      expect(said({ ...locked, ssl_passphrase_command: 'false' })).toEqual([]);
    });

    it('names every value that it cannot have, and tries the rest', () => {
      const wrong = { lc_messages: 'xx_XX.UTF-8', lc_time: 'yy_YY.UTF-8', ssl: 'on' };
      const sentences = said({
        ...wrong,
        ssl_cert_file: '/nowhere/db1.crt',
        ssl_key_file: '/nowhere/db1.key',
      });
      expect(sentences).toEqual([
        expect.stringMatching(
          /^with lc_messages = 'xx_XX\.UTF-8' .*LOG: invalid value for parameter "lc_messages": "xx_XX\.UTF-8"\): make this locale/,
        ),
        expect.stringMatching(/^with lc_time = 'yy_YY\.UTF-8'/),
        expect.stringMatching(
          /^with ssl_cert_file = '\/nowhere\/db1\.crt' .*FATAL: could not load server certificate file.*No such file or directory.*put such a file/,
        ),
      ]);
      expect(left()).toEqual([]);
    });

    it.each([
      [
        { logging_collector: 'on', log_directory: '/nowhere/pgsql' },
        /^with log_directory = '\/nowhere\/pgsql' .*FATAL: could not open log file .*install -d/,
      ],
      [
        { unix_socket_group: 'nosuchgroup' },
        /^with unix_socket_group = 'nosuchgroup' .*group "nosuchgroup" does not exist/,
      ],
      [
        { shared_preload_libraries: '/nowhere/own.so' },
        /^with shared_preload_libraries = '\/nowhere\/own\.so' .*could not access file/,
      ],
      [{ shared_buffers: '4TB' }, /^with shared_buffers = '4TB' a server takes 4\.\d TB of shared memory/],
      [{ nosuchsetting: 'x' }, /^with nosuchsetting = 'x' .*unrecognized configuration parameter/],
    ])('says what is wrong with %j', (settings, sentence) => {
      expect(said(settings as unknown as Record<string, string>)).toEqual([expect.stringMatching(sentence)]);
    });

    it('logs into no directory, whether or not it may be written to', () => {
      const logs = at('logs');
      execFileSync('install', ['-d', '-m', '0777', logs]);
      for (const log of [logs, join(logs, 'new')])
        expect(said({ logging_collector: 'on', log_directory: log })).toEqual([]);
      expect(readdirSync(logs)).toEqual([]);
    });

    it('a directory that is a file is none', () => {
      expect(said({ logging_collector: 'on', log_directory: at('file') })).toEqual([
        expect.stringContaining('Not a directory'),
      ]);
    });
  },
);
