/** The table of PostgreSQL's own names knows what the sources of each version make, and nothing beside it. */
import { describe, expect, it } from 'vitest';
import { type OwnPlace, ownNames, topNames } from '../../src/postgres/own-names.ts';

const known = (place: OwnPlace, version: number, type: 'd' | 'f', path: string): boolean =>
  new RegExp(`^(${ownNames(place, version).get(type)})$`).test(path);
const versions = [13, 14, 15, 16, 17, 18];

describe.each(versions)('the names that PostgreSQL %i makes', (version) => {
  it.each([
    ...['base', 'base/1', 'global', 'pg_commit_ts', 'pg_dynshmem', 'pg_logical', 'pg_logical/mappings'],
    ...['pg_logical/snapshots', 'pg_multixact', 'pg_multixact/members', 'pg_multixact/offsets', 'pg_notify'],
    ...['pg_replslot', 'pg_replslot/server2', 'pg_serial', 'pg_snapshots', 'pg_stat', 'pg_stat_tmp'],
    ...['pg_subtrans', 'pg_tblspc', 'pg_twophase', 'pg_wal', 'pg_wal/archive_status', 'pg_xact'],
  ])('hold the directory %s', (path) => expect(known('data', version, 'd', path)).toBe(true));

  it.each([
    ...['PG_VERSION', 'postgresql.conf', 'postgresql.auto.conf', 'postgresql.auto.conf.tmp', 'pg_ident.conf'],
    ...['postmaster.pid', 'postmaster.opts', 'current_logfiles', 'current_logfiles.tmp', 'promote'],
    ...['backup_label', 'backup_label.old', 'tablespace_map', 'tablespace_map.old', 'backup_manifest'],
    ...['backup_manifest.tmp', 'standby.signal', 'recovery.signal', 'logrotate', 'autoprewarm.blocks'],
    ...['global/pg_control', 'global/pg_filenode.map', 'global/pg_internal.init', 'global/1262_fsm'],
    ...['base/1/PG_VERSION', 'base/5/16384.1', 'base/5/t3_16385_vm', 'base/5/pg_internal.init.4711'],
    ...['base/pgsql_tmp/pgsql_tmp4711.0', 'pg_xact/0000', 'pg_multixact/members/0000', 'pg_dynshmem/mmap.17'],
    ...['pg_snapshots/00000003-0000001B-1', 'pg_logical/replorigin_checkpoint', 'pg_replslot/server2/state'],
    ...['pg_logical/snapshots/0-15E8A28.snap', 'pg_logical/snapshots/0-15E8A28.snap.4711.tmp'],
    ...['pg_logical/mappings/map-5-4eb-0_15E8A28-2e1-2e2', 'pg_replslot/a/xid-731-lsn-0-3000000.spill'],
    ...['pg_stat/pg_stat_statements.stat', 'pg_stat_tmp/pgss_query_texts.stat', 'pg_wal/xlogtemp.4711'],
    ...['pg_wal/000000010000000000000001', 'pg_wal/00000002.history', 'pg_wal/RECOVERYXLOG'],
    ...['pg_wal/000000010000000000000001.00000028.backup', 'pg_wal/000000010000000000000001.partial'],
    ...['pg_wal/archive_status/00000002.history.done', 'log/postgresql-2026-11-29_120000.log'],
  ])('hold the file %s', (path) => expect(known('data', version, 'f', path)).toBe(true));

  it.each([
    ...['dump.sql', 'base/1/notes.txt', 'base/5/16384.bak', 'global/pg_control.bak', 'pg_wal/archive.tar'],
    ...[
      'postgresql.conf.bak',
      'server.key',
      'log/report.csv',
      'log/postgresql-sales.csv',
      'backup_label.mine',
    ],
  ])('do not hold %s', (path) => expect(known('data', version, 'f', path)).toBe(false));

  it('are those of this version', () => {
    const of = (path: string, type: 'd' | 'f' = 'f') => known('data', version, type, path);
    expect(of('pg_wal/summaries', 'd')).toBe(version >= 17);
    expect(of(`pg_wal/summaries/${'0'.repeat(40)}.summary`)).toBe(version >= 17);
    expect(of('pg_twophase/000002DB')).toBe(version < 17);
    expect(of('pg_twophase/00000000000002DB')).toBe(version >= 17);
    // Here the table takes the names of all versions.
    for (const path of version < 15
      ? ['pg_stat/global.stat', 'pg_stat/db_0.stat', 'base/pgsql_tmp/pgsql_tmp4711.0.sharedfileset/0.0']
      : ['pg_stat/pgstat.stat', 'base/pgsql_tmp/pgsql_tmp4711.0.fileset/0.0', 'base/1/pg_filenode.map.tmp'])
      expect(of(path)).toBe(true);
    expect(of(`pg_notify/${version < 17 ? '0000' : '0'.repeat(15)}`)).toBe(true);
    expect(known('tablespace', version, 'd', `PG_${version}_202209061`)).toBe(true);
    expect(known('tablespace', version, 'd', 'PG_12_202209061')).toBe(false);
  });

  it('at the top of a data directory are those of the whole table that stand in no directory', () => {
    const all = [...ownNames('data', version).values()].join('|');
    const tops = topNames(version);
    expect(tops).not.toContain('/');
    for (const name of [
      ...['base', 'global', 'pg_wal', 'pg_tblspc', 'pg_stat_tmp', 'pg_xact', 'log', 'PG_VERSION', 'promote'],
      ...[
        '.s.PGSQL.5432',
        '.s.PGSQL.5432.lock',
        'backup_label.old',
        'recovery.signal',
        'postmaster.pid',
        'pgduet.json',
        'pgduet.before.db-1.example.0123456789ab.json',
        '.pgduet.before.db-1.example.0123456789ab.json.pgduet-tmp',
        'pgduet.before.json',
      ],
      ...[
        'pg_control',
        'postgresql.conf.bak',
        'bas',
        'x',
        'archive_status',
        'server.key',
        '.pg_hba.conf.trial',
      ],
    ])
      expect([name, new RegExp(`^(${tops})$`).test(name)]).toEqual([
        name,
        new RegExp(`^(${all})$`).test(name),
      ]);
  });
});
