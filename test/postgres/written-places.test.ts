/** Where settings make a server write, as far as their texts tell. */
import { describe, expect, it } from 'vitest';
import { isReadOnlyForUnit } from '../../src/base/host-paths.ts';
import { makerOf } from '../../src/postgres/bindirs.ts';
import { writtenPlaces } from '../../src/postgres/written-places.ts';

const places = (setting: string, value: string): readonly string[] =>
  writtenPlaces([[setting, value]]).map(({ path }) => path);

describe('a server writes', () => {
  it.each([
    ['log_directory', 'log', []],
    ['log_directory', '/usr/share/pglog', ['/usr/share/pglog']],
    ['external_pid_file', '/etc/pg/x.pid', ['/etc/pg']],
    ['unix_socket_directories', '/tmp, "/usr/run", @abstract', ['/tmp', '/usr/run']],
    ['archive_command', 'cp %p /usr/arch/%f', ['/usr/arch']],
    ['archive_command', 'test ! -f /usr/arch/%f && cp %p /usr/arch/%f', ['/usr/arch']],
    ['archive_command', '/usr/bin/cp "%p" "/usr/arch/%f"', ['/usr/arch']],
    ['archive_command', 'gzip -c %p >/usr/arch/%f.gz', ['/usr/arch']],
    ['archive_command', '/usr/bin/rsync -a %p /usr/arch/', ['/usr/arch']],
    ['archive_command', 'cp %p "$ARCHIVE_TO"/%f', []],
    ['archive_command', '/usr/bin/wal-g wal-push %p', []],
    ['archive_cleanup_command', '/usr/bin/pg_archivecleanup /usr/arch %r', ['/usr/arch']],
    ['restore_command', 'cp /usr/arch/%f %p', []],
    ['ssl_cert_file', '/etc/ssl/x.crt', []],
  ])('by %s = %j to %j', (setting, value, wanted) => {
    expect(places(setting, value)).toEqual(wanted);
  });

  it.each([
    ['/usr/share/x', true],
    ['/etc', true],
    ['/boot/x', true],
    ['/lib64/x', true],
    ['/usr/local/pgsql', false],
    ['/usr/localx', true],
    ['//usr/./x', true],
    ['/opt/x', false],
    ['/home/x', false],
    ['/srv/x', false],
    ['/user', false],
  ])('%s is read-only for the unit: %s', (path, readOnly) => {
    expect(isReadOnlyForUnit(path)).toBe(readOnly);
  });
});

it.each([
  ['postgres (PostgreSQL) 15.4 (Debian 15.4-1.pgdg120+1)', 'postgres (PostgreSQL) (Debian)'],
  ['postgres (PostgreSQL) 15.10', 'postgres (PostgreSQL)'],
  ['postgres (EnterpriseDB) 15.4.0', 'postgres (EnterpriseDB)'],
  ['15.4 (Ubuntu 15.4-2)', '(Ubuntu)'],
  ['18beta1', ''],
])('%s is a build of %j', (version, maker) => {
  expect(makerOf(version)).toBe(maker);
});
