/**
 * What stands in a data directory, seen from outside: shared by the kinds `instance` and `standby`, by the survey of
 * roles and by `status`. Works whether or not a server runs there. Pure.
 *
 * Two small files in the management directory make interrupted work safe: `<id>.making` stands while an instance is
 * being made or copied, so that an unfinished one may be removed; `<id>.system` holds the system identifier of the
 * finished one, so that a stranger's data is never taken for ours.
 */

import { quote } from '../../base/shell.ts';
import { type ControlData, parseControlData } from '../../postgres/controldata.ts';
import { diskCheck, topNames } from '../../postgres/own-names.ts';
import type { ProbeReply } from '../contract/kind.ts';
import { replyLines } from '../contract/replies.ts';
import { lostDirectory } from './lost-directory.ts';
import { type Beside, besideFunction, readBesides } from './own-files.ts';
import { beforeProbe, formerMark } from './record.ts';
import { secondProbe } from './second-record.ts';

export interface DataDirectoryPlace {
  readonly dataDir: string;
  readonly managementDir: string;
  /** The server identifier. */
  readonly id: string;
}

/** With what says which names are PostgreSQL's own there. */
export interface DataPlaces extends DataDirectoryPlace {
  readonly version: number;
  readonly walDir?: string;
  /** Where a copy writes its tablespaces. */
  readonly tablespaces?: readonly string[];
  /** The unit of its controller, which only root can make or remove; and the administrator. */
  readonly unit?: string;
  readonly owner?: string;
}

/** A name below the data directory, and what it leads to. */
export interface Lost {
  readonly link: string;
  readonly target: string;
}

export interface DataDirectory {
  /** Partial: unfinished, and not even its version is there yet. */
  readonly content: 'absent' | 'empty' | 'foreign' | 'partial' | 'cluster';
  /** Some names of a foreign directory. */
  readonly files: readonly string[];
  /** What was begun and not finished, one of `marks`; `unreadable` where the mark does not tell. */
  readonly making?: string;
  /** The system identifier that we recorded; `unreadable` where the record does not tell. */
  readonly recorded?: string;
  readonly version?: number;
  readonly standbySignal: boolean;
  readonly running: boolean;
  /** A server has been started here at some time. */
  readonly started?: boolean;
  /**
   * A server of this cluster was started here, and root's unit says that a controller was in charge: what the management directory said of it is
   * lost, and was not never made.
   */
  readonly directoryLost?: boolean;
  /** The same, and it may be on a file system that is not mounted, or behind a link: why. */
  readonly directoryAway?: string;
  /** That link: the directory itself, or one above it. */
  readonly directoryLink?: string;
  /** Of one that is lost or away: root's drop-ins for a unit that has started it before pgduet. */
  readonly dropIns?: readonly string[];
  /** A migration was begun: the former unit or a person is still in charge. */
  readonly former?: boolean;
  /** It was there before pgduet, alone or in a role of a pair, and has a record of that. */
  readonly before?: 'single' | 'primary' | 'standby';
  /** The record of that is lost, and the second one, in the data directory, says it. */
  readonly recordLost?: boolean;
  /** Where its tablespaces are. */
  readonly tablespaces?: readonly string[];
  /** Links of a finished data directory that lead to no WAL, or to no tablespace of this version; and its `pg_wal` itself where no WAL is. */
  readonly lost?: readonly Lost[];
  /**
   * What is not PostgreSQL's: in a finished data directory, if there is something at its top; else in every place that would be
   * written to or emptied.
   */
  readonly besides?: readonly Beside[];
  readonly control?: ControlData;
  /** Of a cluster that we did not record: how Debian's packages call it, "15 main", and the unit that runs it. */
  readonly packaged?: string;
  readonly unit?: string;
  /** There is a control file that tells nothing. */
  readonly mute?: boolean;
}

/** Holds the tablespace directories that a copy writes to, or a base backup empties, one on a line, as long as it is not finished. */
export const spacesFile = (place: DataDirectoryPlace): string => `${place.managementDir}/${place.id}.spaces`;

export const makingFile = (place: DataDirectoryPlace): string => `${place.managementDir}/${place.id}.making`;
export const systemFile = (place: DataDirectoryPlace): string => `${place.managementDir}/${place.id}.system`;

/** A record, or a mark, that is there and does not hold what it should. */
export const unreadable = 'unreadable';

/** What a mark can hold. */
export const marks = ['initdb', 'copy', 'rewind', 'erase'] as const;

/**
 * Shell: `record FILE number|mark` puts what a record says into word, which is empty where there is none. It is read by the
 * login, perhaps through a link of the administrator's: nothing but a word of its form is told.
 */
export const recordFunction = `record() {
  word=
  if [ ! -e "$1" ] && [ ! -L "$1" ]; then return 0; fi
  lines "$1" word || word=
  case $2:$word in
  number: | number:*[!0-9]* | number:${'?'.repeat(21)}*) word=${unreadable};;
  number:* | ${marks.map((mark) => `mark:${mark}`).join(' | ')}) ;;
  *) word=${unreadable};;
  esac
}`;

/** Shell, for a step: the two records into recorded and mark. One that cannot be read ends it. */
export const readRecords = (place: DataDirectoryPlace): string => `${recordFunction}
record ${quote(systemFile(place))} number; recorded=$word
record ${quote(makingFile(place))} mark; mark=$word
if [ "$recorded" = ${unreadable} ]; then printf '%s\n' ${quote(`${systemFile(place)} does not say whose data this is`)} >&2; exit 1; fi
if [ "$mark" = ${unreadable} ]; then printf '%s\n' ${quote(`${makingFile(place)} does not say what is unfinished`)} >&2; exit 1; fi`;

/** Shell: `places` tells what is in the way of an `initdb` or a copy, or of emptying what an interrupted one left. */
const placesFunction = (place: DataPlaces): string => `listed() {
  [ -e ${quote(spacesFile(place))} ] || [ -L ${quote(spacesFile(place))} ] || return 1
  peek grep -qxF -- "$1" ${quote(spacesFile(place))}
  case $? in 0) ;; 1) return 1;; *) echo ${quote(`${spacesFile(place)} cannot be read`)} >&2; exit 1;; esac
}
linked() { for l in "$d"/pg_tblspc/*; do if [ -L "$l" ] && [ "$l" -ef "$1" ]; then return 0; fi; done; return 1; }
places() {
${place.walDir ? `if [ -e ${quote(makingFile(place))} ] && [ "$d/pg_wal" -ef ${quote(place.walDir)} ]; then of=wal; else of=any; fi; beside $of ${quote(place.walDir)} || return 1` : ':'}
${(place.tablespaces ?? []).map((space) => besideSpace(place, space)).join('\n')}
}`;

/** The files of a version of an unfinished copy are its own. */
const besideSpace = (place: DataDirectoryPlace, space: string): string => `s=${quote(space)}
if [ -e ${quote(makingFile(place))} ] && { linked "$s" || listed "$s"; }; then of=tablespace; else of=any; fi
beside $of "$s" || return 1`;

/** Prints "word value" lines, then what pg_controldata says. */
export const dataDirectoryProbe = (place: DataPlaces): string => `d=${quote(place.dataDir)}
${besideFunction(place.version)}
${placesFunction(place)}
${recordFunction}
look() { seen=$("$@") || exit 1; if [ -n "$seen" ]; then printf '%s\n' "$seen" | sed 's/^/beside /'; fi; }
record ${quote(makingFile(place))} mark; making=$word
if [ -n "$making" ]; then echo "making $making"; fi
record ${quote(systemFile(place))} number; recorded=$word
if [ -n "$recorded" ]; then echo "recorded $recorded"; fi
if [ -e ${quote(formerMark(place))} ]; then echo 'former yes'; fi
${beforeProbe(place)}
if [ ! -e "$d" ]; then unseen "$d"; case $unseen in closed*) echo "$unseen" >&2; exit 1;; esac; look places; echo 'content absent'; exit; fi
if [ ! -f "$d/PG_VERSION" ]; then
walks "$d"
names=$($walker ls -A "$d") || exit 1
names=$(printf '%s\n' "$names" | grep -vxF ${diskCheck})
if [ -z "$names" ]; then look places; echo 'content empty'; exit; fi
if [ -z "$making" ]; then echo 'content foreign'; printf '%s\n' "$names" | head -n 5 | sed 's/^/file /'; exit; fi
# The version comes early or last: what an interrupted attempt has left is told by its names.
look beside data "$d"; look places; echo 'content partial'
else
echo 'content cluster'
lines "$d/PG_VERSION" version
case $version in '' | *[!0-9.]*) ;; *) echo "version $version";; esac
if [ -n "$making" ]; then look beside data "$d"; look places
elif listing "$d" | grep -qvxE ${quote(topNames(place.version))} && seen=$(beside data "$d"); then printf '%s\n' "$seen" | sed 's/^/beside /'; fi
fi
if [ -f "$d/standby.signal" ]; then echo 'signal standby'; fi
if [ -e "$d/postmaster.opts" ]; then echo 'started once'; fi
${lostDirectory(place)}
if [ -z "$making" ]; then
${secondProbe(place)}
fi
for n in "$d"/pg_tblspc/*; do if [ -L "$n" ]; then printf 'tablespace %s\n' "$(readlink "$n")"; fi; done
if postmaster "$d"; then echo "running $pid"; fi
if [ ! -e ${quote(systemFile(place))} ]; then
for n in /etc/postgresql/*/*/postgresql.conf; do
if [ -f "$n" ]; then word=$(peek grep -sE '^[[:space:]]*data_directory[[:space:]=]' "$n"); else word=; fi
case $word in *"'$d'"*) n=\${n#/etc/postgresql/}; n=\${n%/*}; echo "packaged \${n%/*} \${n#*/}";; esac
done
if [ -n "$pid" ]; then echo "unit $(sed -n 's|.*/\\([^/]*\\.service\\)$|\\1|p' "/proc/$pid/cgroup" 2>/dev/null | tail -n 1)"; fi
fi
if [ -s "$d/global/pg_control" ]; then echo 'control there'; fi
[ -n "$PGBIN" ] && controldata "$d"
:`;

/** Undefined when the probe could not look. */
export function readDataDirectory(reply: ProbeReply): DataDirectory | undefined {
  const lines = replyLines(reply.stdout);
  const content = lines.first('content');
  if (
    reply.status !== 0 ||
    (content !== 'absent' &&
      content !== 'empty' &&
      content !== 'foreign' &&
      content !== 'partial' &&
      content !== 'cluster')
  )
    return undefined;
  const control = parseControlData(reply.stdout);
  const making = lines.first('making');
  const recorded = lines.first('recorded');
  const packaged = lines.first('packaged');
  const unit = lines.first('unit');
  const away = lines.first('away');
  const astray = lines.first('astray');
  const version = lines.first('version');
  // One that a copy has brought, or a teardown left, says nothing of data that is not ours.
  const ours = recorded !== undefined || lines.first('directory') !== undefined;
  const second = ours ? lines.first('second') : undefined;
  const said = lines.first('before') ?? second;
  const before = (['single', 'primary', 'standby'] as const).find((word) => word === said);
  return {
    content,
    files: lines.all('file'),
    standbySignal: lines.first('signal') !== undefined,
    running: lines.first('running') !== undefined,
    started: lines.first('started') !== undefined,
    former: lines.first('former') !== undefined,
    ...(lines.first('directory') === undefined ? {} : { directoryLost: true }),
    ...(away === undefined ? {} : { directoryAway: away }),
    ...(astray === undefined ? {} : { directoryLink: astray }),
    ...(lines.all('dropin').length > 0 ? { dropIns: lines.all('dropin') } : {}),
    tablespaces: lines.all('tablespace'),
    besides: readBesides(lines.all('beside')),
    lost: lines.all('lost').map((line) => {
      const at = line.indexOf('//');
      return { link: line.slice(0, at), target: line.slice(at + 2) };
    }),
    mute: lines.first('control') !== undefined && control === undefined,
    ...(making ? { making } : {}),
    ...(before ? { before } : {}),
    ...(second ? { recordLost: true } : {}),
    ...(recorded ? { recorded } : {}),
    ...(packaged && /^[\w.-]+ [\w.-]+$/.test(packaged) ? { packaged } : {}),
    ...(unit && /^[\w:.@\\-]+\.service$/.test(unit) ? { unit } : {}),
    ...(version ? { version: Number.parseInt(version, 10) } : {}),
    ...(control ? { control } : {}),
  };
}

/** A cluster is there, and not one that is being made or taken away. */
export const isFinished = (data: DataDirectory | undefined): boolean =>
  data?.content === 'cluster' && data.making === undefined;

/** A finished instance of ours that follows nobody: the primary, or a former one. */
export const leads = (data: DataDirectory | undefined): boolean =>
  isFinished(data) && data?.standbySignal === false && data.recorded !== undefined;

/**
 * Why nobody can say whose data stands there, if so: PostgreSQL's programs are not there yet, or its control
 * file is broken. Data that is not known to be ours must never pass for ours.
 */
export const unidentified = (seen: DataDirectory): string | undefined =>
  (seen.content === 'cluster' && seen.making === undefined && seen.control === undefined) ||
  (seen.making !== undefined && seen.mute === true)
    ? 'pg_controldata does not say which cluster the data belongs to'
    : undefined;

/** What the management directory said of this data cannot be read there now: it is lost, or may be on a file system that is not mounted. */
export const lacksDirectory = (data: DataDirectory | undefined): boolean =>
  data?.directoryLost === true || data?.directoryAway !== undefined;
