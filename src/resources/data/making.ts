/**
 * The shell around `initdb` and a base backup: the mark that one begins, emptying what an interrupted one has left, and the
 * record of what is finished. Pure text.
 */
import { quote, sh } from '../../base/shell.ts';
import { unusedBelow } from '../../postgres/controldata.ts';
import { diskCheck } from '../../postgres/own-names.ts';
import { controllerPidFile } from '../contract/preamble.ts';
import {
  type DataDirectoryPlace,
  type DataPlaces,
  makingFile,
  marks,
  readRecords,
  spacesFile,
  systemFile,
} from './data-directory.ts';
import { placeFunctions } from './data-places.ts';
import { wipeFunctions } from './own-files.ts';

export interface Making extends DataPlaces {
  readonly owner: string;
  readonly what: 'initdb' | 'copy';
  /** The system identifier that the rest of an interrupted copy may have, besides the recorded one. */
  readonly system?: string | undefined;
  /** What the primary's data directory holds besides PostgreSQL's own: a copy of it has it, too. */
  readonly same?: readonly string[];
}

/**
 * Shell: sets nosync to the option that leaves the syncing to `endMaking`, which syncs the file system once instead of a
 * thousand files one by one. Before Linux 5.8 syncfs did not tell of write errors, so there the programs sync themselves.
 */
const chooseSync = `nosync=--no-sync
if uname -r | awk -F. '{ exit !($1 < 5 || ($1 == 5 && $2 < 8)) }'; then nosync=; fi`;

/**
 * Defines `expendable MARK SYSTEM`, which ends the step unless what stands in $d is provably the rest of what the mark tells of: never
 * started since, and by its control file, if it has one, of this cluster or of an initdb that nobody has used.
 */
export const expendableFunction = `expendable() {
  case $1 in ${marks.join(' | ')}) ;; *) echo "nobody knows what $d was left unfinished by" >&2; exit 1;; esac
  if [ -e "$d/postmaster.opts" ]; then echo "a server has been started in $d since it was left unfinished" >&2; exit 1; fi
  if [ ! -s "$d/global/pg_control" ]; then return 0; fi
  said=$(peek "$PGBIN/pg_controldata" -D "$d") || { echo "the control file in $d cannot be read" >&2; exit 1; }
  id=$(printf '%s\\n' "$said" | sed -n 's/^Database system identifier: *//p')
  oid=$(printf '%s\\n' "$said" | sed -n "s/^Latest checkpoint's NextOID: *//p")
  if [ "$1" = initdb ]; then
    case $said in *'cluster state:'*'shut down
'*) below=${unusedBelow.shutDown};; *) below=${unusedBelow.otherwise};; esac
    if [ "\${oid:-$below}" -ge $below ]; then echo "what stands in $d is more than an unfinished initdb" >&2; exit 1; fi
  elif [ -z "$id" ] || { [ "$id" != "$2" ] && [ "$id" != "$3" ]; }; then echo "$d is of another cluster: $id" >&2; exit 1; fi
}`;

/**
 * Shell: marks that making begins, and empties what an interrupted attempt left. Only ever called where `making` or
 * nothing stands, and all of that is looked at once more. A controller that is in charge of nothing would write its disk checks into the
 * empty directory, or start what is not finished; so it ends first. The step that runs the instance starts it again.
 */
export const beginMaking = (making: Making): string => `${wipeFunctions(making)}
${expendableFunction}
${placeFunctions(making)}
d=${quote(making.dataDir)}
W=${quote(making.walDir ?? '')}
if postmaster "$d"; then echo "a server runs in $d (process $pid)" >&2; exit 1; fi
${endController(making)}
${readRecords(making)}
if [ -n "$mark" ]; then
  expendable "$mark" ${quote(making.system ?? '')} "$recorded"
  only_own
  # Where its tablespaces are has to be known until it is finished; the links go.
  places=$(spaces) || exit 1
  if [ -n "$places" ]; then put ${quote(spacesFile(making))} 0600 ${quote(`${making.owner}:`)} "$places
"; fi
  wal | while IFS= read -r line; do of=\${line%% *}; p=\${line#* }; if [ "$of" = wal ]; then wipe wal "$p"; fi; done
  printf '%s\n' "$places" | while IFS= read -r s; do if [ -d "$s" ]; then wipe tablespace "$s"; fi; done
  if [ -d "$d" ]; then wipe data "$d"; fi
elif [ -n "$recorded" ]; then echo "the data that ${systemFile(making)} records is not in $d: is a disk not mounted?" >&2; exit 1; fi
for p in "$d" \${W:+"$W"}; do only any "$p"; as ${quote(making.owner)} rm -f "$p/${diskCheck}"; done
${(making.tablespaces ?? []).map((space) => `only any ${quote(space)}`).join('\n')}
${(making.tablespaces ?? []).length > 0 ? `put ${quote(spacesFile(making))} 0600 ${quote(`${making.owner}:`)} ${quote(`${making.tablespaces?.join('\n')}\n`)}` : ''}
put ${quote(makingFile(making))} 0600 ${quote(`${making.owner}:`)} ${making.what}
${making.what === 'initdb' ? sh`as ${making.owner} rm -f ${systemFile(making)}` : ''}
${chooseSync}`;

const endController = ({
  owner,
  ...place
}: Making): string => `if controller ${quote(controllerPidFile(place))}; then
  as ${quote(owner)} sh -c 'kill "$1"' sh "$mc"; n=0
  while kill -0 "$mc" 2>/dev/null; do n=$((n + 1)); if [ $n -gt 200 ]; then echo "the controller (process $mc) does not end" >&2; exit 1; fi; sleep 0.05; done
fi`;

/** Shell: records whose data this is and takes the mark away; what stands there now is finished. */
export const endMaking = (place: DataDirectoryPlace, owner: string, walDir?: string): string => `
if [ -n "$nosync" ]; then sync -f ${quote(place.dataDir)}${walDir ? `; sync -f ${quote(walDir)}` : ''}; fi
system=$(peek "$PGBIN/pg_controldata" -D ${quote(place.dataDir)} | sed -n 's/^Database system identifier: *//p')
if [ -z "$system" ]; then echo 'the new data directory has no system identifier' >&2; exit 1; fi
put ${quote(systemFile(place))} 0600 ${quote(`${owner}:`)} "$system"
${sh`as ${owner} rm -f ${makingFile(place)} ${spacesFile(place)}`}`;
