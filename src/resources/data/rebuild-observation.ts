/**
 * What is looked at on a server that is to be rebuilt: its data, what it knows that the primary does not, and whether the
 * primary answers it. The questions to the primary go over its walsender, with the rights of the standby itself. Pure.
 */

import { quote } from '../../base/shell.ts';
import { serverConninfo } from '../../postgres/conninfo.ts';
import type { ProbeReply } from '../contract/kind.ts';
import { controllerPidFile } from '../contract/preamble.ts';
import { replyLines } from '../contract/replies.ts';
import {
  type DataDirectory,
  type DataDirectoryPlace,
  dataDirectoryProbe,
  readDataDirectory,
} from './data-directory.ts';

export interface RebuildPlace extends DataDirectoryPlace {
  readonly owner: string;
  /** The primary's log transfer address and port, and the role that replicates. */
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** Where a copy is put aside, if one is needed: its parent directory. */
  readonly keepIn: string;
}

/** What its WAL holds that the primary's history does not. Unknown counts as much. */
export type Beyond =
  | { readonly kind: 'none' }
  | { readonly kind: 'commits'; readonly count: number }
  | { readonly kind: 'unknown'; readonly reason: string };

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
  /** Kilobytes. */
  readonly size: number;
  readonly free: number;
  /** What an earlier attempt wrote down. */
  readonly record: { readonly done?: string; readonly kept?: string; readonly why?: string };
}

export const recordFile = (place: DataDirectoryPlace): string => `${place.managementDir}/${place.id}.rebuild`;

export const streamQuery = `select json_build_object('streams', coalesce((select status = 'streaming' from pg_stat_wal_receiver), false))`;

/** Prints "word value" lines behind those of the data directory. Only reads; what it asks the primary only reads, too. */
export function rebuildProbe(place: RebuildPlace): string {
  const source = serverConninfo(place, 'pgduet_rebuild', {
    // The name under which the password file knows replication.
    dbname: 'replication',
    replication: 'true',
    connect_timeout: 5,
  });
  return `( ${dataDirectoryProbe(place)} ) || exit 1
d=${quote(place.dataDir)}; w=$d/pg_wal
sed 's/^/record /' ${quote(recordFile(place))} 2>/dev/null
if controller ${quote(controllerPidFile(place))}; then echo 'controller runs'; fi
[ -n "$PGBIN" ] || exit 0
export PGPASSFILE="$PASSFILE"
ask() { as ${quote(place.owner)} "$PGBIN/psql" -X -q -A -t -w -d ${quote(source)} -c "$1" 2>&1; }
if said=$(ask IDENTIFY_SYSTEM); then echo "source $said"; else echo "problem $(echo "$said" | tr '\\n' ' ')"; exit 0; fi
[ -f "$d/PG_VERSION" ] || exit 0
now=$(echo "$said" | cut -d'|' -f2)
history=; if [ "$now" -gt 1 ]; then history=$(ask "TIMELINE_HISTORY $now" | sed 's/^[0-9A-F]*\\.history|//' | grep -E '^[0-9]+[[:space:]]'); fi
echo "size $(du -skL "$d/" 2>/dev/null | cut -f1)"
p=${quote(place.keepIn)}; until [ -d "$p" ]; do p=\${p%/*}; p=\${p:-/}; done
echo "free $(df -P -k "$p" | awk 'NR == 2 { print $4 }')"
last=$(ls "$w" | grep -E '^[0-9A-F]{24}$' | cut -c1-8 | sort | tail -n 1)
if [ -z "$last" ]; then echo 'beyond unknown it has no WAL'; exit 0; fi
mine=$((0x$last))
${divergence(place)}`;
}

/** Its WAL is read from where the primary left its last timeline: every commit behind that is on this server alone. */
const divergence = (place: RebuildPlace): string => `look_beyond() {
if [ "$mine" = "$now" ]; then
  own=$(grep -E '^[0-9]+[[:space:]]' "$w/$last.history" 2>/dev/null)
  if [ "$own" = "$history" ] || [ "$now" = 1 ]; then echo 'beyond none'; else echo "beyond unknown its timeline $mine is not the one of the primary"; fi
  return
fi
fork=$(printf '%s\\n' "$history" | awk -v t="$mine" '$1 == t { print $2 }')
if [ -z "$fork" ]; then echo "beyond unknown its timeline $mine is no part of the primary's history"; return; fi
bytes=$("$PGBIN/pg_controldata" -D "$d" | sed -n 's/^Bytes per WAL segment: *//p')
segment=$(printf '%s%08X%08X' "$last" $((0x\${fork%/*})) $((0x\${fork#*/} / bytes)))
if [ ! -e "$w/$segment" ]; then
  later=$(ls "$w" | grep -E "^$last[0-9A-F]{16}$" | awk -v s="$segment" '$0 > s')
  if [ -z "$later" ]; then echo 'beyond none'; else echo "beyond unknown its WAL file $segment is gone"; fi
  return
fi
commits=$(as ${quote(place.owner)} "$PGBIN/pg_waldump" -p "$w" -t "$mine" -s "$fork" -r Transaction 2>/dev/null | grep -c 'desc: COMMIT')
if [ "$commits" -gt 0 ]; then echo "beyond commits $commits"; else echo 'beyond none'; fi
}
look_beyond`;

/** Undefined when the probe could not look. */
export function readRebuild(reply: ProbeReply): RebuildObservation | undefined {
  const data = readDataDirectory(reply);
  if (!data) return undefined;
  const lines = replyLines(reply.stdout);
  const value = lines.first;
  const [systemIdentifier = '', timeline] = (value('source') ?? '').split('|');
  const problem = value('problem') ?? 'it gave no answer';
  const on = (label: string): boolean => value(label)?.trim() === 'on';
  const record = (word: string): string | undefined => value(`record ${word}`);
  const [done, kept, why] = [record('done'), record('kept'), record('why')];
  return {
    data,
    source: timeline ? { systemIdentifier, timeline: Number(timeline) } : { problem: problem.trim() },
    controllerRuns: lines.has('controller runs'),
    streams: (reply.sql as { streams?: boolean } | undefined)?.streams === true,
    walLogHints: on('wal_log_hints setting:'),
    fullPageWrites: on("Latest checkpoint's full_page_writes:"),
    beyond: readBeyond(value('beyond') ?? 'unknown its WAL could not be read'),
    size: Number(value('size') ?? 0),
    free: Number(value('free') ?? 0),
    record: { ...(done ? { done } : {}), ...(kept ? { kept } : {}), ...(why ? { why } : {}) },
  };
}

function readBeyond(text: string): Beyond {
  const commits = /^commits (\d+)$/.exec(text);
  if (commits) return { kind: 'commits', count: Number(commits[1]) };
  return text === 'none' ? { kind: 'none' } : { kind: 'unknown', reason: text.replace(/^unknown /, '') };
}
