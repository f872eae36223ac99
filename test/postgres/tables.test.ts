/** What we know of PostgreSQL as tables and small formats: versions, programs, control data, connection strings. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Secret } from '../../src/base/secret.ts';
import { binDirCandidates, majorVersion } from '../../src/postgres/bindirs.ts';
import { conninfo, multiHostUri } from '../../src/postgres/conninfo.ts';
import { parseControlData, walNumber } from '../../src/postgres/controldata.ts';
import { parsePgpassLine, pgpassLine } from '../../src/postgres/pgpass.ts';
import { quoteIdentifier, quoteLiteral, quoteSetting } from '../../src/postgres/quote.ts';
import { newestVersion, oldestVersion, versionFacts } from '../../src/postgres/versions.ts';

describe('versions', () => {
  it.each([
    [13, false],
    [16, false],
    [17, true],
    [18, true],
  ])('%i has its facts', (version, slots) => {
    expect(versionFacts(version).synchronizedStandbySlots).toBe(slots);
  });

  it('are all known from the oldest to the newest, and none before', () => {
    expect([oldestVersion, newestVersion]).toEqual([13, 18]);
    expect(() => versionFacts(12)).toThrow('PostgreSQL 12');
  });
});

describe('programs', () => {
  it('are looked for in the packages of the version first, then in PATH, each place once', () => {
    const found = binDirCandidates(15, '/usr/bin::relative:/opt/pg/bin:/opt/pg/bin');
    expect(found[0]).toBe('/usr/lib/postgresql/15/bin');
    expect(found.filter((dir) => dir === '/usr/bin')).toHaveLength(1);
    expect(found.at(-1)).toBe('/opt/pg/bin');
    expect(found).not.toContain('relative');
  });

  it.each([
    ['15\n', 15],
    ['postgres (PostgreSQL) 15.8 (Debian 15.8-0+deb12u1)', 15],
    ['postgres (PostgreSQL) 18beta1', 18],
    ['pg_ctl (PostgreSQL) 17devel', 17],
    ['9.6', 9],
    ['', undefined],
    ['no version', undefined],
  ])('say their version: %j', (text, version) => {
    expect(majorVersion(text)).toBe(version);
  });
});

describe('pg_controldata', () => {
  const text = `pg_control version number:            1300
Database system identifier:           7300000000000000001
Database cluster state:               in archive recovery
Latest checkpoint location:           0/3000060
Latest checkpoint's TimeLineID:       3
Latest checkpoint's PrevTimeLineID:   2
Data page checksum version:           1
`;

  it('says how far a standby reaches beyond its last checkpoint', () => {
    const recovered = `${text}Minimum recovery ending location:     1/10\nMin recovery ending loc's timeline:   4\n`;
    expect(parseControlData(recovered)?.reached).toEqual({ position: '1/10', timeline: 4 });
    expect(parseControlData(recovered.replace('1/10', '0/0'))?.reached.timeline).toBe(3);
    expect(walNumber('1/0')).toBeGreaterThan(walNumber('0/FFFFFFFF'));
  });

  it('is read', () => {
    expect(parseControlData(text)).toEqual({
      systemIdentifier: '7300000000000000001',
      state: 'in archive recovery',
      timeline: 3,
      checkpoint: '0/3000060',
      checksums: true,
      reached: { position: '0/3000060', timeline: 3 },
    });
    expect(parseControlData(text.replace(/version: +1/, 'version: 0'))?.checksums).toBe(false);
  });

  it.each([
    'Database system identifier',
    'Database cluster state',
    'Latest checkpoint location',
    "Latest checkpoint's TimeLineID",
  ])('is not believed without its line %j', (label) => {
    expect(parseControlData(text.replace(label, 'X'))).toBeUndefined();
  });

  it('is nothing where the program complains', () => {
    expect(parseControlData('pg_controldata: error: could not open file')).toBeUndefined();
  });
});

describe('connection strings', () => {
  it.each([
    [{ host: '192.0.2.1', port: 5432, user: 'repl' }, 'host=192.0.2.1 port=5432 user=repl'],
    [{ host: '2001:db8::1' }, 'host=2001:db8::1'],
    [{ user: "o'clock", password: '' }, "user='o\\'clock' password=''"],
    [{ passfile: '/a b\\c' }, "passfile='/a b\\\\c'"],
  ])('quote what has to be: %j', (parts, text) => {
    expect(conninfo(parts)).toBe(text);
  });

  it('name every server for clients, IPv6 in brackets', () => {
    const hosts = [
      { host: '192.0.2.1', port: 5432 },
      { host: '2001:db8::1', port: 5433 },
    ];
    expect(multiHostUri(hosts, 'db', 'read-write', { sslmode: 'require' })).toMatch(
      /\/db\?target_session_attrs=read-write&sslmode=require$/,
    );
    expect(multiHostUri(hosts, 'my db', 'read-write')).toBe(
      'postgresql://192.0.2.1:5432,[2001:db8::1]:5433/my%20db?target_session_attrs=read-write',
    );
  });
});

describe('the password file', () => {
  const field = fc.string({ unit: 'grapheme', minLength: 1 }).filter((text) => !/[\r\n]/.test(text));

  it('gives back what was written to it', () => {
    const entries = fc.record({ host: field, port: field, database: field, user: field, password: field });
    fc.assert(
      fc.property(
        entries.filter(({ host }) => !host.startsWith('#')),
        (entry) => {
          const read = parsePgpassLine(pgpassLine({ ...entry, password: new Secret(entry.password) }));
          expect(read && { ...read, password: read.password.reveal() }).toEqual(entry);
        },
      ),
    );
  });

  it.each([
    ['h:1:d:u:p', 'p'],
    ['*:*:*:*:a\\:b\\\\c', 'a:b\\c'],
    ['h:1:d:u:', ''],
    ['# h:1:d:u:p', undefined],
    ['h:1:d:u', undefined],
    ['h:1:d:u:p:q', undefined],
    ['', undefined],
  ])('is read as libpq reads it: %j', (line, password) => {
    expect(parsePgpassLine(line)?.password.reveal()).toBe(password);
  });
});

describe('quoting for SQL and settings', () => {
  it.each([
    ['plain', "'plain'"],
    ["it's", "'it''s'"],
    ['a\\b', "E'a\\\\b'"],
  ])('makes a literal of %j', (text, literal) => {
    expect(quoteLiteral(text)).toBe(literal);
  });

  it('makes an identifier', () => {
    expect(quoteIdentifier('a"b')).toBe('"a""b"');
  });

  it.each([
    ['100', '100'],
    ['-1', '-1'],
    ['on', 'on'],
    ['256MB', "'256MB'"],
    ['', "''"],
    ["it's", "'it''s'"],
    ['a\\b', "'a\\\\b'"],
  ])('makes a setting of %j', (text, setting) => {
    expect(quoteSetting(text)).toBe(setting);
  });
});
