/** postgresql.conf, postgresql.auto.conf and settings of roles and databases, in every form that the server accepts. */
import { single, type Trait, works } from '../trait.ts';

const lines = (text: string): string => `cat >>{conf}/postgresql.conf <<'END'\n\n${text}\nEND`;
/** Behind what other traits do in the server. */
const asSuperuser = (text: string): string =>
  `runuser -u postgres -- {bin}/psql -XqAt -p {port} -d postgres -v ON_ERROR_STOP=1 <<'END'\nSET default_transaction_read_only = off;\n${text};\nEND`;
const both = (directory: string): string => `install -d -o postgres -g postgres -m 750 ${directory}`;

export const settings: readonly Trait[] = [
  {
    name: 'conf-with-crlf',
    has: 'postgresql.conf has the line ends of Windows',
    starts: single,
    topics: ['line ends'],
    stopped: "sed -i 's/$/\\r/' {conf}/postgresql.conf",
    right: works,
  },
  {
    name: 'conf-with-includes',
    has: 'postgresql.conf includes files and directories, one of them missing',
    starts: single,
    stopped: `install -d -o postgres -g postgres {conf}/more.d
echo "work_mem = 7MB" >{conf}/more.d/10.conf; echo "work_mem = 8MB # last" >{conf}/more.d/20.conf; echo "work_mem = 64MB" >{conf}/more.d/.hidden.conf
echo "maintenance_work_mem = 32MB" >{conf}/extra.conf
${lines("include 'extra.conf'\nINCLUDE_DIR = 'more.d'\ninclude_if_exists '/etc/postgresql-site.conf'\nbackend_flush_after = 0")}
chown -R postgres: {conf}/more.d {conf}/extra.conf`,
    right: works,
  },
  {
    name: 'conf-with-duplicates',
    has: 'settings stand several times, the last one counts',
    starts: single,
    stopped: lines(
      "work_mem = 1MB\nWORK_MEM = 2MB\nwork_mem = '3MB'\nlisten_addresses = 'localhost'\nlisten_addresses = '*'",
    ),
    right: works,
  },
  {
    name: 'conf-in-odd-forms',
    has: 'values with units, without =, with tabs, capitals, hexadecimal and floating numbers',
    starts: single,
    stopped: lines(
      "\tWork_Mem\t'5120kB'   # five\nmaintenance_work_mem 0x10000\ncheckpoint_timeout='6min'\nbgwriter_delay = '250.0ms'\nautovacuum=TRUE\nenable_seqscan = y\nrandom_page_cost=1.1e0",
    ),
    right: works,
  },
  {
    name: 'conf-with-quotes',
    has: 'values with doubled and escaped quotes, hashes and backslashes, one of them a secret',
    starts: single,
    stopped: lines(
      "log_line_prefix = 'it''s %m # \\'x\\' [%p] '  # not it''s\nunix_socket_group = ''\napp.token = 'canary-guc-1'",
    ),
    right: works,
  },
  {
    name: 'conf-without-line-end',
    has: 'postgresql.conf ends without a line end',
    starts: single,
    topics: ['line ends'],
    stopped: "printf 'temp_buffers = 4MB' >>{conf}/postgresql.conf",
    right: works,
  },
  {
    name: 'conf-in-latin',
    has: 'postgresql.conf has a comment that is not UTF-8',
    starts: single,
    stopped: "printf '# gr\\374\\337e\\nwork_mem = 6MB\\n' >>{conf}/postgresql.conf",
    right: {
      kind: 'refused',
      by: 'plan',
      code: 'SAF030',
      names: /UTF-8/,
      fix: { shell: "LC_ALL=C sed -i 's/^# gr.*$/# greetings/' {conf}/postgresql.conf" },
    },
    places: ['primary'],
  },
  {
    name: 'auto-conf-of-alter-system',
    has: 'ALTER SYSTEM has set much',
    starts: single,
    topics: ['wal level'],
    sql: "ALTER SYSTEM SET wal_keep_size = '96MB'; ALTER SYSTEM SET random_page_cost = 1.2; ALTER SYSTEM SET log_min_duration_statement = '700ms'; ALTER SYSTEM SET max_wal_senders = 7;",
    restart: true,
    right: works,
  },
  {
    name: 'auto-conf-recovery-target',
    has: 'recovery targets of a former restore stand in postgresql.auto.conf',
    starts: single,
    topics: ['recovery'],
    sql: "ALTER SYSTEM SET recovery_target_time = '2024-01-01 00:00:00+00'; ALTER SYSTEM SET recovery_target_action = 'promote'; ALTER SYSTEM SET recovery_min_apply_delay = '1h';",
    restart: true,
    foretold: /recovery_target_time/,
    right: works,
  },
  {
    name: 'auto-conf-slot-name',
    has: 'primary_slot_name and primary_conninfo of a former role stand in postgresql.auto.conf',
    starts: single,
    topics: ['recovery'],
    sql: "ALTER SYSTEM SET primary_slot_name = 'node_2'; ALTER SYSTEM SET primary_conninfo = 'host=192.0.2.99 user=old password=canary-conninfo-1'; SELECT pg_reload_conf();",
    foretold: /primary_slot_name/,
    right: works,
  },
  {
    name: 'auto-conf-restore-command',
    has: 'restore_command of a former restore stands in postgresql.auto.conf',
    starts: single,
    topics: ['recovery'],
    sql: "ALTER SYSTEM SET restore_command = 'cp /nowhere/%f %p'; ALTER SYSTEM SET archive_cleanup_command = 'pg_archivecleanup /nowhere %r'; SELECT pg_reload_conf();",
    foretold: /restore_command/,
    right: works,
  },
  {
    name: 'read-only-by-default',
    has: 'transactions in the database postgres are read-only by default',
    starts: single,
    started: asSuperuser('ALTER DATABASE postgres SET default_transaction_read_only = on'),
    right: works,
  },
  {
    name: 'short-timeouts',
    has: 'statements, locks and idle sessions of the superuser have short limits',
    starts: single,
    started: asSuperuser(
      "ALTER ROLE postgres SET statement_timeout = '1500ms'; ALTER ROLE postgres SET lock_timeout = '200ms'; ALTER ROLE postgres SET idle_in_transaction_session_timeout = '2s'",
    ),
    right: works,
  },
  {
    name: 'superuser-with-odd-formats',
    has: 'dates, intervals, floats, bytea, encoding and messages of the superuser are shown in other forms',
    starts: single,
    started: asSuperuser(
      "ALTER ROLE postgres SET datestyle = 'German, DMY'; ALTER ROLE postgres SET intervalstyle = 'sql_standard'; ALTER ROLE postgres SET extra_float_digits = -10; ALTER ROLE postgres SET bytea_output = 'escape'; ALTER ROLE postgres SET client_encoding = 'LATIN1'; ALTER ROLE postgres SET timezone = 'Asia/Kathmandu'; ALTER ROLE postgres SET client_min_messages = 'debug1'",
    ),
    right: works,
  },
  {
    name: 'search-path-of-others',
    has: 'a search path with functions and tables named as those of PostgreSQL',
    starts: single,
    sql: "CREATE SCHEMA evil; CREATE FUNCTION evil.now() RETURNS text LANGUAGE sql AS 'SELECT $$never$$'; CREATE FUNCTION evil.pg_is_in_recovery() RETURNS bool LANGUAGE sql AS 'SELECT true'; CREATE TABLE evil.pg_settings (name text, setting text); ALTER DATABASE postgres SET search_path = evil, pg_catalog, public; ALTER ROLE postgres IN DATABASE postgres SET search_path = evil, pg_catalog, public;",
    right: works,
  },
  {
    name: 'messages-of-missing-locale',
    has: 'lc_messages and lc_time name a locale that only the first host has',
    starts: single,
    topics: ['locale'],
    places: ['primary'],
    shell: "sed -i 's/^# *\\(de_DE.UTF-8 UTF-8\\)/\\1/' /etc/locale.gen; locale-gen >/dev/null",
    stopped: lines("lc_messages = 'de_DE.UTF-8'\nlc_time = 'de_DE.UTF-8'"),
    right: {
      kind: 'refused',
      by: 'plan',
      code: 'SAF031',
      names: /lc_(messages|time)[\s\S]*de_DE\.UTF-8|de_DE\.UTF-8[\s\S]*lc_(messages|time)/,
      fix: {
        elsewhere: "sed -i 's/^# *\\(de_DE.UTF-8 UTF-8\\)/\\1/' /etc/locale.gen; locale-gen >/dev/null",
      },
    },
  },
  {
    name: 'log-directory-of-its-own',
    has: 'log_directory is a directory that only the first host has',
    starts: single,
    topics: ['log'],
    places: ['primary'],
    shell: both('/var/log/pgsql'),
    stopped: lines("logging_collector = on\nlog_directory = '/var/log/pgsql'"),
    right: {
      kind: 'refused',
      by: 'plan',
      code: 'SAF031',
      names: /\/var\/log\/pgsql/,
      fix: { elsewhere: both('/var/log/pgsql') },
    },
  },
  {
    name: 'certificate-of-its-own',
    has: 'ssl_cert_file and ssl_key_file are files that only the first host has',
    starts: single,
    topics: ['ssl'],
    places: ['primary'],
    stopped: `cp {conf}/postgresql.conf /root/conf.before
install -o postgres -g postgres -m 600 /etc/ssl/private/ssl-cert-snakeoil.key /etc/ssl/db1.key
cp /etc/ssl/certs/ssl-cert-snakeoil.pem /etc/ssl/db1.crt
${lines("ssl = on\nssl_cert_file = '/etc/ssl/db1.crt'\nssl_key_file = '/etc/ssl/db1.key'")}`,
    right: {
      kind: 'refused',
      by: 'plan',
      code: 'SAF031',
      names: /ssl_cert_file|\/etc\/ssl\/db1\.crt/,
      fix: {
        elsewhere:
          'install -o postgres -g postgres -m 600 /etc/ssl/private/ssl-cert-snakeoil.key /etc/ssl/db1.key; cp /etc/ssl/certs/ssl-cert-snakeoil.pem /etc/ssl/db1.crt',
      },
    },
  },
  {
    name: 'preloaded-statements',
    has: 'pg_stat_statements is preloaded, with a setting of its own',
    starts: single,
    stopped: lines(
      "shared_preload_libraries = 'pg_stat_statements, auto_explain'\npg_stat_statements.max = 500\nauto_explain.log_min_duration = '10s'",
    ),
    topics: ['preload'],
    right: works,
  },
  {
    name: 'many-logs',
    has: 'the log goes to csv and json files with an odd name and rotates',
    starts: single,
    topics: ['log'],
    stopped: lines(
      "logging_collector = on\nlog_destination = 'stderr,csvlog,jsonlog'\nlog_filename = 'pg log-%A.log'\nlog_rotation_size = 1MB\nlog_truncate_on_rotation = on",
    ),
    right: works,
  },
  {
    name: 'minimal-wal',
    has: 'wal_level is minimal, without walsenders',
    starts: single,
    topics: ['wal level', 'archive'],
    stopped: lines('wal_level = minimal\nmax_wal_senders = 0\nmax_replication_slots = 0'),
    right: works,
  },
  {
    name: 'logical-wal',
    has: 'wal_level is logical',
    starts: single,
    topics: ['wal level'],
    stopped: lines('wal_level = logical'),
    right: works,
  },
  {
    name: 'commits-not-safe',
    has: 'synchronous_commit is off',
    starts: single,
    // The clients of the trial count on what was acknowledged.
    sql: 'ALTER ROLE app SET synchronous_commit = on',
    tells: ['SET012'],
    stopped: lines('synchronous_commit = off\ncommit_delay = 10'),
    foretold: /synchronous_commit/,
    right: works,
  },
  {
    name: 'archive-by-copy',
    has: 'WAL is archived by cp to a directory that both hosts have',
    lives: ['/archive'],
    starts: single,
    topics: ['archive'],
    shell: both('/archive'),
    stopped: lines(
      "archive_mode = on\narchive_command = 'test ! -f /archive/%f && cp %p /archive/%f'\narchive_timeout = 60",
    ),
    right: works,
  },
  {
    name: 'archive-below-usr-local',
    has: 'WAL is archived to a directory below /usr/local',
    lives: ['/usr/local/pgsql/archive'],
    starts: single,
    topics: ['archive'],
    shell: both('/usr/local/pgsql/archive'),
    stopped: lines("archive_mode = on\narchive_command = 'cp %p /usr/local/pgsql/archive/%f'"),
    right: works,
  },
  {
    name: 'own-socket-directory',
    has: 'the socket is in two directories, with a mode of its own',
    starts: single,
    stopped: lines("unix_socket_directories = '/var/run/postgresql/, /tmp'\nunix_socket_permissions = 0770"),
    topics: ['socket'],
    right: works,
  },
  {
    name: 'listens-on-own-address',
    has: 'the server listens on addresses of its own host',
    starts: single,
    stopped: lines("listen_addresses = 'localhost, {address}'"),
    right: works,
  },
  {
    name: 'cluster-called-something',
    has: 'the server has a cluster_name, and no process titles',
    starts: single,
    stopped: lines("cluster_name = 'Prod # 1'\nupdate_process_title = off"),
    right: works,
  },
  {
    name: 'md5-passwords',
    has: 'passwords are still md5',
    starts: single,
    stopped: lines('password_encryption = md5'),
    right: works,
  },
  {
    name: 'files-elsewhere',
    has: 'the rules are in a file with another name elsewhere',
    starts: ['unit'],
    topics: ['hba file'],
    stopped: `install -d -o postgres -g postgres /etc/pgconf; cp -p {data}/pg_hba.conf /etc/pgconf/rules.conf; cp -p {data}/pg_ident.conf /etc/pgconf/maps.conf
echo '# nobody reads this one' >>{data}/pg_hba.conf
${lines("hba_file = '/etc/pgconf/rules.conf'\nident_file = '/etc/pgconf/maps.conf'")}`,
    right: works,
  },
];
