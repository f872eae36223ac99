/** postgresql.conf: values, lines, reloads and restarts that were missed, errors, owner and mode. */
import { danger, drift, note, person, provision, type Round } from './mutation.ts';

const conf = '$D/postgresql.conf';
const unread = drift('SET006', /./);
const byHand = (name: string) => [note('SET014', name), drift('PEE002', name, { host: 'standby' })];

export const settingRounds: readonly Round[] = [
  {
    title: 'values in postgresql.conf',
    mutations: [
      {
        title: 'has changed a value in the file, without a reload',
        on: 'primary',
        break: `sed -i 's/^log_statement = .*/log_statement = none/' ${conf}`,
        expect: [drift('SET001', 'log_statement', { declared: 'all', found: /none/ })],
        also: [unread],
        mended: provision('reload'),
      },
      {
        title: 'has removed the line of a setting',
        on: 'primary',
        break: `sed -i '/^wal_retrieve_retry_interval/d' ${conf}`,
        expect: [drift('SET001', 'wal_retrieve_retry_interval', { declared: '500' })],
        also: [unread],
        mended: provision('reload'),
      },
      {
        title: 'has written a second line for a setting further down',
        on: 'primary',
        break: `echo "log_line_prefix = 'mine '" >> ${conf}`,
        expect: [drift('SET001', 'log_line_prefix', { found: /mine/ })],
        also: [unread],
        mended: provision('reload'),
      },
      {
        title: 'has changed a value in the file, and reloaded',
        on: 'standby',
        break: `sed -i 's/^log_statement = .*/log_statement = none/' ${conf}; reload; in_force log_statement none`,
        expect: [drift('SET001', 'log_statement', { declared: 'all', found: /none/ })],
        mended: provision('reload'),
      },
      {
        title: 'has written a setting between ours that nobody has declared',
        on: 'standby',
        break: `sed -i "s/^log_statement = .*/&\\nlog_disconnections = on/" ${conf}`,
        expect: [drift('SET009', 'log_disconnections')],
        also: [unread, ...byHand('log_disconnections')],
        mended: provision('reload'),
      },
      {
        title: 'has opened postgresql.conf to others',
        on: 'primary',
        break: `chmod 0644 ${conf}`,
        expect: [drift('SET013', conf, { declared: /600/, found: /644/ })],
        mended: provision('reload'),
      },
      {
        title: 'has given postgresql.conf to root',
        on: 'standby',
        break: `chown root: ${conf}; chmod 0644 ${conf}`,
        expect: [drift('SET013', conf, { found: /root/ })],
        also: [unread, drift('SET013', conf)],
        mended: provision('reload'),
      },
    ],
  },
  {
    title: 'values that need a restart',
    mutations: [
      {
        title:
          'has raised a value that needs a restart, and reloaded: the file is put back, and no restart is needed',
        on: 'standby',
        break: `sed -i 's/^max_connections = .*/max_connections = 80/' ${conf}; reload; pending max_connections`,
        expect: [drift('SET001', 'max_connections', { declared: '50', found: /80/ })],
        also: [drift('SET007', 'max_connections')],
        mended: provision('reload'),
      },
      {
        title: 'has switched wal_log_hints off in the file, without a reload',
        on: 'primary',
        break: `sed -i 's/^wal_log_hints = .*/wal_log_hints = off/' ${conf}`,
        expect: [drift('SET001', 'wal_log_hints', { declared: 'on', found: /off/ })],
        also: [unread],
        mended: provision('reload'),
      },
    ],
  },
  {
    title: 'a file that is newer than what the server has read',
    mutations: [
      {
        title: 'has put a value back without the restart that it needs',
        on: 'standby',
        break: `sed -i 's/^max_connections = .*/max_connections = 80/' ${conf}; systemctl restart $UNIT; switchable
sed -i 's/^max_connections = .*/max_connections = 50/' ${conf}; reload; pending max_connections`,
        expect: [drift('SET007', 'max_connections', { declared: '50', found: /80/ })],
        also: [drift('PEE002', 'max_connections', { host: 'standby' })],
        mended: provision('restart'),
      },
    ],
  },
  {
    title: 'errors in postgresql.conf',
    mutations: [
      {
        title: 'has written a line that is none',
        on: 'standby',
        break: `echo 'this is no setting' >> ${conf}`,
        expect: [danger('SET008', /postgresql\.conf/, { mendedBy: 'person' })],
        also: [unread],
        mended: person(`sed -i '/^this is no setting$/d' ${conf}; reload`),
      },
      {
        title: 'has written a setting that the server does not know',
        on: 'primary',
        break: `echo 'shared_bufers = 16MB' >> ${conf}`,
        expect: [danger('SET008', /postgresql\.conf|shared_bufers/, { mendedBy: 'person' })],
        also: [unread, note('SET014', 'shared_bufers')],
        mended: person(`sed -i '/^shared_bufers/d' ${conf}; reload`),
      },
    ],
  },
  {
    title: 'settings that nobody has declared',
    mutations: [
      {
        title: 'has added a setting to postgresql.conf on both servers',
        on: 'both',
        break: `sed -i '1i deadlock_timeout = 2s' ${conf}; reload`,
        expect: [note('SET014', 'deadlock_timeout', { source: /postgresql\.conf/ })],
        mended: person(`sed -i '/^deadlock_timeout = 2s$/d' ${conf}; reload`),
      },
      {
        title: 'has set work_mem with ALTER SYSTEM on one server only',
        on: 'primary',
        break: `sql "ALTER SYSTEM SET work_mem = '6MB'"; reload`,
        expect: [
          drift('PEE002', 'work_mem', {
            host: 'standby',
            declared: /6 MB/,
            source: /postgresql\.auto\.conf/,
          }),
        ],
        mended: person('sql "ALTER SYSTEM RESET work_mem"; reload'),
      },
    ],
  },
];
