/**
 * What is looked at on a server that is to be rebuilt: its data, what it knows that the primary does not, and whether the
 * primary answers it. The questions to the primary go over its walsender, with the rights of the standby itself. Pure.
 */

import { quote } from '../../base/shell.ts';
import { serverConninfo } from '../../postgres/conninfo.ts';
import { outdated, type ProbeReply } from '../contract/kind.ts';
import { controllerPidFile } from '../contract/preamble.ts';
import { replyLines } from '../contract/replies.ts';
import {
  type DataDirectory,
  type DataDirectoryPlace,
  type DataPlaces,
  dataDirectoryProbe,
  makingFile,
  readDataDirectory,
} from './data-directory.ts';
import { placeFunctions } from './data-places.ts';
import { besideFunction } from './own-files.ts';
import { type Beyond, beyondFunction, readBeyond } from './rebuild-beyond.ts';

export interface RebuildPlace extends DataPlaces {
  readonly owner: string;
  /** The primary's log transfer address and port, and the role that replicates. */
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** Where a copy is put aside, if one is needed: its parent directory. */
  readonly keepIn: string;
  /** Words of connection strings to it besides. */
  readonly demands?: Readonly<Record<string, string>>;
}

export interface RebuildObservation {
  readonly data: DataDirectory;
  /** The primary as it answered; else why not. */
  readonly source:
    | { readonly systemIdentifier: string; readonly timeline: number }
    | { readonly problem: string };
  readonly controllerRuns: boolean;
  readonly streams: boolean;
  readonly walLogHints: boolean;
  readonly fullPageWrites: boolean;
  readonly beyond: Beyond;
  /** Of others. A former primary's are found where they were; on a standby they may be those of its primary. */
  readonly slots: readonly string[];
  /** Kilobytes. */
  readonly size: number;
  readonly free: number;
  /** What an earlier attempt wrote down; `kept` only where that is a copy of the present data, or the data is being changed. */
  readonly record: { readonly done?: string; readonly kept?: string; readonly why?: string };
}

export const recordFile = (place: DataDirectoryPlace): string => `${place.managementDir}/${place.id}.rebuild`;

/**
 * The timeline that it streams. One that is ahead of its primary tries again and again, and says `streaming` each time for as long as it
 * takes to be refused; but it asks for the timeline that it has, and not for that of the primary.
 */
export const streamQuery = `select json_build_object('streams', (select received_tli from pg_stat_wal_receiver where status = 'streaming'))`;

/** Shell: `ask` puts a question to the primary. */
const askFunction = (place: RebuildPlace): string => {
  const source = serverConninfo(place, 'pgduet_rebuild', {
    // The name under which the password file knows replication.
    dbname: 'replication',
    replication: 'true',
    connect_timeout: 5,
    ...place.demands,
  });
  return `export PGPASSFILE="$PASSFILE"
ask() { as ${quote(place.owner)} "$PGBIN/psql" -X -q -A -t -w -d ${quote(source)} -c "$1" 2>&1; }`;
};

/** From what the primary `said`: which timeline it is on, and how that came to be. */
const timelines = `# Another host has said it: bash runs what stands in an index within arithmetic.
case $said in *[!0-9A-F/'|']*) echo 'beyond unknown the primary does not say who it is'; exit 0;; esac
now=$(echo "$said" | cut -d'|' -f2)
history=; if [ "$now" -gt 1 ]; then history=$(ask "TIMELINE_HISTORY $now" | sed 's/^[0-9A-F]*\\.history|//' | grep -E '^[0-9]+[[:space:]]+[0-9A-F]{1,8}/[0-9A-F]{1,8}[[:space:]]'); fi`;

/** Prints "word value" lines behind those of the data directory. Only reads; what it asks the primary only reads, too. */
export const rebuildProbe = (place: RebuildPlace): string => `( ${dataDirectoryProbe(place)} ) || exit 1
d=${quote(place.dataDir)}; w=$d/pg_wal
${besideFunction(place.version)}
${placeFunctions(place)}
tell_others
peek sed 's/^/record /' ${quote(recordFile(place))} 2>/dev/null
${keptProbe(place)}
if controller ${quote(controllerPidFile(place))}; then echo 'controller runs'; fi
[ -n "$PGBIN" ] || exit 0
${askFunction(place)}
if said=$(ask IDENTIFY_SYSTEM); then echo "source $said"; else echo "problem $(echo "$said" | tr '\\n' ' ')"; exit 0; fi
[ -f "$d/PG_VERSION" ] || exit 0
${timelines}
peek ls "$d/pg_replslot" 2>/dev/null | sed 's/^/slot /'
walks "$d"
echo "size $($walker du -skL "$d/" 2>/dev/null | cut -f1)"
p=${quote(place.keepIn)}; until [ -d "$p" ]; do p=\${p%/*}; p=\${p:-/}; done
echo "free $(df -P -k "$p" | awk 'NR == 2 { print $4 }')"
${beyondFunction(place)}
look_beyond`;

/**
 * Shell: what was true in the plan is asked again, since a person can promote the server meanwhile. Defines `still_known`, which ends the
 * step as outdated unless all that stands in $d is in a copy that is kept, or on the primary. `noted` and `making` have to be there.
 */
export const stillKnownFunction = (place: RebuildPlace): string => `beyond_now() ( set +e
w=$d/pg_wal
${askFunction(place)}
said=$(ask IDENTIFY_SYSTEM) || exit 0
${timelines}
${beyondFunction(place)}
look_beyond )
still_known() {
  if [ -e "$making" ] || [ ! -e "$d/PG_VERSION" ]; then return 0; fi
  kept=$(noted kept) || exit 1
  if [ -n "$kept" ] && ${isKept('$kept')} && peek cmp -s "$kept/global/pg_control" "$d/global/pg_control"; then return 0; fi
  found=$(beyond_now)
  if [ "$found" != 'beyond none' ]; then echo "$d may hold commits by now that the primary lacks: \${found:-the primary does not answer}" >&2; exit ${outdated}; fi
}`;

const isKept = (copy: string): string =>
  `[ -d "${copy}" ] && [ ! -L "${copy}" ] && [ -s "${copy}/global/pg_control" ]`;

/** Whether what an earlier attempt has kept is a copy of what stands there still. */
const keptProbe = (
  place: RebuildPlace,
): string => `k=$(peek sed -n 's/^kept //p' ${quote(recordFile(place))} 2>/dev/null)
if [ -n "$k" ] && ${isKept('$k')}; then
  if [ -e ${quote(makingFile(place))} ] || peek cmp -s "$k/global/pg_control" "$d/global/pg_control"; then echo 'kept real'; fi
fi`;

/** Our own, and what a base backup that was cut off has left. */
const passing = /^pg(duet|_basebackup)_/;

/** Undefined when the probe could not look. */
export function readRebuild(reply: ProbeReply): RebuildObservation | undefined {
  const data = readDataDirectory(reply);
  if (!data) return undefined;
  const lines = replyLines(reply.stdout);
  const value = lines.first;
  const [systemIdentifier = '', timeline] = (value('source') ?? '').split('|');
  const problem = value('problem') ?? 'it gave no answer';
  const streamed = (reply.sql as { streams?: number | null } | undefined)?.streams;
  const on = (label: string): boolean => value(label)?.trim() === 'on';
  const record = (word: string): string | undefined => value(`record ${word}`);
  const kept = lines.has('kept real') ? record('kept') : undefined;
  const [done, why] = [record('done'), record('why')];
  return {
    data,
    source: timeline ? { systemIdentifier, timeline: Number(timeline) } : { problem: problem.trim() },
    controllerRuns: lines.has('controller runs'),
    streams: timeline !== undefined && streamed === Number(timeline),
    walLogHints: on('wal_log_hints setting:'),
    fullPageWrites: on("Latest checkpoint's full_page_writes:"),
    beyond: readBeyond(value('beyond') ?? 'unknown its WAL could not be read'),
    slots: lines.all('slot').filter((name) => !passing.test(name)),
    size: Number(value('size') ?? 0),
    free: Number(value('free') ?? 0),
    record: { ...(done ? { done } : {}), ...(kept ? { kept } : {}), ...(why ? { why } : {}) },
  };
}
