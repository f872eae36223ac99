/** Values over the declared ones: ALTER SYSTEM, includes, the command line, roles and databases; and dangerous ones. */
import { danger, degraded, drift, note, person, provision, type Round } from './mutation.ts';

const conf = '$D/postgresql.conf';
const app = 'app';
const unread = drift('SET006', /./);
const differs = (name: string) => [note('SET014', name), drift('PEE002', name, { host: 'standby' })];
const inRole = (statement: string, reset: string, source: string) => ({
  on: 'primary' as const,
  break: `sql "${statement}"`,
  expect: [
    drift('SET005', 'log_statement', { source, mend: new RegExp(reset.replaceAll('app', '"?app"?')) }),
  ],
  mended: person(`sql "${reset}"`),
});

/** A line in a file of its own; what the message asks for is to remove that line. */
const include = (directive: string, file: string, line: string) => ({
  break: `mkdir -p $D/extra; echo "${line}" > $D/${file}; chown -R postgres: $D/extra; echo "${directive}" >> ${conf}; reload; sleep 0.2`,
  mended: person(`sed -i 1d $D/${file}; reload`),
  sweep: `sed -i "/^include/d" ${conf}; rm -rf $D/extra; reload`,
});

export const overrideRounds: readonly Round[] = [
  {
    title: 'ALTER SYSTEM',
    mutations: [
      {
        title: 'has set a declared setting with ALTER SYSTEM, without a reload',
        on: 'primary',
        break: `sql "ALTER SYSTEM SET log_statement = 'none'"`,
        expect: [
          drift('SET002', 'log_statement', {
            declared: 'all',
            found: /none/,
            source: /postgresql\.auto\.conf/,
          }),
        ],
        mended: provision('reload'),
      },
      {
        title: 'has set a declared setting with ALTER SYSTEM, and reloaded',
        on: 'standby',
        break: `sql "ALTER SYSTEM SET log_line_prefix = 'mine '"; reload`,
        expect: [drift('SET002', 'log_line_prefix', { found: /mine/, source: /postgresql\.auto\.conf/ })],
        mended: provision('reload'),
      },
      {
        title: 'has set synchronous_standby_names with ALTER SYSTEM',
        on: 'primary',
        break: `sql "ALTER SYSTEM SET synchronous_standby_names = ''"`,
        expect: [danger('SET010', 'synchronous_standby_names')],
        // A reload by the controller brings it into force; what follows from that is told in the next round.
        also: [
          danger('REP003', /./, { host: 'primary' }),
          degraded('CTL007', /./, { host: 'primary' }),
          degraded('CTL007', /./, { host: 'standby' }),
          drift('PEE002', 'synchronous_standby_names', { host: 'standby' }),
        ],
        mended: provision('reload'),
      },
      {
        title: 'has set primary_conninfo with ALTER SYSTEM',
        on: 'standby',
        break: `sql "ALTER SYSTEM SET primary_conninfo = 'host=192.0.2.1'"`,
        expect: [danger('SET010', 'primary_conninfo')],
        mended: provision('reload'),
      },
    ],
  },
  {
    title: 'commits do not wait',
    mutations: [
      {
        title: 'has emptied synchronous_standby_names with ALTER SYSTEM, and reloaded',
        on: 'primary',
        break: `sql "ALTER SYSTEM SET synchronous_standby_names = ''"; reload; wait_until '[ "$(sql "select sync_state from pg_stat_replication")" = async ]'`,
        expect: [
          danger('SET010', 'synchronous_standby_names'),
          danger('REP003', /./, { host: 'primary', mendedBy: 'provision' }),
        ],
        also: [
          drift('CTL007', /./, { host: 'primary' }),
          drift('CTL007', /./, { host: 'standby' }),
          drift('PEE002', 'synchronous_standby_names', { host: 'standby' }),
        ],
        mended: provision('reload'),
      },
    ],
  },
  {
    title: 'included files',
    mutations: [
      {
        title: 'has a file included that holds a declared setting',
        on: 'primary',
        ...include("include 'extra/one.conf'", 'extra/one.conf', 'log_statement = none'),
        expect: [drift('SET003', 'log_statement', { found: /none/, source: /extra\/one\.conf:1/ })],
      },
      {
        title: 'has a directory included that holds a declared setting',
        on: 'standby',
        ...include("include_dir 'extra'", 'extra/two.conf', "log_line_prefix = 'mine '"),
        expect: [drift('SET003', 'log_line_prefix', { source: /extra\/two\.conf:1/ })],
      },
    ],
  },
  {
    title: 'more included files',
    mutations: [
      {
        title: 'has a file included, if it exists, that holds synchronous_standby_names',
        on: 'standby',
        ...include(
          "include_if_exists 'extra/three.conf'",
          'extra/three.conf',
          "synchronous_standby_names = '*'",
        ),
        expect: [danger('SET011', 'synchronous_standby_names', { source: /extra\/three\.conf:1/ })],
        also: [drift('PEE002', 'synchronous_standby_names', { host: 'standby' })],
      },
    ],
  },
  {
    title: 'roles and databases',
    mutations: [
      {
        title: 'has given a role another value',
        ...inRole(
          `ALTER ROLE ${app} SET log_statement = 'none'`,
          `ALTER ROLE ${app} RESET log_statement`,
          `ALTER ROLE ${app}`,
        ),
      },
      {
        title: 'has given a database another value',
        ...inRole(
          `ALTER DATABASE ${app} SET log_statement = 'ddl'`,
          `ALTER DATABASE ${app} RESET log_statement`,
          `ALTER DATABASE ${app}`,
        ),
      },
      {
        title: 'has given a role another value in one database',
        ...inRole(
          `ALTER ROLE ${app} IN DATABASE ${app} SET log_statement = 'mod'`,
          `ALTER ROLE ${app} IN DATABASE ${app} RESET log_statement`,
          `ALTER ROLE ${app} IN DATABASE ${app}`,
        ),
      },
      {
        title: 'lets a database commit without waiting',
        on: 'primary',
        break: `sql "ALTER DATABASE ${app} SET synchronous_commit = off"`,
        expect: [danger('SET012', /synchronous_commit/, { source: /app/ })],
        mended: person(`sql "ALTER DATABASE ${app} RESET synchronous_commit"`),
      },
    ],
  },
  {
    title: 'settings that lose commits',
    mutations: [
      {
        title: 'has switched fsync off',
        on: 'standby',
        break: 'sql "ALTER SYSTEM SET fsync = off"; reload; sleep 0.2',
        expect: [danger('SET012', 'fsync', { source: /postgresql\.auto\.conf/ })],
        also: differs('fsync'),
        mended: person('sql "ALTER SYSTEM RESET fsync"; reload'),
      },
      {
        title: 'has set wal_receiver_timeout with ALTER SYSTEM: the layers give up at different times',
        on: 'standby',
        break: `sql "ALTER SYSTEM SET wal_receiver_timeout = '1h'"; reload; sleep 0.2`,
        expect: [drift('SET002', 'wal_receiver_timeout', { found: /1h|3600000/ })],
        also: [drift('PEE002', 'wal_receiver_timeout', { host: 'standby' })],
        mended: provision('reload'),
      },
      {
        title: 'lets no commit wait',
        on: 'primary',
        break: 'sql "ALTER SYSTEM SET synchronous_commit = off"; reload; sleep 0.2',
        expect: [danger('SET012', 'synchronous_commit')],
        also: differs('synchronous_commit'),
        mended: person('sql "ALTER SYSTEM RESET synchronous_commit"; reload'),
      },
      {
        title: 'has switched full_page_writes off in postgresql.conf',
        on: 'primary',
        break: `sed -i 's/^full_page_writes = .*/full_page_writes = off/' ${conf}; reload; sleep 0.2`,
        expect: [
          drift('SET001', 'full_page_writes', { declared: 'on', found: /off/, mendedBy: 'provision' }),
        ],
        also: [
          danger('SET012', 'full_page_writes'),
          drift('PEE002', 'full_page_writes', { host: 'standby' }),
          unread,
        ],
        mended: provision('reload'),
      },
    ],
  },
  {
    title: 'a server that was started by hand',
    mutations: [
      {
        title: 'has started the server with another value on its command line',
        on: 'standby',
        break: `mc stop --mc-only >/dev/null; pgctl restart -w -m fast -o "-c wal_retrieve_retry_interval=9s" >/dev/null
systemctl start $UNIT; switchable`,
        expect: [
          drift('SET004', 'wal_retrieve_retry_interval', { found: /9 ?s|9000/, source: /command line/ }),
        ],
        mended: person('systemctl restart $UNIT; switchable'),
      },
    ],
  },
  {
    title: 'settings that a restart has brought into force',
    mutations: [
      {
        title: 'has let the server read its client rules from another file',
        on: 'standby',
        break: `cp -p $D/pg_hba.conf /mcdir/other_hba.conf; sed -i "1i hba_file = '/mcdir/other_hba.conf'" ${conf}`,
        expect: [danger('SET015', /hba_file/, { found: /other_hba/ })],
        also: [...differs('hba_file'), unread],
        mended: person(`sed -i '/^hba_file/d' ${conf}; systemctl restart $UNIT; switchable`),
        sweep: 'rm /mcdir/other_hba.conf',
      },
      {
        title: 'has let the server listen on the host alone',
        on: 'standby',
        break: `sql "ALTER SYSTEM SET listen_addresses = 'localhost'"; systemctl restart $UNIT; switchable`,
        expect: [drift('SET002', 'listen_addresses', { declared: '*', mendedBy: 'provision' })],
        also: [
          degraded('NET001', '$ID', { host: 'primary' }),
          drift('PEE002', 'listen_addresses', { host: 'standby' }),
          drift('SET007', 'listen_addresses'),
        ],
        mended: provision('restart'),
      },
    ],
  },
];
