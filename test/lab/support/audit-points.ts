/**
 * The points of an auditor that failed on a fresh primary before there was `postgres.hardening` or TLS, written from the benchmark: at which level
 * a pair that pgduet makes passes, how that is looked at, and why it does not. docs/security.md holds the same table. Data, and questions that
 * change nothing.
 */
import { type Server, sql } from './instance.ts';

/** `init`: what `pgduet init` writes; `cis`: the same with `hardening: cis`; `nobody`: it fails with both. */
type Level = 'init' | 'cis' | 'nobody';

export interface Point {
  readonly point: string;
  readonly wants: string;
  /** The first level that passes. */
  readonly passes: Level;
  /** By what it passes; or why it does not, and what the way is. */
  readonly why: string;
  readonly look: (pair: Looked) => Promise<boolean>;
}

export interface Looked {
  readonly primary: Server;
  readonly standby: Server;
}

const shows =
  (name: string, wanted: RegExp): Point['look'] =>
  async ({ primary }) =>
    wanted.test(await sql(primary, `SHOW ${name}`));
const loads = (library: RegExp): Point['look'] => shows('shared_preload_libraries', library);
const holds =
  (question: string): Point['look'] =>
  async ({ primary }) =>
    (await sql(primary, `select ${question}`)) === 't';
const succeeds =
  (script: string | ((server: Server) => string)): Point['look'] =>
  async ({ primary }) =>
    (await primary.host.sh(typeof script === 'string' ? script : script(primary))).status === 0;
const every =
  (...looks: readonly Point['look'][]): Point['look'] =>
  async (pair) =>
    (await Promise.all(looks.map((look) => look(pair)))).every((passed) => passed);

/** Client rules for other hosts that let somebody in without TLS. */
const noPlainRules = holds(
  "count(*) = 0 from pg_hba_file_rules where type in ('host', 'hostnossl') and auth_method <> 'reject' and address !~ '^(127\\.|::1$)'",
);

/** No database lets everybody use its schema public; the one that no session can enter is left out. */
const publicIsClosed: Point['look'] = async ({ primary }) => {
  const names = await sql(primary, 'select datname from pg_database where datallowconn');
  const open = await Promise.all(
    names
      .split('\n')
      .map((database) =>
        sql(
          primary,
          "select count(*) from pg_namespace, aclexplode(nspacl) where nspname = 'public' and grantee = 0",
          database,
        ),
      ),
  );
  return open.every((count) => count === '0');
};

const forwardSecrecy: Point['look'] = async ({ primary }) =>
  (await sql(primary, 'SHOW ssl_ciphers')).split(':').every((suite) => /^(ECDHE|DHE|TLS)[-_]/.test(suite));

/** WAL and temporary files on other file systems than the data. */
const apart: Point['look'] = every(
  succeeds(({ dataDir }) => `[ "$(stat -L -c %d ${dataDir}/pg_wal)" != "$(stat -c %d ${dataDir})" ]`),
  shows('temp_tablespaces', /\S/),
);

export const points: readonly Point[] = [
  {
    point: '1.1.1',
    wants: 'packages of the PostgreSQL project (PGDG)',
    passes: 'nobody',
    why: 'the package source is the host’s: pgduet installs what it offers',
    look: succeeds("dpkg-query -W -f '${Version}\\n' 'postgresql-[0-9]*' | grep -q pgdg"),
  },
  {
    point: '1.4.4',
    wants: 'WAL and temporary files on other file systems than the data',
    passes: 'nobody',
    why: 'they are disks of yours: `postgres.wal_dir`, and a tablespace in `settings.temp_tablespaces`',
    look: apart,
  },
  {
    point: '1.5',
    wants: 'the newest minor version',
    passes: 'nobody',
    why: 'which one is the newest is known outside of the cluster. `check` tells a server that runs an older one than is installed, `pgduet rolling-update` brings what the package source has',
    // An own source with nothing newer would prove nothing: what a host may not reach does not count as passed.
    look: succeeds('apt-cache madison postgresql-15 | grep -q "https*://.*postgresql.org"'),
  },
  {
    point: '2.1',
    wants: '`umask 077` of the administrator’s login',
    passes: 'init',
    why: '`/etc/profile.d/pgduet_CLUSTER.sh`; not for fish, csh, and logins that read no profile',
    look: succeeds('[ "$(su - postgres -c umask)" = 0077 ]'),
  },
  {
    point: '2.6',
    wants: 'a socket that is not open to everybody',
    passes: 'cis',
    why: '`unix_socket_permissions`; it keeps local users out who came in before',
    look: succeeds(({ socketDir, port }) => `stat -c %A ${socketDir}/.s.PGSQL.${port} | grep -q -- '---$'`),
  },
  {
    point: '3.1.20',
    wants: '`log_connections`',
    passes: 'init',
    why: 'setting',
    look: shows('log_connections', /^on$/),
  },
  {
    point: '3.1.21',
    wants: '`log_disconnections`',
    passes: 'init',
    why: 'setting',
    look: shows('log_disconnections', /^on$/),
  },
  {
    point: '3.1.22',
    wants: '`log_error_verbosity = verbose`',
    passes: 'cis',
    why: 'setting; it makes each message some lines longer',
    look: shows('log_error_verbosity', /^verbose$/),
  },
  {
    point: '3.1.24',
    wants: 'time, process, user, database, program and address in each line',
    passes: 'init',
    why: '`log_line_prefix`',
    look: shows('log_line_prefix', /^(?=.*%[tmn])(?=.*%[pc])(?=.*%u)(?=.*%d)(?=.*%a)(?=.*%h)/),
  },
  {
    point: '3.1.25',
    wants: '`log_statement` at least `ddl`',
    passes: 'cis',
    why: 'setting; the clear text of a password in `CREATE ROLE` comes into the log',
    look: shows('log_statement', /^(ddl|mod|all)$/),
  },
  {
    point: '3.1.26',
    wants: '`log_timezone` UTC',
    passes: 'init',
    why: 'setting',
    look: shows('log_timezone', /^(UTC|GMT)$/),
  },
  {
    point: '3.2',
    wants: 'pgAudit, with `pgaudit.log`',
    passes: 'cis',
    why: '`pgaudit.log = ddl, role`, from its package, which comes to every host before a setting names it. `write`, which the benchmark has, too, logs each row-writing statement: `settings`',
    look: every(loads(/\bpgaudit\b/), holds("coalesce(current_setting('pgaudit.log', true), '') ~ 'ddl'")),
  },
  {
    point: '4.8',
    wants: 'set_user, with its extension',
    passes: 'cis',
    why: 'as pgAudit. Who may use it you grant; the administrator goes on logging in as superuser by the socket, which the controllers need',
    look: every(loads(/\bset_user\b/), holds("count(*) = 1 from pg_extension where extname = 'set_user'")),
  },
  {
    point: '4.10',
    wants: 'schema `public` of `postgres` and `template1` for its owner alone',
    passes: 'init',
    why: 'closed behind initdb; that of `postgres` is looked at by `check`',
    look: publicIsClosed,
  },
  {
    point: '5.2',
    wants: '`listen_addresses` without `*`',
    passes: 'nobody',
    why: 'on a host whose network comes late that needs a kernel setting of the host: `postgres.listen: declared` sets it, and this point passes; or a firewall ([docs/firewall.md](firewall.md))',
    look: shows('listen_addresses', /^(?!.*(\*|0\.0\.0\.0|::($|,)))/),
  },
  {
    point: '5.5',
    wants: 'a limit of connections for each role',
    passes: 'init',
    why: 'for the replication role; for superusers PostgreSQL has none, and roles of clients are yours',
    look: holds(
      "count(*) = 0 from pg_roles where rolconnlimit = -1 and not rolsuper and rolcanlogin and rolname !~ '^pg_'",
    ),
  },
  {
    point: '5.6',
    wants: 'a check of new passwords',
    passes: 'init',
    why: 'library `passwordcheck`',
    look: loads(/\b(passwordcheck|credcheck)\b/),
  },
  {
    point: '5.7',
    wants: '`authentication_timeout` of a minute at most, and a delay behind failed logins',
    passes: 'init',
    why: 'library `auth_delay`',
    look: every(
      holds(
        "setting::int <= 60 and coalesce(current_setting('auth_delay.milliseconds', true), '0') ~ '[1-9]' from pg_settings where name = 'authentication_timeout'",
      ),
      loads(/\bauth_delay\b/),
    ),
  },
  {
    point: '5.8',
    wants: 'clients come with TLS only',
    passes: 'init',
    why: '`tls_clients: required`',
    look: every(shows('ssl', /^on$/), noPlainRules),
  },
  {
    point: '6.2',
    wants: 'settings of a session that only debugging needs are off, those of its log on',
    passes: 'init',
    why: 'as 3.1.20 and 3.1.21',
    look: holds(
      "bool_and(setting = case when name ~ '^log_' then 'on' when name = 'post_auth_delay' then '0' else 'off' end) from pg_settings where name in ('ignore_system_indexes', 'jit_debugging_support', 'jit_profiling_support', 'log_connections', 'log_disconnections', 'post_auth_delay')",
    ),
  },
  {
    point: '6.7',
    wants: 'a FIPS build of OpenSSL',
    passes: 'nobody',
    why: 'it is the host’s',
    look: succeeds('[ "$(cat /proc/sys/crypto/fips_enabled 2>/dev/null)" = 1 ]'),
  },
  {
    point: '6.8',
    wants: 'TLS is on, of 1.2 at least',
    passes: 'init',
    why: '`postgres.tls`. TLS 1.3 alone: `settings.ssl_min_protocol_version`; a key with a passphrase starts only where somebody gives it',
    look: every(shows('ssl', /^on$/), shows('ssl_min_protocol_version', /^TLSv1\.[23]$/), noPlainRules),
  },
  {
    point: '6.10',
    wants: 'suites with forward secrecy only',
    passes: 'init',
    why: '`ssl_ciphers`',
    look: forwardSecrecy,
  },
  {
    point: '6.11',
    wants: 'an extension that makes data anonymous',
    passes: 'nobody',
    why: 'which data that is nobody knows but you; no distribution has a package of it',
    look: shows('session_preload_libraries', /\b(anon|pg_anonymize)\b/),
  },
  {
    point: '7.2',
    wants: '`log_replication_commands`',
    passes: 'init',
    why: 'setting',
    look: shows('log_replication_commands', /^on$/),
  },
  {
    point: '7.4',
    wants: 'WAL is archived',
    passes: 'nobody',
    why: 'not part of pgduet yet; `settings.archive_mode` and `settings.archive_command`',
    look: every(
      shows('archive_mode', /^(on|always)$/),
      holds(
        "current_setting('archive_command') || coalesce(current_setting('archive_library', true), '') <> ''",
      ),
    ),
  },
  {
    point: '7.5',
    wants: 'standbys demand TLS of their primary',
    passes: 'init',
    why: '`sslmode=verify-full`, which is more than what the benchmark names',
    look: async ({ standby }) =>
      /sslmode=(require|verify-ca|verify-full)\b/.test(await sql(standby, 'SHOW primary_conninfo')),
  },
  {
    point: '8.2',
    wants: 'pgBackRest, with a repository',
    passes: 'nobody',
    why: 'backups are not part of pgduet yet',
    look: succeeds('pgbackrest info 2>/dev/null | grep -q "^stanza:"'),
  },
];

const levels: readonly Level[] = ['init', 'cis', 'nobody'];

/** Those that a pair of this level fails; before there was any level: all. */
export const failing = (level: 'before' | 'init' | 'cis'): readonly string[] =>
  points
    .filter(({ passes }) => level === 'before' || levels.indexOf(passes) > levels.indexOf(level))
    .map(({ point }) => point);

/** Those that this pair fails. */
export async function failed(pair: Looked): Promise<readonly string[]> {
  const passed = await Promise.all(points.map(({ look }) => look(pair)));
  return points.filter((_, index) => !passed[index]).map(({ point }) => point);
}

const word = (passed: boolean): string => (passed ? 'passed' : 'failed');

/** The table of docs/security.md, row by row. */
export const rows: readonly string[] = points.map(({ point, wants, passes, why }) =>
  ['', point, wants, 'failed', word(passes === 'init'), word(passes !== 'nobody'), why, '']
    .join(' | ')
    .trim(),
);
