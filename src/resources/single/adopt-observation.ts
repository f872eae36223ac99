/**
 * A single server as it stands before, while and after it is made the primary of a pair: configuration files byte for
 * byte, settings with their sources, who started it, what lives in it. In: where the inventory says it is. Out: one
 * probe and what its answer means. Shared by the kinds `adopt` and `takeover` and by the survey. Pure.
 */

import { platforms } from '../../base/platform.ts';
import { quote } from '../../base/shell.ts';
import { type SettingRow, settingRow } from '../../postgres/setting-row.ts';
import type { Probe, ProbeReply } from '../contract/kind.ts';
import { fromBase64, replyLines } from '../contract/replies.ts';
import { systemFile } from '../data/data-directory.ts';
import {
  type Adopted,
  adoptedFile,
  type Before,
  beforeFile,
  type FileBefore,
  formerMark,
  parseAdopted,
  parseBefore,
} from '../data/record.ts';

export interface AdoptPlace {
  readonly id: string;
  readonly dataDir: string;
  readonly managementDir: string;
}

export interface Slot {
  readonly name: string;
  readonly type: 'physical' | 'logical';
}

/** What the server says of itself. */
export interface LiveSingle {
  readonly settings: ReadonlyMap<string, SettingRow>;
  readonly inRecovery: boolean;
  readonly bytes: number;
  readonly tablespaces: readonly { readonly path: string; readonly bytes: number }[];
  readonly slots: readonly Slot[];
  readonly roles: readonly string[];
  readonly senders: number;
  /** Where clients are connected from now, by address, and how many. */
  readonly clients: Readonly<Record<string, number>>;
  /** Names of the operating system's locales that its databases use. */
  readonly locales: readonly string[];
}

export interface AdoptObservation {
  readonly running: boolean;
  /** By postmaster.pid: where it really listens. */
  readonly port: number | undefined;
  readonly socketDir: string | undefined;
  /** The systemd unit whose main process the postmaster is. */
  readonly unit: { readonly name: string; readonly enabled: string } | undefined;
  /** The command line behind the program's name. */
  readonly options: string;
  /** The file that its standard error goes to. */
  readonly log: string | undefined;
  readonly mark: boolean;
  readonly recorded: string | undefined;
  readonly systemIdentifier: string | undefined;
  readonly version: number | undefined;
  readonly before: Before | undefined;
  readonly adopted: Adopted | undefined;
  readonly architecture: string;
  readonly libc: string;
  /** The target of pg_wal where that is a link. */
  readonly walDir: string | undefined;
  /** Every file of the configuration by its path. */
  readonly files: ReadonlyMap<string, FileBefore>;
  /** Paths whose bytes are no UTF-8. */
  readonly unreadable: readonly string[];
  /** Paths that pgduet makes and that are not there. */
  readonly missing: readonly string[];
  /** How fast its largest file could be read, bytes per second. */
  readonly readRate: number | undefined;
  readonly extensions: readonly string[];
  readonly unloggedTables: number;
  readonly publications: number;
  /** Undefined when it could not be asked; `problem` says why. */
  readonly live: LiveSingle | undefined;
  readonly problem: string;
  /** Seconds since 1970, by the host's clock. */
  readonly clock: number;
}

const sql = `select json_build_object(
 'settings', (select json_object_agg(name, ${settingRow}) from pg_settings),
 'inRecovery', pg_is_in_recovery(),
 'bytes', (select sum(pg_database_size(oid)) from pg_database),
 'tablespaces', (select coalesce(json_agg(json_build_object('path', pg_tablespace_location(oid), 'bytes', pg_tablespace_size(oid)) order by spcname), '[]') from pg_tablespace where spcname not in ('pg_default', 'pg_global')),
 'slots', (select coalesce(json_agg(json_build_object('name', slot_name, 'type', slot_type) order by 1), '[]') from pg_replication_slots),
 'roles', (select json_agg(rolname order by rolname) from pg_roles),
 'clients', (select coalesce(json_object_agg(address, n), '{}') from (select host(client_addr) as address, count(*) as n from pg_stat_activity where client_addr is not null and backend_type = 'client backend' group by 1 order by 1) as c),
 'locales', (select json_agg(distinct name) from (select datcollate as name from pg_database union select datctype from pg_database) as l),
 'senders', (select count(*) from pg_stat_replication where application_name not like 'pgduet%'))`;

/** Reads at most this much of the largest file, to know what the disk gives. */
const readMegabytes = 64;

const ownClusterFiles = platforms
  .flatMap(({ noOwnCluster }) => (noOwnCluster ? [noOwnCluster.directory, noOwnCluster.path] : []))
  .join(' ');

const shell = (place: AdoptPlace): string => `d=${quote(place.dataDir)}
b64() { base64 -w0; }
show() { printf 'file %s %s %s\\n' "$(stat -c '%a %U:%G' "$1")" "$(printf %s "$1" | b64)" "$(b64 < "$1")"; }
conf() {
  if [ ! -f "$1" ] || [ "$2" -gt 10 ]; then return 0; fi
  show "$1"
  grep -iE '^[[:space:]]*include' "$1" | sed -n "s/^[^']*'\\\\([^']*\\\\)'.*/\\\\1/p" | while IFS= read -r p; do
    case $p in /*) ;; *) p=\${1%/*}/$p;; esac
    if [ -d "$p" ]; then for f in "$p"/*.conf; do conf "$f" $(($2 + 1)); done; else conf "$p" $(($2 + 1)); fi
  done
}
echo "clock $(date +%s)"
echo "architecture $(uname -m)"
echo "libc $(getconf GNU_LIBC_VERSION 2>/dev/null)"
if [ -e ${quote(formerMark(place))} ]; then echo mark; fi
if [ -f ${quote(systemFile(place))} ]; then echo "recorded $(cat ${quote(systemFile(place))})"; fi
if [ -f ${quote(beforeFile(place))} ]; then echo "before $(b64 < ${quote(beforeFile(place))})"; fi
if [ -f ${quote(adoptedFile(place.dataDir))} ]; then echo "adopted $(b64 < ${quote(adoptedFile(place.dataDir))})"; fi
p=${quote(place.managementDir)}
while [ -n "$p" ] && [ ! -e "$p" ]; do echo "missing $p"; p=\${p%/*}; done
for p in "$PASSFILE" /usr/local/lib/pgduet /usr/local/bin/mc_ctl ${ownClusterFiles}; do
  if [ ! -e "$p" ]; then echo "missing $p"; fi
done
if [ ! -f "$d/PG_VERSION" ]; then exit; fi
echo "version $(cat "$d/PG_VERSION")"
if [ -L "$d/pg_wal" ]; then echo "wal $(readlink "$d/pg_wal")"; fi
if [ -n "$PGBIN" ]; then "$PGBIN/pg_controldata" -D "$d" | sed -n 's/^Database system identifier: */system /p'; fi
if ! postmaster "$d"; then exit; fi
echo "running $(sed -n 4p "$d/postmaster.pid") $(sed -n 5p "$d/postmaster.pid")"
echo "options $(sed '1s/^[^ ]* *//' "$d/postmaster.opts" | b64)"
log=$(readlink "/proc/$pid/fd/2")
if [ -f "$log" ]; then echo "log $log"; fi
unit=$(sed -n 's|.*/\\([^/]*\\.service\\)$|\\1|p' "/proc/$pid/cgroup" | tail -n 1)
if [ -n "$unit" ] && [ "$(systemctl show -p MainPID --value "$unit" 2>/dev/null)" = "$pid" ]; then
  echo "unit $unit $(systemctl is-enabled "$unit" 2>/dev/null)"
fi
for f in "$d/postgresql.conf" "$d/pg_hba.conf" "$d/pg_ident.conf" "$d/postgresql.auto.conf"; do if [ -f "$f" ]; then show "$f"; fi; done
places=$(echo "select current_setting('config_file') union all select current_setting('hba_file') union all select current_setting('ident_file')" | sql 2>/dev/null)
printf '%s\\n' "$places" | while IFS= read -r f; do if [ -n "$f" ]; then conf "$f" 0; fi; done
if [ -f ${quote(systemFile(place))} ]; then exit; fi
f=$(find "$d/base" -type f -printf '%s %p\\n' | sort -rn | head -n 1 | cut -d' ' -f2-)
from=$(date +%s%N)
bytes=$({ dd if="$f" of=/dev/null bs=1M count=${readMegabytes} iflag=direct || dd if="$f" of=/dev/null bs=1M count=${readMegabytes}; } 2>&1 | sed -n 's/^\\([0-9]*\\) bytes.*/\\1/p' | tail -n 1)
echo "read \${bytes:-0} $(( $(date +%s%N) - from ))"
{ printf '%s\\n' "select format('\\connect %I', datname) from pg_database where datallowconn and datname <> 'template1'" | sql | while IFS= read -r c; do
  printf '%s\\n' "$c" "select 'extension ' || extname from pg_extension;" "select 'unlogged ' || count(*) from pg_class where relpersistence = 'u' and relkind in ('r', 'm');" "select 'publications ' || count(*) from pg_publication;"
done; } | sql 2>/dev/null
:`;

export const adoptProbe = (place: AdoptPlace): Probe => ({ shell: shell(place), sql });

interface RawLive extends Omit<LiveSingle, 'settings'> {
  readonly settings: Readonly<Record<string, SettingRow>>;
}

/** Undefined when the host could not be looked at. */
export function readAdoptObservation(reply: ProbeReply): AdoptObservation | undefined {
  const lines = replyLines(reply.stdout);
  const values = (word: string): readonly string[] => lines.all(word).map((text) => text.trim());
  const clock = Number(values('clock')[0] ?? Number.NaN);
  if (reply.status !== 0 || Number.isNaN(clock)) return undefined;
  const [port, socketDir] = (values('running')[0] ?? '').split(' ');
  const [name, enabled] = (values('unit')[0] ?? '').split(' ');
  const files = readFiles(values('file'));
  const [bytes = 0, nanoseconds = 0] = (values('read')[0] ?? '').split(' ').map(Number);
  const version = Number.parseInt(values('version')[0] ?? '', 10);
  const sum = (word: string): number => values(word).reduce((total, text) => total + Number(text), 0);
  return {
    clock,
    running: values('running').length > 0,
    port: port ? Number(port) : undefined,
    socketDir: socketDir || undefined,
    unit: name ? { name, enabled: enabled ?? 'unknown' } : undefined,
    options: fromBase64(values('options')[0] ?? '').trim(),
    log: values('log')[0],
    mark: lines.has('mark'),
    recorded: values('recorded')[0],
    systemIdentifier: values('system')[0],
    version: Number.isNaN(version) ? undefined : version,
    before: parseBefore(fromBase64(values('before')[0] ?? '')),
    adopted: parseAdopted(fromBase64(values('adopted')[0] ?? '')),
    architecture: values('architecture')[0] ?? '',
    libc: values('libc')[0] ?? '',
    walDir: values('wal')[0],
    files: new Map(files.map(({ file }) => [file.path, file])),
    unreadable: files.flatMap(({ file, whole }) => (whole ? [] : [file.path])),
    missing: values('missing'),
    readRate: bytes > 0 && nanoseconds > 0 ? (bytes * 1e9) / nanoseconds : undefined,
    extensions: [...new Set(values('extension'))].sort(),
    unloggedTables: sum('unlogged'),
    publications: sum('publications'),
    live: readLive(reply.sql),
    problem: reply.sqlProblem ?? '',
  };
}

/** A file may be shown twice: once by its place, once as what the server reads. */
function readFiles(lines: readonly string[]): readonly { file: FileBefore; whole: boolean }[] {
  return lines.flatMap((line) => {
    const [mode, owner, path, content = ''] = line.split(' ');
    if (!mode || !owner || !path) return [];
    const bytes = Buffer.from(content, 'base64');
    const text = bytes.toString('utf8');
    const whole = Buffer.from(text, 'utf8').equals(bytes);
    return [{ file: { path: fromBase64(path), mode, owner, text }, whole }];
  });
}

function readLive(value: unknown): LiveSingle | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const raw = value as RawLive;
  const settings = new Map(Object.entries(raw.settings).map(([name, row]) => [name.toLowerCase(), row]));
  return { ...raw, settings };
}
