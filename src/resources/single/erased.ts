/**
 * erased: the data of a server is deleted: data directory, WAL directory, and its part of every tablespace. Refused unless it
 * is the data of a standby of the server that stays; that this one has all of it is proven there, by kind `holds`. The mark
 * `<id>.making` stands from the first deletion on: what is half deleted is never started, and the next run goes on.
 */
import { quote } from '../../base/shell.ts';
import { formatBytes } from '../../base/units.ts';
import { flag, oneOf, optional, text } from '../contract/field.ts';
import { type DesiredOf, serverFields } from '../contract/fields.ts';
import { absent, change, present, type ResourceKind, refuse, same, unknown } from '../contract/kind.ts';
import {
  type DataDirectory,
  dataDirectoryProbe,
  makingFile,
  readDataDirectory,
  unidentified,
} from '../data/data-directory.ts';
import { anotherCluster } from '../data/refusals.ts';
import { vacating } from '../system/vacate.ts';

const fields = serverFields(
  {
    proof: oneOf(
      ['standby', 'later', 'none'],
      '`standby`: it has to be a standby of the keeper, which `holds` proves to have all of it; `later`: the keeper becomes primary first; `none`: the whole cluster goes',
      'standby',
    ),
    keeper: optional(text('name of the server that stays; needed unless `proof` is `none`')),
    system_identifier: optional(
      text("the keeper's, as it was seen; data of another cluster is never touched"),
    ),
    serves: flag('`true` if the keeper runs as primary', false),
  },
  (values, { server }, problem) => {
    if (values.proof !== 'none' && values.keeper === undefined)
      problem('keeper', 'the server that has the data too is missing', "Write 'keeper: server1'.");
    return { ...server, ...values };
  },
);
type Desired = DesiredOf<typeof fields>;

interface Place {
  readonly kind: 'data' | 'wal' | 'tablespace';
  readonly bytes: number;
  readonly path: string;
}

interface Seen {
  readonly data: DataDirectory;
  readonly mount: boolean;
  /** It is gone, and the empty directory that it stood in is not. */
  readonly orphan: boolean;
  readonly places: readonly Place[];
}

export const erased: ResourceKind<Desired, Seen> = {
  kind: 'erased',
  summary:
    'The data of a server is deleted: data directory, WAL directory, tablespaces. Refused unless another server is proven to have it.',
  fields,
  key: (desired) => desired.dataDir,
  describe: (desired) => `no data in ${desired.dataDir}`,
  touches: (desired) => desired.dataDir,
  probe: (desired) => ({ shell: probeScript(desired) }),
  read: (reply) => {
    const data = readDataDirectory(reply);
    const lines = reply.stdout.split('\n');
    if (!data || !lines.includes('looked'))
      return unknown(reply.stderr.trim() || 'the data directory could not be looked at');
    const problem = unidentified(data);
    if (problem) return unknown(problem);
    const places = lines.flatMap((line): readonly Place[] => {
      const match = /^place (data|wal|tablespace) (\d+) (.+)$/.exec(line);
      return match
        ? [{ kind: match[1] as Place['kind'], bytes: Number(match[2]) * 1024, path: match[3] ?? '' }]
        : [];
    });
    const orphan = lines.includes('orphan');
    if (data.content === 'absent' && places.length === 0 && !orphan) return absent;
    return present({ data, orphan, mount: lines.includes('mount'), places });
  },
  diff: (desired, observed) => {
    if (observed.state === 'absent') return same(`${desired.id}: no data in ${desired.dataDir}`);
    const { data, mount, places } = observed.value;
    if (data.content === 'empty' && mount && places.length <= 1)
      return same(`${desired.id}: ${desired.dataDir} is an empty mount point`);
    const problem = obstacle(desired, data);
    if (problem) return refuse(problem);
    const system = data.control?.systemIdentifier;
    return change({
      summary: `delete the data of ${desired.id} in ${desired.dataDir}${system ? ` (system identifier ${system})` : ''}`,
      reason: reasonFor(desired, data),
      notes: places.map(({ kind, bytes, path }) => `${words[kind]} ${path}, ${formatBytes(bytes)}`),
    });
  },
  steps: (_change, desired) => [
    { title: `delete the data in ${desired.dataDir}`, script: eraseScript(desired) },
  ],
};

const words: Readonly<Record<Place['kind'], string>> = {
  data: 'data directory',
  wal: 'WAL in',
  tablespace: 'tablespace in',
};

function reasonFor({ proof, keeper }: Desired, data: DataDirectory): string {
  if (data.making !== undefined) return `unfinished: ${data.making}`;
  if (data.content !== 'cluster') return `the directory is ${data.content}`;
  if (proof === 'none') return 'the whole cluster goes';
  return proof === 'later'
    ? `${keeper} is made to serve as primary first, and then has all of it`
    : `it is a standby of ${keeper}, which has all of it`;
}

const no = (desired: Desired, what: string, why: string, fix: string, evidence: readonly string[] = []) =>
  ({
    code: 'SAF020',
    what: `the data of '${desired.id}' in ${desired.dataDir} cannot be deleted: ${what}`,
    why,
    fix,
    evidence,
  }) as const;

function obstacle(desired: Desired, data: DataDirectory) {
  const { proof, keeper, systemIdentifier } = desired;
  if (data.making !== undefined || data.content === 'empty' || data.content === 'absent') return undefined;
  if (data.content !== 'cluster')
    return {
      code: 'SAF002',
      what: `the data directory '${desired.dataDir}' holds files that are not PostgreSQL's`,
      why: 'they would be deleted with it',
      fix: 'Move them away, or leave the directory as it is: --keep-data.',
      evidence: data.files.map((name) => `found: ${name}`),
    } as const;
  const system = data.control?.systemIdentifier;
  if (data.recorded !== undefined && data.recorded !== system)
    return anotherCluster(desired.dataDir, data, data.recorded);
  if (proof === 'none')
    return data.recorded === undefined ? anotherCluster(desired.dataDir, data, undefined) : undefined;
  if (system !== systemIdentifier)
    return no(
      desired,
      `it is of another cluster than that of ${keeper}`,
      'nothing there holds what is in it',
      'Look whose data it is; leave it as it is: --keep-data.',
      [`${desired.id}: ${system ?? 'unknown'}`, `${keeper}: ${systemIdentifier ?? 'unknown'}`],
    );
  if (proof === 'later') return undefined;
  if (!desired.serves)
    return no(
      desired,
      `${keeper} does not run as primary`,
      'nobody can say whether the data is there, too',
      `Start ${keeper}, or promote it, then run the same command again.`,
    );
  if (!data.standbySignal)
    return no(
      desired,
      'it was primary, and has not been made a standby since',
      `it may hold commits that ${keeper} lacks`,
      `Make it a standby first, which keeps what it alone has: pgduet rebuild ${desired.id}; or leave the data where it is: --keep-data.`,
      [`state: ${data.control?.state ?? 'unknown'}`, `timeline: ${data.control?.timeline ?? '?'}`],
    );
  return undefined;
}

/** Shell: defines `spaces`, the directories of this cluster in its tablespaces: their names carry its catalog version. */
const findSpaces = ({ version }: Desired): string => `spaces() {
  cat=$("$PGBIN/pg_controldata" -D "$d" 2>/dev/null | sed -n 's/^Catalog version number: *//p')
  for l in "$d"/pg_tblspc/*; do
    if [ -L "$l" ]; then for s in "$(readlink -f "$l")"/PG_${version}_\${cat:-*}; do if [ -d "$s" ]; then printf '%s\\n' "$s"; fi; done; fi
  done
}
wal() { w=$W; if [ -L "$d/pg_wal" ]; then w=$(readlink -f "$d/pg_wal"); fi; if [ -n "$w" ] && [ -d "$w" ]; then printf '%s\\n' "$w"; fi; }`;

const variables = (desired: Desired): string =>
  `d=${quote(desired.dataDir)}; W=${desired.walDir ? quote(desired.walDir) : ''}; making=${quote(makingFile(desired))}`;

const probeScript = (desired: Desired): string => `( ${dataDirectoryProbe(desired)} ) || exit 1
${variables(desired)}
${vacating}
${findSpaces(desired)}
size() { du -skx "$1" 2>/dev/null | cut -f1; }
if mountpoint -q "$d" 2>/dev/null; then echo mount; fi
if [ -d "$d" ]; then echo "place data $(size "$d") $d"; fi
if [ -d "$d" ] || [ -e "$making" ]; then wal | while IFS= read -r p; do echo "place wal $(size "$p") $p"; done; fi
if [ -e "$d/PG_VERSION" ]; then spaces | while IFS= read -r p; do echo "place tablespace $(size "$p") $p"; done; fi
if orphan "$d"; then echo orphan; fi
echo looked`;

/** Tablespaces first, since the links to them stand in the data directory; that goes last. */
const eraseScript = (desired: Desired): string => `${vacating}
${variables(desired)}
${findSpaces(desired)}
if postmaster "$d"; then echo "a server runs in $d (process $pid)" >&2; exit 1; fi
${desired.proof === 'none' ? '' : stillStandby(desired)}
if [ ! -e "$making" ]; then
  if [ ! -d ${quote(desired.managementDir)} ]; then mkdir -p ${quote(desired.managementDir)}; chown ${quote(`${desired.owner}:`)} ${quote(desired.managementDir)}; chmod 0700 ${quote(desired.managementDir)}; fi
  put "$making" 0600 ${quote(`${desired.owner}:`)} erase
  sync -f ${quote(desired.managementDir)}
fi
spaces | while IFS= read -r p; do
  rm -rf --one-file-system "$p" "\${p%/*}/pgsql_tmp_mc_disk_check"
  vacate "\${p%/*}"
done
empty() { find "$1" -xdev -mindepth 1 -delete; if ! mountpoint -q "$1"; then rmdir "$1"; vacate_above "$1"; fi; }
wal | while IFS= read -r p; do empty "$p"; done
if [ -d "$d" ]; then empty "$d"; else vacate_above "$d"; fi`;

/** What was seen in the plan is looked at once more, at the last moment. */
const stillStandby = (desired: Desired): string => `if [ -e "$d/PG_VERSION" ] && [ ! -e "$making" ]; then
  if [ ! -f "$d/standby.signal" ]; then echo "$d is no standby" >&2; exit 1; fi
  system=$("$PGBIN/pg_controldata" -D "$d" | sed -n 's/^Database system identifier: *//p')
  if [ "$system" != ${quote(desired.systemIdentifier ?? '')} ]; then echo "$d is of another cluster: $system" >&2; exit 1; fi
fi`;
