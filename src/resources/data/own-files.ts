/**
 * Shell that tells what is PostgreSQL's own below a directory and what is not, and deletes the former alone; and what its
 * answers mean. The names come from `own-names.ts`. Pure.
 */

import type { Diagnostic } from '../../base/diagnostic.ts';
import { quote } from '../../base/shell.ts';
import { diskCheck, type OwnPlace, ownNames } from '../../postgres/own-names.ts';
import { wordList } from '../contract/field.ts';
import { closedDirectory } from '../contract/preamble.ts';
import { ownLogsFunction } from './own-logs.ts';

/** Something that is not PostgreSQL's: where it stands, and a sum of its content, or its type where it is no small file. */
export interface Beside {
  readonly root: string;
  readonly path: string;
  readonly sum: string;
}

/** "SUM PATH": the same below two data directories means that one file is a copy of the other. */
export const besideWord = ({ sum, path }: Beside): string => `${sum} ${path}`;

/** From the lines of `beside`. */
export const readBesides = (lines: readonly string[]): readonly Beside[] =>
  lines.flatMap((line) => {
    const [, sum, root, path] = /^(\S+) (.*?)\/\/(.*)$/.exec(line) ?? [];
    return sum && root && path ? [{ sum, root, path }] : [];
  });

/** As a playbook says it. */
export const sameFiles = wordList(
  "what the data directory of the server that has the data too holds besides PostgreSQL's own: the same, byte for byte, is in nobody's way",
  'path',
);

/** Only what was seen as a whole can be the same. */
const comparable = (same: readonly string[]): readonly string[] =>
  same.filter((word) => /^([0-9a-f]{64}|d) /.test(word));

/** What stands in the way: all but what the server that stays holds too, byte for byte (`same`, its words). */
export const inTheWay = (
  dataDir: string,
  besides: readonly Beside[],
  same: readonly string[] = [],
): readonly Beside[] => {
  const known = new Set(comparable(same));
  return besides.filter((one) => one.root !== dataDir || !known.has(besideWord(one)));
};

const shown = 8;

/** A copy brings the primary's data directory as it is: a certificate in there would be the primary's (case C27). */
const ownCertificate =
  "A server's own certificate and key live outside of the data directory, at the same path on every host: name it with ssl_cert_file and ssl_key_file under postgres.settings.";

/** Why nothing is made or deleted here. */
export function othersInTheWay(
  where: string,
  others: readonly Beside[],
  why: string,
): Diagnostic | undefined {
  if (others.length === 0) return undefined;
  const paths = [...new Set(others.map(({ root, path }) => `${root}/${path}`))].sort();
  const ofMount = others.find(({ path }) => path.split('/').includes('lost+found'));
  const mounted = others.find(({ sum }) => sum === 'm');
  const fix = mounted
    ? `Something is mounted at ${mounted.root}/${mounted.path}, and is left alone. With the server stopped, mount it outside of the data directory and put a link in its place (WAL: postgres.wal_dir in the inventory names where it leads). Anything else: move it away.`
    : ofMount
      ? `'lost+found' belongs to the mount point ${ofMount.root}: name a directory below it in the inventory. Anything else: move it away.`
      : 'Move them away, then run the same command again; or name another directory in the inventory.';
  const keys = paths.some((path) => /\.(key|crt|pem|cer)$/i.test(path));
  return {
    code: 'SAF002',
    what: `${where} holds what is not PostgreSQL's: ${paths[0]}${paths.length > 1 ? `, and ${paths.length - 1} more` : ''}`,
    why,
    fix: keys ? `${fix} ${ownCertificate}` : fix,
    evidence: [
      ...paths.slice(0, shown).map((path) => `found: ${path}`),
      ...(paths.length > shown ? [`and ${paths.length - shown} more`] : []),
    ],
  };
}

const expression = (place: OwnPlace, version: number, more: readonly string[] = []): string =>
  `\\( ${[
    ...[...ownNames(place, version)].map(
      ([type, pattern]) => `-type ${type} -regex ${quote(`\\./(${pattern})`)}`,
    ),
    ...more.map((path) => `-path ${quote(`./${path.replace(/[\\*?[\]]/g, '\\$&')}`)}`),
  ].join(' -o ')} \\)`;

const find = 'find . -regextype posix-extended -ignore_readdir_race -xdev -mindepth 1';

/** Shell: the server's log stands where its settings say, under the names that they give; a name below the data directory is its own, too. */
const withLog = (dir: string): string => `own_logs "${dir}"
  set -- \\( "$@" -o -type d -path "./$own_log" -o -type f -regex "\\./$own_log/$own_names" \\)`;

/** Of more than these nothing is compared: they are in the way. */
const most = 200;

/** In blocks of 512 bytes: content of larger files is not compared. */
const small = 2048;

/**
 * Defines `beside PLACE DIR`: a line "SUM DIR//PATH" for all that is not PostgreSQL's own; PLACE is data, wal or tablespace, or any, which
 * knows no names. A mount point is nobody's. It fails where it could not look.
 */
export const besideFunction = (version: number): string => `${ownLogsFunction}
beside() {
  beside_dir=$2
  if [ ! -e "$2" ]; then unseen "$2"; case $unseen in closed*) echo "$unseen" >&2; return 1;; esac; return 0; fi
  case $1 in
  data) set -- ${expression('data', version)}; ${withLog('$beside_dir')};;
  wal) set -- ${expression('wal', version)};;
  tablespace) set -- ${expression('tablespace', version)};;
  *) set -- -path ./${diskCheck};;
  esac
  # What whoever deletes may not look into is in the way, whatever it is called. A login that only looks says so.
  if [ -n "$ROOT" ] || [ -O "$beside_dir" ]; then set -- \\( ${closedDirectory} -o ! "$@" \\); else set -- ! "$@"; fi
  walks "$beside_dir"
  beside_seen=$($walker sh -c ${quote(`cd "$1" || exit; shift; pwd -P; ${find} "$@" -printf '%y *%p\\n'; echo "ended $?"`)} sh "$beside_dir" "$@" | head -n ${most + 2})
  beside_real=\${beside_seen%%
*}
  case $beside_seen in
  *'
ended 0') ;;
  *'
ended '* | '') return 1;;
  *) printf '%s\\n' "$beside_seen" "- *./more than ${most} in all" | sed '2,8!{$!d}' | beside_lines; return 0;;
  esac
  beside_below=$(at="\${beside_real%/}/" awk '{ gsub(/\\\\040/, " ", $5); gsub(/\\\\134/, "\\\\", $5) }
index($5, ENVIRON["at"]) == 1 { print "m *./" substr($5, length(ENVIRON["at"]) + 1) }' /proc/self/mountinfo) || return 1
  if [ "$beside_seen$beside_below" = "$beside_real
ended 0" ]; then return 0; fi
  # Root reads no file for it: a name that stands deeper may be his to change.
  if [ -n "$ROOT" ] && [ -z "$walker" ] && [ "$ME" != "\${OWNER_ENTRY%%:*}" ]; then set -- "$@" -printf '%y *%p\\n'
  else set -- "$@" \\( -type f -size -${small + 1} -exec sha256sum -b -- {} + -o -printf '%y *%p\\n' \\); fi
  beside_seen=$($walker sh -c ${quote(`cd "$1" || exit 1; shift; ${find} "$@"`)} sh "$beside_dir" "$@") || return 1
  printf '%s\\n' "$beside_seen" "$beside_below" | grep . | beside_lines
}
beside_lines() {
  while IFS= read -r beside_line; do printf '%s %s//%s\\n' "\${beside_line%% *}" "$beside_dir" "\${beside_line#* \\*./}"; done
}`;

interface Owned {
  readonly owner: string;
  readonly version: number;
  readonly dataDir: string;
  /** What the server that stays holds too. */
  readonly same?: readonly string[];
}

const pathsOf = (same: readonly string[]): readonly string[] =>
  same.map((word) => word.slice(word.indexOf(' ') + 1));

/**
 * Defines `beside`, `only PLACE DIR`, which ends the step where something else than PostgreSQL's own stands there, and `wipe PLACE DIR`, which
 * deletes PostgreSQL's own as its administrator. What says whose data it is, and where its log is, goes last.
 */
export const wipeFunctions = ({ owner, version, dataDir, ...rest }: Owned): string => {
  const same = comparable(rest.same ?? []);
  const wiped = `set -e; cd "$1"; shift
${find} -depth "$@" ! -path ./PG_VERSION ! -path ./postgresql.conf ! -path ./postgresql.auto.conf ! -path ./global ! -path ./global/pg_control -delete
${find} -depth "$@" -delete`;
  const known = same.map((word) => word.replace(' ', ` ${dataDir}//`));
  return `${besideFunction(version)}
only() {
  only_seen=$(beside "$1" "$2") || { echo "$2 could not be looked at" >&2; exit 1; }
  only_seen=$(printf '%s\\n' "$only_seen" | grep -vxF ${['', ...known].map((line) => `-e ${quote(line)}`).join(' ')} || :)
  if [ -n "$only_seen" ]; then printf '%s\\n' "$2 holds what is not PostgreSQL's, and nothing is deleted:" "$only_seen" >&2; exit 1; fi
}
wipe() {
  wipe_dir=$2
  case $1 in
  data) set -- ${expression('data', version, pathsOf(same))}; ${withLog('$wipe_dir')};;
  wal) set -- ${expression('wal', version)};;
  tablespace) set -- ${expression('tablespace', version)};;
  esac
  as ${quote(owner)} sh -c ${quote(wiped)} sh "$wipe_dir" "$@"
}`;
};
