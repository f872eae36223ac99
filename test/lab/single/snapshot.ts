/**
 * What has to be the same after the way back, taken from a host and its server without pgduet: files with text, mode and
 * owner, settings with their places, rules, units, roles, slots, and all files that are not as the host was made.
 * In: a host, and the server on it. Out: texts by title, and a readable difference of two of them. It only reads.
 */
import { createTwoFilesPatch } from 'diff';
import { type Change, type Changes, facts } from '../harness/changes.ts';
import type { Host } from '../harness/lab.ts';
import { answers, type Server } from '../support/instance.ts';
import { textIfThere } from '../support/naming.ts';
import { archiveDir, type Single } from './forms.ts';
import { inEveryDatabase } from './tables.ts';

/** Texts by title; the title of a file is its path. */
export type Snapshot = ReadonlyMap<string, string>;

/** A single server and the host around it. */
export async function snapshot(single: Single): Promise<Snapshot> {
  const { host, server, walDir, tablespaces } = single;
  const dataDirs = [server.dataDir, ...(walDir ? [walDir] : []), ...tablespaces, archiveDir];
  const [around, catalog, process] = await Promise.all([
    hostSnapshot(host, dataDirs),
    catalogs(server),
    postmaster(server),
  ]);
  const files = configuration(host, server.dataDir);
  return new Map([...around, ...files, ...catalog, ['the postmaster', process]]);
}

/** The host alone; what is inside of `dataDirs` is left out. For one that has no server yet. */
export async function hostSnapshot(host: Host, dataDirs: readonly string[]): Promise<Snapshot> {
  const changes = host.changes({ except: [...restless, ...dataDirs], contents: (path) => !isLog(path) });
  return new Map([
    ['files of the host', listOf(changes)],
    ['units', await units(host, changes)],
    ...textsOf(changes, (path) => edited.some((place) => isIn(place, path))),
  ]);
}

/** What differs, as a patch for each title; empty when nothing does. */
export function difference(before: Snapshot, after: Snapshot): string {
  const titles = [...new Set([...before.keys(), ...after.keys()])].sort();
  return titles
    .filter((title) => before.get(title) !== after.get(title))
    .map((title) => {
      const [was, is] = [before.get(title) ?? '', after.get(title) ?? ''];
      return createTwoFilesPatch(title, title, was, is, 'before', 'after', { context: 1 });
    })
    .join('\n');
}

/** Where the system itself writes whenever it likes, and what is another machine's or nobody's. */
const restless = [
  ...['/proc', '/sys', '/dev', '/run', '/tmp', '/var/tmp', '/var/log', '/var/cache', '/var/lib/apt'],
  ...['/var/lib/systemd', '/var/lib/private', '/etc/.updated', '/var/.updated', '/lost+found'],
];

/** Where files of a migrated server are, whose text is shown when it differs. */
const edited = ['/etc/systemd/system', '/etc/services', '/etc/postgresql', '/var/lib/postgresql'];

const isIn = (place: string, path: string): boolean => path === place || path.startsWith(`${place}/`);

const isLog = (path: string): boolean => path.endsWith('.log');

/** Kind, mode, owner, and target or checksum of all that is not as the host was made. */
const listOf = (changes: Changes): string =>
  [...changes]
    .filter(([path]) => !restless.some((place) => isIn(place, path)))
    .flatMap(([path, change]) => facts(change, false)?.replace(/^/, `${path} `) ?? [])
    .sort()
    .map((line) => `${line}\n`)
    .join('');

const shown: readonly Change['how'][] = ['new', 'changed', 'attributes'];

/** Mode, owner and text of files; their paths are the titles. */
const textsOf = (changes: Changes, wanted: (path: string) => boolean): [string, string][] =>
  [...changes]
    .filter(([path, { kind, how }]) => kind === 'file' && shown.includes(how) && !isLog(path) && wanted(path))
    .map(([path, { file, mode, owner }]) => [path, `${mode} ${owner}\n${textIfThere(file)}`]);

/**
 * Every unit that has to do with a server of PostgreSQL: whether it starts with the host, and whether it runs. Those of the
 * image, those that are loaded, and those with a file of their own; systemd needs a second to list all files of units.
 */
async function units(host: Host, changes: Changes): Promise<string> {
  const properties =
    'Id,LoadState,UnitFileState,ActiveState,SubState,FragmentPath,DropInPaths,NeedDaemonReload';
  const files = [...changes.keys()].flatMap(
    (path) => /^\/etc\/systemd\/system\/([^/]+\.\w+)$/.exec(path)?.[1] ?? [],
  );
  const script = `systemctl show -p ${properties} $( { systemctl list-units --all --no-legend --plain | awk '{ print $1 }'
  printf '%s\\n' postgresql.service ${files.join(' ')}; } | grep -iE 'postgres|mcoi|pgduet' | grep -v '@\\.' | sort -u)
systemctl list-units --state=failed --no-legend --plain`;
  return (await host.sh(script, { check: true })).stdout;
}

/** They change by themselves: what runs at the moment, and where its log is. */
const own = /\/(postmaster\.pid|current_logfiles)$/;
/** What is no configuration, as the server itself names it. */
const internal = /^\/(base|global|log|pg_[a-z_]+)(\/|$)/;

/** Configuration and all else that lies on the first level of the data directory, and directories of includes. */
const configuration = (host: Host, dataDir: string): [string, string][] =>
  textsOf(
    host.changes({ except: restless, contents: () => false }),
    (path) => path.startsWith(`${dataDir}/`) && !own.test(path) && !internal.test(path.slice(dataDir.length)),
  );

/** The command line that it was started with, and the unit that is in charge of it. */
async function postmaster({ host, dataDir }: Server): Promise<string> {
  const script = `pid=$(head -n 1 ${dataDir}/postmaster.pid)
tr '\\0' ' ' </proc/$pid/cmdline; echo
group=$(sed -n 's/^0:://p' /proc/$pid/cgroup); unit=\${group##*/}
case $unit in ssh.service|session-*|user@*) echo 'started by a person';; *) echo "in $unit, main process: $( [ "$(systemctl show -P MainPID $unit)" = $pid ] && echo yes)";; esac`;
  return (await host.sh(script, { check: true })).stdout;
}

const queries: Readonly<Record<string, string>> = {
  settings: `SELECT name, setting, source, sourcefile, sourceline, pending_restart FROM pg_settings
 WHERE source NOT IN ('client', 'session') ORDER BY name`,
  'lines of configuration files': 'SELECT * FROM pg_file_settings ORDER BY seqno',
  'client rules':
    'SELECT line_number, type, database, user_name, address, netmask, auth_method, options, error FROM pg_hba_file_rules ORDER BY line_number',
  'user name maps': 'SELECT * FROM pg_ident_file_mappings ORDER BY line_number',
  roles: `SELECT rolname, rolsuper, rolinherit, rolcreaterole, rolcreatedb, rolcanlogin, rolreplication, rolbypassrls,
 rolconnlimit, rolpassword, rolvaliduntil, (SELECT array_agg(setconfig ORDER BY 1) FROM pg_db_role_setting WHERE setrole = r.oid)
 FROM pg_authid r ORDER BY 1`,
  memberships: 'SELECT roleid::regrole, member::regrole, admin_option FROM pg_auth_members ORDER BY 1, 2',
  databases: `SELECT datname, datdba::regrole, pg_encoding_to_char(encoding), datcollate, datconnlimit, datacl, dattablespace
 FROM pg_database ORDER BY 1`,
  tablespaces: 'SELECT spcname, spcowner::regrole, pg_tablespace_location(oid) FROM pg_tablespace ORDER BY 1',
  slots:
    'SELECT slot_name, plugin, slot_type, database, temporary, active, wal_status FROM pg_replication_slots ORDER BY 1',
  'who replicates': 'SELECT application_name, usename, state FROM pg_stat_replication ORDER BY 1',
  role: 'SELECT pg_is_in_recovery(), pg_is_wal_replay_paused() FROM (SELECT 1) one WHERE pg_is_in_recovery()',
};

/** What belongs to a database. */
const inDatabase = `SELECT 'extension', extname, extversion FROM pg_extension
UNION ALL SELECT 'publication', pubname, puballtables::text FROM pg_publication
UNION ALL SELECT 'published', pubname, schemaname || '.' || tablename FROM pg_publication_tables
UNION ALL SELECT 'subscription', subname, subenabled::text FROM pg_subscription
UNION ALL SELECT 'schema', nspname, nspacl::text FROM pg_namespace WHERE nspname !~ '^pg_(temp|toast_temp)'
UNION ALL SELECT relkind::text, relnamespace::regnamespace::text, relname FROM pg_class
  WHERE relnamespace::regnamespace::text NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
UNION ALL SELECT 'function', pronamespace::regnamespace::text, proname FROM pg_proc
  WHERE pronamespace::regnamespace::text NOT IN ('pg_catalog', 'information_schema')
ORDER BY 1, 2, 3`;

async function catalogs(server: Server): Promise<[string, string][]> {
  const titles = Object.keys(queries);
  const numbered = Object.fromEntries(titles.map((title, at) => [`q${at}`, queries[title] ?? '']));
  const found = await answers(server, numbered);
  const parts: [string, string][] = titles.map((title, at) => [title, `${found[`q${at}`]}\n`]);
  for (const [database, text] of await inEveryDatabase(server, inDatabase))
    parts.push([`in database ${database}`, text]);
  return parts;
}
