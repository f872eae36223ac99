/** What an auditor asks for: what each level writes, what the inventory keeps for itself, and that docs/security.md says the same. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  type Hardened,
  hardening,
  hardeningLibraries,
  hardeningSettings,
  replicationConnections,
} from '../../src/postgres/hardening.ts';
import { failing, rows } from '../lab/support/audit-points.ts';

const of = (over: Partial<Hardened> = {}) =>
  hardeningSettings({ level: 'standard', tls: false, declared: {}, loads: true, ...over });

describe('hardening', () => {
  it('standard: lines of the log, a delay, and nothing that costs somebody something', () => {
    expect(of()).toEqual({
      log_connections: 'on',
      log_disconnections: 'on',
      log_replication_commands: 'on',
      log_line_prefix: '%m [%p] %quser=%u,db=%d,app=%a,client=%h ',
      log_timezone: 'UTC',
      'auth_delay.milliseconds': '500',
      shared_preload_libraries: 'auth_delay, passwordcheck',
    });
  });

  it('cis has all of standard, and more', () => {
    expect(of({ level: 'cis' })).toEqual({
      ...of(),
      log_error_verbosity: 'verbose',
      log_statement: 'ddl',
      'pgaudit.log': 'ddl, role',
      unix_socket_permissions: '0770',
      shared_preload_libraries: 'auth_delay, passwordcheck, pgaudit, set_user',
    });
  });

  it('ciphers only with TLS', () => {
    const { ssl_ciphers: ciphers = '' } = of({ tls: true });
    expect(ciphers.split(':')).toHaveLength(6);
    for (const cipher of ciphers.split(':')) expect(cipher).toMatch(/^ECDHE-.*(GCM-SHA\d+|POLY1305)$/);
  });

  it('a setting of the inventory wins, however it writes the name', () => {
    const settings = of({ declared: { Log_Connections: 'off', 'auth_delay.milliseconds': '100' } });
    expect(settings).not.toHaveProperty('log_connections');
    expect(settings).not.toHaveProperty(['auth_delay.milliseconds']);
    expect(settings.shared_preload_libraries).toBe('auth_delay, passwordcheck');
  });

  it.each([
    ['pg_stat_statements', 'pg_stat_statements, auth_delay, passwordcheck'],
    ['"pg_stat_statements",auth_delay', '"pg_stat_statements", auth_delay, passwordcheck'],
    ['$libdir/auth_delay', '$libdir/auth_delay, passwordcheck'],
    ['', 'auth_delay, passwordcheck'],
  ])('libraries of the inventory come first, none twice: %s', (declared, loaded) => {
    expect(of({ declared: { shared_preload_libraries: declared } }).shared_preload_libraries).toBe(loaded);
  });

  it('a server that was taken in loads what it loads', () => {
    const settings = of({ level: 'cis', loads: false });
    expect(settings).not.toHaveProperty('shared_preload_libraries');
    expect(settings).not.toHaveProperty(['auth_delay.milliseconds']);
    expect(settings).not.toHaveProperty(['pgaudit.log']);
    expect(settings.log_connections).toBe('on');
  });
});

describe('the limit of connections of the replication role', () => {
  it.each([
    [{}, 30],
    [{ max_wal_senders: '3' }, 30],
    [{ Max_WAL_Senders: '40' }, 90],
  ])('is above what standbys can ever use: %j', (declared, limit) => {
    expect(replicationConnections(declared)).toBe(limit);
  });
});

describe('docs/security.md', () => {
  const page = readFileSync(join(import.meta.dirname, '../../docs/security.md'), 'utf8');

  it.each(hardening.map((one) => [one.name, one] as const))('has %s with its value', (_name, one) => {
    expect(page).toContain(
      `| \`${one.name}\` | ${one.level} | ${one.name === 'ssl_ciphers' ? 'suites of ECDHE with GCM or POLY1305' : `\`${one.value.trim()}\``} | ${one.what}`,
    );
  });

  it('has each point of the auditor: what passes at which level, and why the others do not', () => {
    const from = page.indexOf('| point | what it wants |');
    const table = page.slice(from, page.indexOf('\n\n', from)).split('\n').slice(2);
    expect(table).toEqual(rows);
  });

  it('has how many of them fail', () => {
    const counts = (['before', 'init', 'cis'] as const).map((level) => failing(level).length);
    expect(page).toContain(
      `${counts[0]} failed before, ${counts[1]} with what \`pgduet init\` writes, ${counts[2]} with \`cis\``,
    );
  });

  it.each(hardeningLibraries.map((one) => [one.name, one] as const))('has the library %s', (_name, one) => {
    expect(page).toContain(`| \`${one.name}\` | ${one.level} | library | ${one.what}`);
  });
});
