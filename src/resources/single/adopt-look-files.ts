/**
 * PostgreSQL's own files as they lie on the host of a single server: each byte for byte, which of them its administrator may not
 * read, and where pg_wal leads to. In: the shell functions of the probe in adopt-observation.ts. Out: its part of that probe, and
 * what the answer means. Pure.
 */
import { quote } from '../../base/shell.ts';
import { quoteLiteral } from '../../postgres/quote.ts';
import { recoveryNames } from '../../postgres/recovery-settings.ts';
import { configuredRows } from '../../postgres/setting-row.ts';
import { outdated } from '../contract/kind.ts';
import { fromBase64, type ReplyLines, textsOf } from '../contract/replies.ts';
import type { FileBefore } from '../data/record.ts';
import { checksum } from '../postgres/configuration-file.ts';
import type { AdoptPlace } from './adopt-place.ts';

/** A line of a configuration file as the server itself reads it. */
export interface ReadLine {
  readonly name: string | null;
  readonly value: string | null;
  readonly file: string;
  readonly line: number;
  readonly error: string | null;
}

/** What the server says of its files. */
export interface LiveFiles {
  /** Lines with an error, and those of settings that are left from a recovery, in the order in which they are read. */
  readonly lines: readonly ReadLine[];
  /** By lower-case name: what counts for each setting at the next start, as far as files say it. */
  readonly configured?: Readonly<Record<string, string>>;
  /** Client rules with an error. */
  readonly rules: readonly Pick<ReadLine, 'file' | 'line' | 'error'>[];
  /** Files that rules and user names are read from, as far as the server tells (PostgreSQL 16 and newer). */
  readonly ruleFiles: readonly string[];
}

export interface SeenFiles {
  /** Where pg_wal leads to where that is a link, whatever is written in it: with every link on the way followed. */
  readonly walDir: string | undefined;
  /** That is the directory which the inventory names. */
  readonly walAsDeclared: boolean;
  /** Every file of the configuration by its path. */
  readonly files: ReadonlyMap<string, FileBefore>;
  /** Of all that was told of them, so that an edit since then shows. */
  readonly shown: string;
  /** Paths whose bytes are no UTF-8. */
  readonly unreadable: readonly string[];
  /** Files of the configuration that the instance administrator may not read. */
  readonly closed: readonly string[];
  /** What of the data directory he may not read, some of it: pg_basebackup stops there. */
  readonly uncopied: readonly string[];
}

/** Needs `$d` and `told`. A link may have a slash at its end, be a relative one, or lead over another one. */
export const walShell = ({ walDir }: AdoptPlace): string => `if [ -L "$d/pg_wal" ]; then
  told wal "$(readlink -f "$d/pg_wal")"
  if [ "$d/pg_wal" -ef ${quote(walDir ?? '')} ]; then echo wal-as-declared; fi
fi`;

/** Members of the object that the server answers with. */
export const filesSql = `'lines', (select coalesce(json_agg(json_build_object('name', lower(name), 'value', setting, 'file', coalesce(sourcefile, current_setting('config_file')), 'line', coalesce(sourceline, 0), 'error', error) order by seqno), '[]')
   from pg_file_settings where error is not null or lower(name) in (${recoveryNames.map(quoteLiteral).join(', ')})),
 'configured', (select coalesce(json_object_agg(c.name, c.setting), '{}') from (${configuredRows}) c),
 'rules', (select coalesce(json_agg(json_build_object('file', coalesce(to_jsonb(r) ->> 'file_name', current_setting('hba_file')), 'line', line_number, 'error', error)), '[]') from pg_hba_file_rules r where error is not null),
 'ruleFiles', (select coalesce(json_agg(distinct to_jsonb(r) ->> 'file_name'), '[]') from pg_hba_file_rules r where to_jsonb(r) ? 'file_name')`;

/** Needs `$d`, `told`, `peek` and `sql`; the server runs. */
export const filesShell = `show() {
  if ! shown=$(peek base64 -w 0 "$1"); then told closed "$1"; return 1; fi
  printf 'file %s %s %s\\n' "$(stat -c '%a %U:%G' "$1")" "$(printf %s "$1" | b64)" "$shown"
}
conf() {
  if [ ! -f "$1" ] || [ "$2" -gt 10 ]; then return 0; fi
  show "$1" || return 0
  printf %s "$shown" | base64 -d | grep -iE '^[[:space:]]*include' | sed -n "s/^[^']*'\\\\([^']*\\\\)'.*/\\\\1/p" | while IFS= read -r p; do
    case $p in /*) ;; *) p=\${1%/*}/$p;; esac
    if [ -d "$p" ]; then for f in "$p"/*.conf; do conf "$f" $(($2 + 1)); done; else conf "$p" $(($2 + 1)); fi
  done
}
# Files that rules or user names lead to, by their words: "@names", "include more.conf".
named() {
  printf %s "$shown" | base64 -d | tr -d '\\r' |
    sed -E 's/^[[:space:]]*include(_if_exists|_dir)?[[:space:]]+("([^"]*)"|([^[:space:]#"]+)).*/\\n@\\3\\4/; s/#.*//; s/[[:space:],]@("([^"]*)"|([^[:space:],"]+))/\\n@\\2\\3\\n/g' | sed -n 's/^@//p'
}
rules() {
  if [ ! -f "$1" ] || [ "$2" -gt 10 ]; then return 0; fi
  show "$1" || return 0
  named | while IFS= read -r p; do
    case $p in /*) ;; *) p=\${1%/*}/$p;; esac
    if [ -d "$p" ]; then for f in "$p"/*.conf; do rules "$f" $(($2 + 1)); done; else rules "$p" $(($2 + 1)); fi
  done
}
for f in "$d/postgresql.conf" "$d/pg_hba.conf" "$d/pg_ident.conf" "$d/postgresql.auto.conf"; do if [ -f "$f" ]; then show "$f" || :; fi; done
echo "select current_setting('config_file') union all select current_setting('hba_file') union all select current_setting('ident_file')" | sql 2>/dev/null | {
  if IFS= read -r f; then conf "$f" 0; fi
  while IFS= read -r f; do rules "$f" 0; done
}`;

/** What the shell of this file, and of the probe that it is a part of, tells with. */
export const tellingShell = `b64() { base64 -w 0; }
told() { printf '%s %s\\n' "$1" "$(printf %s "$2" | b64)"; }`;

/** For a step: it ends as outdated where anything of these files is another one by now, so that no edit is lost. */
export const stillAsSeen = ({ dataDir }: Pick<AdoptPlace, 'dataDir'>, shown: string): string =>
  `d=${quote(dataDir)}
${tellingShell}
shown_now() ( set +e
${filesShell}
)
if [ "$(shown_now | grep -a '^file ' | sha256sum)" != ${quote(shown)} ]; then exit ${outdated}; fi`;

/** In a data directory, by name: what the server makes anew and pg_basebackup leaves out ("Base Backup", in its protocol). */
const leftOut = 'pg_stat_tmp pg_replslot pg_dynshmem pg_notify pg_serial pg_snapshots pg_subtrans pg_wal';
const passed =
  'pgsql_tmp* pg_internal.init* postmaster.pid postmaster.opts backup_label tablespace_map backup_manifest postgresql.auto.conf.tmp current_logfiles.tmp';

/** Needs `$d` and `peek`. A server may run for years beside a file that it cannot read; a copy cannot be made of it. */
export const copyShell = `peek find -H "$d" -mindepth 1 \\( ${leftOut
  .split(' ')
  .map((name) => `-path "$d/${name}"`)
  .join(' -o ')} \\) -prune -o ! -readable \\( -type f -o -type d \\) ${passed
  .split(' ')
  .map((name) => `! -name '${name}'`)
  .join(
    ' ',
  )} -exec sh -c 'for f; do printf "uncopied "; printf %s "$f" | base64 -w 0; echo; done' sh {} + 2>/dev/null | head -n 5`;

export function readSeenFiles(lines: ReplyLines): SeenFiles {
  const told = lines.all('file');
  const files = readFiles(told);
  return {
    walDir: textsOf(lines, 'wal')[0],
    walAsDeclared: lines.has('wal-as-declared'),
    files: new Map(files.map(({ file }) => [file.path, file])),
    shown: checksum(told.map((line) => `file ${line}\n`).join('')),
    closed: textsOf(lines, 'closed'),
    uncopied: textsOf(lines, 'uncopied'),
    unreadable: files.flatMap(({ file, whole }) => (whole ? [] : [file.path])),
  };
}

/** A file may be shown twice: once by its place, once as what the server reads. */
function readFiles(lines: readonly string[]): readonly { file: FileBefore; whole: boolean }[] {
  return lines.flatMap((line) => {
    const [mode, owner, path, content = ''] = line.trim().split(' ');
    if (!mode || !owner || !path) return [];
    const bytes = Buffer.from(content, 'base64');
    const text = bytes.toString('utf8');
    const whole = Buffer.from(text, 'utf8').equals(bytes);
    return [{ file: { path: fromBase64(path), mode, owner, text }, whole }];
  });
}
