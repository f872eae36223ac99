/**
 * Everything on a host that a look could have changed: files with contents and times, what PostgreSQL counts as writes, the
 * journal, processes. In: a server. Out: texts to compare. It asks in ways that leave no trace themselves: not over the
 * network, without PAM (which writes to the journal), without a line in the server log.
 */
import { type Changes, differences } from '../harness/changes.ts';
import type { Host } from '../harness/lab.ts';
import { psqlPath, type Server } from '../support/instance.ts';

export interface Traces {
  readonly files: Changes;
  /** Figures of writes, by name. */
  readonly writes: ReadonlyMap<string, string>;
  readonly processes: ReadonlySet<string>;
  /** Where the journal stands. */
  readonly cursor: string;
  /** How long the log of the server is. */
  readonly logBytes: number;
}

/**
 * What the daemons of a host write by themselves, and what a login over ssh leaves. That the list is complete is tested by an
 * interval in which somebody logs in and nobody checks.
 */
const alwaysChanging: readonly RegExp[] = [
  // The controller writes what it sees of the cluster beside its files, each time by way of a file that it renames.
  /^\/mcdir\/inst1(\/\.?\w+\.(status|state)\.json.*)?$/,
  // With every statement, those of the controllers fill the log of the server: its lines are compared, see `logSince`.
  /^\/mcdir\/inst1\/\w+-log\/postgresql-\w+\.log\b/,
  // It tries the disk with a file of its own.
  /^\/database\/inst1(\/pg_wal)?(\/\w*mc_disk_check\w*)?$/,
  // sshd, PAM and logind keep who is logged in and when that was last; the journal is compared by its lines.
  /^\/var\/log\/(journal\b.*|lastlog|wtmp|btmp)$/,
  /^\/run(\/motd\.dynamic.*)?$/,
  /^\/run\/(utmp|user|log|initctl|sudo|motd\.d|systemd\/(sessions|users|journal|transient|units|inaccessible|propagate))\b/,
  // libfaketime and the like have none here; sudo remembers nothing without a password but touches its directory.
  /^\/var\/lib\/(sudo|systemd\/(linger|timers|random-seed))\b/,
];

const isSteady = (path: string): boolean => !alwaysChanging.some((pattern) => pattern.test(path));

export async function tracesOf(server: Server): Promise<Traces> {
  const { host } = server;
  // One that has ended, and whose parent has not looked yet (Z), is there no more: on a busy machine a backend is seen so.
  const processes = await host.sh('ps -eo pid=,stat=,args= | awk \'$2 !~ /^Z/ { $2 = ""; print }\'', {
    check: true,
  });
  const files = filesOf(host);
  const [writes, cursor, log] = await Promise.all([
    writesOf(server),
    host.sh('journalctl --sync; journalctl -q -n 1 -o json --output-fields=__CURSOR', { check: true }),
    host.sh(`cat ${logsOf(server)} | wc -c`, { check: true }),
  ]);
  return {
    files,
    writes,
    processes: new Set(processes.stdout.split('\n').filter((line) => !/\b(ps -eo|sh -c|awk \$2)/.test(line))),
    logBytes: Number(log.stdout),
    cursor: (JSON.parse(cursor.stdout) as { __CURSOR: string }).__CURSOR,
  };
}

/** The journal is compared by its lines, and what is in shared memory is no file to its programs. */
const unread = /^\/(var\/log\/journal|dev\/shm)\//;

/** What has changed since the host's image, with times and contents. The times of sockets are those of connections. */
function filesOf(host: Host): Changes {
  const found = host.changes({ contents: (path) => !unread.test(path) });
  return new Map([...found].filter(([, { kind }]) => kind !== 'socket'));
}

const table = (text: string): Map<string, string> =>
  new Map(
    text
      .split('\n')
      .filter((line) => line.includes('\t'))
      .map((line) => [line.slice(0, line.indexOf('\t')), line.slice(line.indexOf('\t') + 1)]),
  );

/** Reading is counted too, in other columns. */
const figures = `
select 'wal ' || key, value from pg_stat_wal s, jsonb_each_text(to_jsonb(s)) where key in ('wal_records', 'wal_fpi', 'wal_bytes')
union all select 'database ' || coalesce(datname, 'shared') || ' ' || key, value from pg_stat_database s, jsonb_each_text(to_jsonb(s))
 where key in ('tup_inserted', 'tup_updated', 'tup_deleted', 'temp_files', 'temp_bytes', 'xact_rollback', 'conflicts', 'deadlocks')
union all select 'table ' || relname || ' ' || key, value from pg_stat_all_tables s, jsonb_each_text(to_jsonb(s))
 where key in ('n_tup_ins', 'n_tup_upd', 'n_tup_del', 'n_dead_tup', 'vacuum_count', 'analyze_count')
union all select 'buffers ' || key, value from pg_stat_bgwriter s, jsonb_each_text(to_jsonb(s))
 where key in ('buffers_backend', 'buffers_backend_fsync')
union all select 'lsn', case when pg_is_in_recovery() then pg_last_wal_receive_lsn() else pg_current_wal_lsn() end::text`;

/** setpriv and not runuser, which opens a session with PAM. */
export async function quietSql(server: Server, query: string, database = 'postgres'): Promise<string> {
  const { stdout } = await server.host.sh(
    `cd / && PGOPTIONS='-c log_statement=none' setpriv --reuid=postgres --regid=postgres --clear-groups ${psqlPath} -h /var/run/postgresql -p ${server.port} -d ${database} -XqAt -F '\t'`,
    { input: query, check: true },
  );
  return stdout.replace(/\n$/, '');
}

const writesOf = async (server: Server): Promise<Map<string, string>> =>
  table(await quietSql(server, figures));

/** The journal since then, but for what a login leaves there. */
export async function journalSince(host: Host, cursor: string): Promise<readonly string[]> {
  const { stdout } = await host.sh(
    `journalctl --sync; journalctl -q -o json --after-cursor='${cursor}' --output-fields=MESSAGE,SYSLOG_IDENTIFIER`,
    { check: true },
  );
  const entries = stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as { MESSAGE: string; SYSLOG_IDENTIFIER?: string });
  return entries
    .filter(({ SYSLOG_IDENTIFIER: who = '', MESSAGE: text }) => !isLogin(who, String(text)))
    .map(({ SYSLOG_IDENTIFIER: who, MESSAGE: text }) => `${who}: ${text}`);
}

const isLogin = (who: string, text: string): boolean =>
  ['sshd', 'sudo', 'systemd-logind', '(systemd)'].includes(who) ||
  (who === 'systemd' &&
    /session|user|slice|Slice|User|Queued start job for default target|target/.test(text));

const logsOf = ({ id, managementDir }: Server): string => `${managementDir}/${id}-log/*.log`;

/** The kinds of lines that the server has logged since then, without times, processes and numbers. */
export async function logSince(server: Server, { logBytes }: Traces): Promise<ReadonlySet<string>> {
  const { stdout } = await server.host.sh(`cat ${logsOf(server)} | tail -c +${logBytes + 1}`, {
    check: true,
  });
  return new Set(
    stdout
      .split('\n')
      .map((line) => line.replace(/^\d{4}-\S+ \S+ \S+ \[\d+\] /, '').replaceAll(/\d+/g, '0'))
      .filter((line) => line !== ''),
  );
}

/** Files that are new, gone or different, also by their times alone. */
export const changedFiles = (before: Changes, after: Changes): string[] =>
  [...differences(before, after, { times: true })]
    .filter(([path]) => isSteady(path))
    .map(([path, what]) => `${path}: ${what}`);

/** Figures that are new, gone or different. */
export const changedFigures = (
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
): string[] =>
  [...new Set([...before.keys(), ...after.keys()])]
    .filter((name) => before.get(name) !== after.get(name))
    .map((name) => `${name}: ${before.get(name)} → ${after.get(name)}`)
    .sort();

/** Processes that are new: none may be left, but for the manager of a user who has just logged out. */
export const newProcesses = (before: ReadonlySet<string>, after: ReadonlySet<string>): string[] =>
  [...after].filter(
    (line) => !before.has(line) && !/systemd --user|\(sd-pam\)|sshd|postgres: |\bsystemd-/.test(line),
  );
