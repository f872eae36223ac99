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
import type { ProbeReply } from '../contract/kind.ts';
import { controllerPidFile } from '../contract/preamble.ts';
import { replyLines } from '../contract/replies.ts';
import { formerMark } from './record.ts';

export interface DataDirectoryPlace {
  readonly dataDir: string;
  readonly managementDir: string;
  /** The server identifier. */
  readonly id: string;
}

export interface DataDirectory {
  /** Partial: unfinished, and not even its version is there yet. */
  readonly content: 'absent' | 'empty' | 'foreign' | 'partial' | 'cluster';
  /** Some names of a foreign directory. */
  readonly files: readonly string[];
  /** "initdb" or "copy" while one was begun and not finished. */
  readonly making?: string;
  /** The system identifier that we recorded. */
  readonly recorded?: string;
  readonly version?: number;
  readonly standbySignal: boolean;
  readonly running: boolean;
  /** A server has been started here at some time. */
  readonly started?: boolean;
  /** A migration was begun: the former unit or a person is still in charge. */
  readonly former?: boolean;
  /** Where its tablespaces are. */
  readonly tablespaces?: readonly string[];
  readonly control?: ControlData;
}

/** Holds the tablespace directories that a copy writes to, one on a line, as long as it is not finished. */
const spacesFile = (place: DataDirectoryPlace): string => `${place.managementDir}/${place.id}.spaces`;

export const makingFile = (place: DataDirectoryPlace): string => `${place.managementDir}/${place.id}.making`;
export const systemFile = (place: DataDirectoryPlace): string => `${place.managementDir}/${place.id}.system`;

/** A controller that a reboot has started before there is an instance writes this into the empty directory. */
const diskCheck = 'pgsql_tmp_mc_disk_check';

/** Prints "word value" lines, then what pg_controldata says. */
export const dataDirectoryProbe = (place: DataDirectoryPlace): string => `d=${quote(place.dataDir)}
if [ -e ${quote(makingFile(place))} ]; then lines ${quote(makingFile(place))} word; echo "making $word"; fi
if [ -e ${quote(systemFile(place))} ]; then lines ${quote(systemFile(place))} word; echo "recorded $word"; fi
if [ -e ${quote(formerMark(place))} ]; then echo 'former yes'; fi
if [ ! -e "$d" ]; then echo 'content absent'; exit; fi
if [ ! -f "$d/PG_VERSION" ]; then
names=$(ls -A "$d") || exit 1
names=$(printf '%s\\n' "$names" | grep -vxF ${diskCheck})
if [ -z "$names" ]; then echo 'content empty'; exit; fi
# initdb and pg_basebackup begin with these; the version may come last.
if [ -e ${quote(makingFile(place))} ]; then for n in pg_wal base global backup_label; do if [ -e "$d/$n" ] || [ -L "$d/$n" ]; then echo 'content partial'; exit; fi; done; fi
echo 'content foreign'; printf '%s\\n' "$names" | head -n 5 | sed 's/^/file /'; exit; fi
echo 'content cluster'
lines "$d/PG_VERSION" word; echo "version $word"
if [ -f "$d/standby.signal" ]; then echo 'signal standby'; fi
if [ -e "$d/postmaster.opts" ]; then echo 'started once'; fi
for n in "$d"/pg_tblspc/*; do if [ -L "$n" ]; then echo "tablespace $(readlink "$n")"; fi; done
if postmaster "$d"; then echo "running $pid"; fi
[ -n "$PGBIN" ] && "$PGBIN/pg_controldata" -D "$d" 2>&1
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
  const version = lines.first('version');
  return {
    content,
    files: lines.all('file'),
    standbySignal: lines.first('signal') !== undefined,
    running: lines.first('running') !== undefined,
    started: lines.first('started') !== undefined,
    former: lines.first('former') !== undefined,
    tablespaces: lines.all('tablespace'),
    ...(making ? { making } : {}),
    ...(recorded ? { recorded } : {}),
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
  seen.content === 'cluster' && seen.making === undefined && seen.control === undefined
    ? 'pg_controldata does not say which cluster the data belongs to'
    : undefined;

/**
 * Shell: sets nosync to the option that leaves the syncing to `endMaking`, which syncs the file system once instead of a
 * thousand files one by one. Before Linux 5.8 syncfs did not tell of write errors, so there the programs sync themselves.
 */
const chooseSync = `nosync=--no-sync
if uname -r | awk -F. '{ exit !($1 < 5 || ($1 == 5 && $2 < 8)) }'; then nosync=; fi`;

/**
 * Shell: marks that making begins, and empties what an interrupted attempt left. Only ever called where `making` or
 * nothing stands. A controller that is in charge of nothing would write its disk checks into the empty directory, or
 * start what is not finished; so it ends first. The step that runs the instance starts it again.
 */
export const beginMaking = (
  place: DataDirectoryPlace,
  owner: string,
  what: string,
  walDir?: string,
  tablespaces: readonly string[] = [],
): string => `
d=${quote(place.dataDir)}
if postmaster "$d"; then echo "a server runs in $d (process $pid)" >&2; exit 1; fi
if controller ${quote(controllerPidFile(place))}; then
  as ${quote(owner)} sh -c 'kill "$1"' sh "$mc"; n=0
  while kill -0 "$mc" 2>/dev/null; do n=$((n + 1)); if [ $n -gt 200 ]; then echo "the controller (process $mc) does not end" >&2; exit 1; fi; sleep 0.05; done
fi
if [ -e ${quote(makingFile(place))} ]; then find "$d" -mindepth 1 -delete${walDir ? `; find ${quote(walDir)} -mindepth 1 -delete` : ''}; fi
rm -f "$d/${diskCheck}"${walDir ? ` ${quote(`${walDir}/${diskCheck}`)}` : ''}
if [ -n "$(ls -A "$d" 2>/dev/null)" ]; then echo "$d is not empty" >&2; exit 1; fi
${tablespaces.length > 0 ? emptySpaces(place, owner, tablespaces) : ''}put ${quote(makingFile(place))} 0600 ${quote(`${owner}:`)} ${quote(what)}
${chooseSync}`;

/** Shell: the places of tablespaces are empty, or were when the copy was begun; then what is there is the copy's. */
const emptySpaces = (place: DataDirectoryPlace, owner: string, tablespaces: readonly string[]): string => `
for s in ${tablespaces.map(quote).join(' ')}; do
  if [ -e ${quote(makingFile(place))} ] && grep -qxF -- "$s" ${quote(spacesFile(place))} 2>/dev/null; then find "$s" -mindepth 1 -delete; fi
  if [ -n "$(ls -A "$s" 2>/dev/null)" ]; then echo "the tablespace directory $s is not empty" >&2; exit 1; fi
done
put ${quote(spacesFile(place))} 0600 ${quote(`${owner}:`)} ${quote(`${tablespaces.join('\n')}\n`)}
`;

/** Shell: records whose data this is and takes the mark away; what stands there now is finished. */
export const endMaking = (place: DataDirectoryPlace, owner: string, walDir?: string): string => `
if [ -n "$nosync" ]; then sync -f ${quote(place.dataDir)}${walDir ? `; sync -f ${quote(walDir)}` : ''}; fi
system=$("$PGBIN/pg_controldata" -D ${quote(place.dataDir)} | sed -n 's/^Database system identifier: *//p')
if [ -z "$system" ]; then echo 'the new data directory has no system identifier' >&2; exit 1; fi
put ${quote(systemFile(place))} 0600 ${quote(`${owner}:`)} "$system"
rm -f ${quote(makingFile(place))} ${quote(spacesFile(place))}`;
