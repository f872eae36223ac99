/**
 * What lives in a single server, as far as its databases and its disk have to be asked one by one. In: the shell functions of the
 * probe in adopt-observation.ts. Out: its part of that probe, and what the answer means. Pure.
 */
import { quote } from '../../base/shell.ts';
import { fromBase64, type ReplyLines } from '../contract/replies.ts';

export interface Slot {
  readonly name: string;
  readonly type: 'physical' | 'logical';
}

/** Somebody who receives WAL. */
export interface Receiver {
  readonly name: string;
  readonly user: string;
  /** Null: over the socket. */
  readonly address: string | null;
  readonly slot: string | null;
  /** Of changes, as a session in a database. */
  readonly logical: boolean;
  readonly state?: string;
  /** Bytes that it has not written to its disk yet. */
  readonly behind?: number | null;
}

/** What the server says of it. */
export interface LiveContent {
  readonly tablespaces: readonly { readonly path: string }[];
  readonly slots: readonly Slot[];
  readonly roles: readonly string[];
  /** Who receives WAL from it, other than pgduet. */
  readonly senders: readonly Receiver[];
  /** Where clients are connected from now, by address, and how many. */
  readonly clients: Readonly<Record<string, number>>;
  /** Names of the operating system's locales that its databases use. */
  readonly locales: readonly string[];
}

export interface SeenContent {
  /** How fast its largest file could be read, bytes per second. */
  readonly readRate: number | undefined;
  readonly extensions: readonly string[];
  /** Databases that are not asked for their extensions: names with control characters, in the form of JSON. */
  readonly unasked: readonly string[];
  /** Databases that let nobody in, with what the server said. */
  readonly unlooked: readonly { readonly database: string; readonly why: string }[];
  /** Of all databases, and of each tablespace by its path; undefined where the files are too many to be counted in time. */
  readonly bytes: number | undefined;
  readonly tablespaceBytes: ReadonlyMap<string, number>;
  readonly unloggedTables: number;
  readonly publications: number;
}

/** Members of the object that the server answers with. */
export const contentSql = `'tablespaces', (select coalesce(json_agg(json_build_object('path', pg_tablespace_location(oid)) order by spcname), '[]') from pg_tablespace where spcname not in ('pg_default', 'pg_global')),
 'slots', (select coalesce(json_agg(json_build_object('name', slot_name, 'type', slot_type) order by 1), '[]') from pg_replication_slots),
 'roles', (select json_agg(rolname order by rolname) from pg_roles),
 'clients', (select coalesce(json_object_agg(address, n), '{}') from (select host(client_addr) as address, count(*) as n from pg_stat_activity where client_addr is not null and backend_type = 'client backend' group by 1 order by 1) as c),
 'locales', (select json_agg(distinct name) from (select datcollate as name from pg_database union select datctype from pg_database) as l),
 'senders', (select coalesce(json_agg(json_build_object('name', application_name, 'user', usename, 'address', host(client_addr), 'slot', slot_name, 'logical', coalesce(slot_type = 'logical', false), 'state', state,
   'behind', case when pg_is_in_recovery() then null else pg_wal_lsn_diff(pg_current_wal_lsn(), flush_lsn) end) order by application_name, r.pid), '[]')
   from pg_stat_replication r left join pg_replication_slots on active_pid = r.pid where application_name not like 'pgduet%')`;

/**
 * How psql gets to each database and keeps what the session began with, its search_path above all. A name may look like options of
 * a connection; one with a line break would end the command and begin another one, so it is told instead. So is one that takes no
 * connections at all.
 */
const connects = `select case when not datallowconn then 'shut ' || to_json(datname::text)
 when datname ~ '[[:cntrl:]]' then 'unasked ' || to_json(datname::text)
 else E'\\\\connect -reuse-previous=on "dbname=''' || replace(replace(replace(datname, E'\\\\', E'\\\\\\\\'), '''', E'\\\\'''), '"', '""') || '''"' end
 from pg_database where datname not in ('template0', 'template1')`;

/** The server looks at every file for it: a minute is more than most need, and without an answer nothing else is wrong. */
const sizes = `set statement_timeout = '60s';
select 'bytes ' || coalesce(sum(pg_database_size(oid)), 0) from pg_database;
select 'space ' || pg_tablespace_size(oid) || ' ' || translate(encode(convert_to(pg_tablespace_location(oid), 'UTF8'), 'base64'), E'\\n', '') from pg_tablespace where spcname not in ('pg_default', 'pg_global');`;

/** The last line says that nothing of this database is missing. */
const inEach = `"select 'extension ' || extname from pg_extension;" "select 'unlogged ' || count(*) from pg_class where relpersistence = 'u' and relkind in ('r', 'm');" "select 'publications ' || count(*) from pg_publication;" "select 'asked';"`;

/** psql ends where a database lets nobody in: that one is told, and those behind it are asked by another one. */
const askEach = `todo=$(printf '%s\n' "$databases" | grep -a '^.connect ' || :)
while [ -n "$todo" ]; do
  answer=$(printf '%s\n' "$todo" | while IFS= read -r c; do printf '%s\n' "$c" ${inEach}; done | sql 2>&1 || :)
  printf '%s\n' "$answer" | grep -aE '^(extension|unlogged|publications) ' || :
  n=$(printf '%s\n' "$answer" | grep -acx asked || :)
  n=$((n + 1))
  barred=$(printf '%s\n' "$todo" | sed -n "\${n}p")
  if [ -n "$barred" ]; then told unlooked "$barred
$(printf '%s\n' "$answer" | tail -n 1)"; fi
  todo=$(printf '%s\n' "$todo" | sed "1,\${n}d")
done`;

/** Reads at most this much of the largest file, to know what the disk gives. */
const readMegabytes = 64;

/** Needs `$d`, `peek`, `told` and `sql`; the server runs. */
export const contentShell = `f=$(peek find "$d/base" -type f ! -name '*[!0-9_a-z.]*' -printf '%s %p\\n' | sort -rn | head -n 1 | cut -d' ' -f2-)
from=$(date +%s%N)
bytes=$({ peek dd if="$f" of=/dev/null bs=1M count=${readMegabytes} iflag=direct || peek dd if="$f" of=/dev/null bs=1M count=${readMegabytes}; } 2>&1 | sed -n 's/^\\([0-9]*\\) bytes.*/\\1/p' | tail -n 1)
echo "read \${bytes:-0} $(( $(date +%s%N) - from ))"
databases=$(printf '%s\\n' ${quote(connects)} | sql)
printf '%s\\n' "$databases" | grep -aE '^(unasked|shut) '
${askEach}
printf '%s' ${quote(sizes)} | sql 2>/dev/null | grep -aE '^(bytes|space) [0-9]' || :`;

export function readContent(lines: ReplyLines): SeenContent {
  const values = (word: string): readonly string[] => lines.all(word).map((text) => text.trim());
  const sum = (word: string): number => values(word).reduce((total, text) => total + Number(text), 0);
  const [bytes = 0, nanoseconds = 0] = (values('read')[0] ?? '').split(' ').map(Number);
  return {
    readRate: bytes > 0 && nanoseconds > 0 ? (bytes * 1e9) / nanoseconds : undefined,
    extensions: [...new Set(values('extension'))].sort(),
    unasked: values('unasked'),
    unlooked: [...values('shut').map(shut), ...lines.all('unlooked').map(unlooked)],
    bytes: values('bytes')[0] === undefined ? undefined : sum('bytes'),
    tablespaceBytes: new Map(values('space').map(spaceOf)),
    unloggedTables: sum('unlogged'),
    publications: sum('publications'),
  };
}

const shut = (name: string) => ({
  database: JSON.parse(name) as string,
  why: 'it takes no connections: ALLOW_CONNECTIONS is false',
});

/** From the command that would have led there. */
function unlooked(text: string): { readonly database: string; readonly why: string } {
  const [command = '', why = ''] = fromBase64(text.trim()).split('\n');
  const quoted = /dbname='(.*)'"$/.exec(command)?.[1] ?? command;
  return {
    database: quoted.replaceAll('""', '"').replace(/\\(.)/g, '$1'),
    why: why.replace(/^psql:[^ ]* /, ''),
  };
}

function spaceOf(text: string): readonly [string, number] {
  const [bytes = '', path = ''] = text.split(' ');
  return [fromBase64(path), Number(bytes)];
}
