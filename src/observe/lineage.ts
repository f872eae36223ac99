/**
 * What says where the data of a server comes from: the history file of its timeline, whether a person has begun to put back a backup, and whether
 * its controller has lost its record. A probe like any other, and what its answer means together with the control file. Pure.
 */
import { quote } from '../base/shell.ts';
import type { ControlData } from '../postgres/controldata.ts';
import { firstLineage, historyFile, type Lineage, parseHistory } from '../postgres/lineage.ts';
import type { Probe, ProbeReply } from '../resources/contract/kind.ts';
import { replyLines } from '../resources/contract/replies.ts';
import type { DataDirectoryPlace } from '../resources/data/data-directory.ts';

/** Each of them makes the next start a recovery that a person has begun. */
const backupFiles = ['recovery.signal', 'backup_label'] as const;

export interface Origin {
  /** Undefined where its file is missing or odd: unknown. */
  readonly lineage?: Lineage;
  /** A file that a backup was put back with. */
  readonly restoring?: string;
  /** Its controller has lost its record, and has written none since. */
  readonly torn?: true;
}

/**
 * The control file names at most two timelines: of the last checkpoint, and of the place that its data has to reach. A file of another
 * timeline may have been fetched, and says nothing of this server.
 */
export const originProbe = (place: DataDirectoryPlace): Probe => ({
  shell: `d=${quote(place.dataDir)}; record=${quote(`${place.managementDir}/${place.id}.state.json`)}
if [ ! -f "$record" ] && [ -e "$record.torn" ]; then echo 'torn yes'; fi
[ -f "$d/PG_VERSION" ] || exit 0
for n in ${backupFiles.join(' ')}; do if [ -e "$d/$n" ] || [ -L "$d/$n" ]; then echo "restoring $n"; fi; done
[ -n "$PGBIN" ] || exit 0
for n in $(controldata "$d" | sed -nE "s/^(Latest checkpoint's TimeLineID|Min recovery ending loc's timeline): +([0-9]{1,10})$/\\2/p" | sort -nu); do
if [ "$n" -gt 1 ]; then
n=$(printf %08X "$n").history
peek head -c 65536 "$d/pg_wal/$n" 2>/dev/null | sed "s/^/history $n /"
fi
done`,
});

export function readOrigin(reply: ProbeReply, control: ControlData | undefined): Origin {
  const lines = replyLines(reply.stdout);
  const restoring = lines.first('restoring');
  const lineage = control && lineageOf(lines.all('history'), control.reached.timeline);
  return {
    ...(lineage ? { lineage } : {}),
    ...(restoring ? { restoring } : {}),
    ...(lines.has('torn yes') ? { torn: true } : {}),
  };
}

function lineageOf(lines: readonly string[], timeline: number): Lineage | undefined {
  if (timeline === 1) return firstLineage;
  const own = `${historyFile(timeline)} `;
  const text = lines.filter((line) => line.startsWith(own)).map((line) => line.slice(own.length));
  return parseHistory(timeline, text.join('\n'));
}
