/**
 * A single server as it stands before, while and after it is made the primary of a pair. Its files, its surroundings and its content
 * are looked at by the files adopt-look-*.ts beside this one. In: where the inventory says it is. Out: one probe and what its
 * answer means. Shared by the kinds `adopt` and `takeover` and by the survey. Pure.
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
  findDropIns,
  formerMark,
  recordProbe,
  unitOfDropIn,
} from '../data/record.ts';
import { parseAdopted, type RecordSeen, readRecord } from '../data/record-form.ts';
import {
  contentShell,
  contentSql,
  type LiveContent,
  readContent,
  type SeenContent,
} from './adopt-look-content.ts';
import {
  copyShell,
  filesShell,
  filesSql,
  type LiveFiles,
  readSeenFiles,
  type SeenFiles,
  tellingShell,
  walShell,
} from './adopt-look-files.ts';
import { readSurroundings, type SeenSurroundings, surroundingsShell } from './adopt-look-surroundings.ts';
import type { AdoptPlace } from './adopt-place.ts';

/** What the server says of itself. */
export interface LiveSingle extends LiveContent, LiveFiles {
  readonly settings: ReadonlyMap<string, SettingRow>;
  readonly inRecovery: boolean;
}

export interface AdoptObservation extends RecordSeen, SeenFiles, SeenSurroundings, SeenContent {
  readonly running: boolean;
  /** By postmaster.pid: where it really listens. */
  readonly port: number | undefined;
  readonly socketDir: string | undefined;
  readonly mark: boolean;
  readonly recorded: string | undefined;
  readonly systemIdentifier: string | undefined;
  readonly version: number | undefined;
  readonly adopted: Adopted | undefined;
  readonly architecture: string;
  readonly libc: string;
  /** Paths that pgduet makes and that are not there. */
  readonly missing: readonly string[];
  /** Undefined when it could not be asked; `problem` says why. */
  readonly live: LiveSingle | undefined;
  readonly problem: string;
  /** Seconds since 1970, by the host's clock. */
  readonly clock: number;
}

const sql = `select json_build_object(
 'settings', (select json_object_agg(name, ${settingRow}) from pg_settings),
 'inRecovery', pg_is_in_recovery(),
 ${filesSql},
 ${contentSql})`;

const ownClusterFiles = platforms
  .flatMap(({ noOwnCluster }) => (noOwnCluster ? [noOwnCluster.directory, noOwnCluster.path] : []))
  .join(' ');

/**
 * What lies there is read as the instance administrator: an include, or a link, could lead to what only root may read. What he
 * could have written, a name as well, is told in one line or in base64: another line could pass for a word of the probe's own.
 */
const shell = (place: AdoptPlace): string => `d=${quote(place.dataDir)}
${tellingShell}
# Some lines of a plain file in one, each behind a space: \`words 4,5 FILE\`.
words() { if [ -f "$2" ]; then peek sed -n "$1p" "$2" | tr '\\n' ' '; fi; }
echo "clock $(date +%s)"
echo "architecture $(uname -m)"
echo "libc $(getconf GNU_LIBC_VERSION 2>/dev/null)"
if [ -e ${quote(formerMark(place))} ]; then echo mark; fi
if [ -f ${quote(systemFile(place))} ]; then printf 'recorded %s\\n' "$(words 1 ${quote(systemFile(place))})"; fi
${recordProbe(place)}
${findDropIns(place)} | sed 's/^/dropin /'
if [ -f ${quote(adoptedFile(place.dataDir))} ]; then echo "adopted $(peek base64 -w 0 ${quote(adoptedFile(place.dataDir))})"; fi
p=${quote(place.managementDir)}
while [ -n "$p" ] && [ ! -e "$p" ]; do echo "missing $p"; p=\${p%/*}; done
for p in "$PASSFILE" /usr/local/lib/pgduet /usr/local/bin/mc_ctl ${ownClusterFiles}; do
  if [ ! -e "$p" ]; then echo "missing $p"; fi
done
if [ ! -f "$d/PG_VERSION" ]; then exit; fi
printf 'version %s\\n' "$(words 1 "$d/PG_VERSION")"
${walShell(place)}
if [ -n "$PGBIN" ] && [ -f "$d/global/pg_control" ]; then peek "$PGBIN/pg_controldata" -D "$d" | sed -n 's/^Database system identifier: */system /p'; fi
if ! postmaster "$d"; then exit; fi
printf 'running %s\\n' "$(words 4,5 "$d/postmaster.pid")"
${surroundingsShell}
${filesShell}
if [ -f ${quote(systemFile(place))} ]; then exit; fi
${contentShell}
${copyShell}
:`;

export const adoptProbe = (place: AdoptPlace): Probe => ({ shell: shell(place), sql });

interface RawLive extends Omit<LiveSingle, 'settings'> {
  readonly settings: Readonly<Record<string, SettingRow>>;
}

/** Undefined when the host could not be looked at. */
export function readAdoptObservation(reply: ProbeReply): AdoptObservation | undefined {
  const lines = replyLines(reply.stdout);
  const value = (word: string): string | undefined => lines.first(word)?.trim();
  const clock = Number(value('clock') ?? Number.NaN);
  if (reply.status !== 0 || Number.isNaN(clock)) return undefined;
  const [port, socketDir] = (value('running') ?? '').split(' ');
  const version = Number.parseInt(value('version') ?? '', 10);
  const surroundings = readSurroundings(lines);
  const units = lines.all('dropin').map((path) => unitOfDropIn(path.trim()));
  return {
    clock,
    running: value('running') !== undefined,
    port: port ? Number(port) : undefined,
    socketDir: socketDir || undefined,
    mark: lines.has('mark'),
    recorded: value('recorded'),
    systemIdentifier: value('system'),
    version: Number.isNaN(version) ? undefined : version,
    ...readRecord(lines, [...units, ...(surroundings.unit ? [surroundings.unit.name] : [])]),
    adopted: parseAdopted(fromBase64(value('adopted') ?? '')),
    architecture: value('architecture') ?? '',
    libc: value('libc') ?? '',
    missing: lines.all('missing').map((path) => path.trim()),
    ...surroundings,
    ...readSeenFiles(lines),
    ...readContent(lines),
    live: readLive(reply.sql),
    problem: reply.sqlProblem ?? '',
  };
}

function readLive(value: unknown): LiveSingle | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const raw = value as RawLive;
  const settings = new Map(Object.entries(raw.settings).map(([name, row]) => [name.toLowerCase(), row]));
  return { ...raw, settings };
}
