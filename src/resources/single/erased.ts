/**
 * erased: the data of a server is deleted: data directory, WAL directory, and its part of every tablespace. Refused unless it
 * is the data of a standby of the server that stays; that this one has all of it is proven there, by kind `holds`. The mark
 * `<id>.making` stands from the first deletion on: what is half deleted is never started, and the next run goes on.
 */
import { type Advised, advised, fixOf, here } from '../../base/command.ts';
import type { Diagnostic } from '../../base/diagnostic.ts';
import { quote } from '../../base/shell.ts';
import { formatBytes } from '../../base/units.ts';
import { quoteLiteral } from '../../postgres/quote.ts';
import { flag, oneOf, optional, text, wordList } from '../contract/field.ts';
import { type DesiredOf, serverFields } from '../contract/fields.ts';
import { absent, change, present, type ResourceKind, refuse, same, unknown } from '../contract/kind.ts';
import {
  type DataDirectory,
  dataDirectoryProbe,
  readDataDirectory,
  readRecords,
  unidentified,
  unreadable,
} from '../data/data-directory.ts';
import { placeFunctions } from '../data/data-places.ts';
import { expendableFunction } from '../data/making.ts';
import { besideFunction, inTheWay, othersInTheWay, sameFiles, wipeFunctions } from '../data/own-files.ts';
import {
  anotherCluster,
  isMissing,
  lostPlace,
  missingData,
  notExpendable,
  unreadRecord,
} from '../data/refusals.ts';
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
    same: sameFiles,
    slots: wordList('names of slots that are our own: of its others is told that they go'),
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
  /** Slots of others, as far as the server runs and tells. */
  readonly slots: readonly string[];
}

/** One that follows a slot of the primary, from PostgreSQL 17 on, is there as well. */
const slotsQuery = (
  slots: readonly string[],
): string => `select coalesce(json_agg((j->>'slot_name') || ' (' || (j->>'slot_type') || ')' order by j->>'slot_name'), '[]')
 from (select to_jsonb(s) j from pg_replication_slots s) t where not (j->>'temporary')::boolean and not coalesce((j->>'synced')::boolean, false)
 and (j->>'slot_name') <> all (array[${slots.map(quoteLiteral).join(', ')}]::text[])`;

export const erased: ResourceKind<Desired, Seen> = {
  kind: 'erased',
  summary:
    'The data of a server is deleted: data directory, WAL directory, tablespaces. Refused unless another server is proven to have it.',
  fields,
  key: (desired) => desired.dataDir,
  describe: (desired) => `no data in ${desired.dataDir}`,
  touches: (desired) => desired.dataDir,
  probe: (desired) => ({ shell: probeScript(desired), sql: slotsQuery(desired.slots) }),
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
    const known = !isMissing(data) && data.making !== unreadable;
    if (data.content === 'absent' && places.length === 0 && !orphan && known) return absent;
    const slots = Array.isArray(reply.sql) ? (reply.sql as readonly string[]) : [];
    return present({ data, orphan, mount: lines.includes('mount'), places, slots });
  },
  diff: (desired, observed) => {
    if (observed.state === 'absent') return same(`${desired.id}: no data in ${desired.dataDir}`);
    const { data, mount, places, slots } = observed.value;
    const known = !isMissing(data) && data.making !== unreadable;
    if (data.content === 'empty' && mount && places.length <= 1 && known)
      return same(`${desired.id}: ${desired.dataDir} is an empty mount point`);
    const problem = obstacle(desired, data);
    if (problem) return refuse(problem);
    const system = data.control?.systemIdentifier;
    return change({
      summary: `delete the data of ${desired.id} in ${desired.dataDir}${system ? ` (system identifier ${system})` : ''}`,
      reason: reasonFor(desired, data),
      notes: [
        ...places.map(({ kind, bytes, path }) => `${words[kind]} ${path}, ${formatBytes(bytes)}`),
        ...(slots.length > 0
          ? [`its replication slots go with it, and whoever reads from them begins anew: ${slots.join(', ')}`]
          : []),
      ],
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

const no = (
  desired: Desired,
  what: string,
  why: string,
  fix: string | Advised,
  evidence: readonly string[] = [],
) =>
  ({
    code: 'SAF020',
    what: `the data of '${desired.id}' in ${desired.dataDir} cannot be deleted: ${what}`,
    why,
    ...fixOf(fix),
    evidence,
  }) as const;

const orKeep = (problem: Diagnostic): Diagnostic => ({
  ...problem,
  fix: `${problem.fix} Or leave all of it as it is: --keep-data.`,
});

const isKnown = (system: string | undefined): boolean => system !== undefined && system !== '';

function obstacle(desired: Desired, data: DataDirectory) {
  const { proof, keeper, systemIdentifier } = desired;
  const unread = unreadRecord(desired.dataDir, desired, data);
  if (unread) return orKeep(unread);
  const others = inTheWay(desired.dataDir, data.besides ?? [], desired.same);
  const problem = othersInTheWay(
    `the data of '${desired.id}'`,
    others,
    "nothing is deleted that is not provably PostgreSQL's own",
  );
  if (problem) return orKeep(problem);
  if (isMissing(data)) return orKeep(missingData(desired.dataDir, desired, data));
  const lost = lostPlace(desired.dataDir, desired, data);
  if (lost) return orKeep(lost);
  if (data.making !== undefined)
    return notExpendable(desired.dataDir, data, [systemIdentifier, data.recorded].filter(isKnown));
  if (data.content === 'empty' || data.content === 'absent') return undefined;
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
    return anotherCluster(desired.id, desired.dataDir, data, data.recorded);
  if (proof === 'none')
    return data.recorded === undefined
      ? anotherCluster(desired.id, desired.dataDir, data, undefined)
      : undefined;
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
      advised`Make it a standby first, which keeps what it alone has: ${here`pgduet rebuild ${desired.id}`}; or leave the data where it is: --keep-data.`,
      [`state: ${data.control?.state ?? 'unknown'}`, `timeline: ${data.control?.reached.timeline ?? '?'}`],
    );
  return undefined;
}

const variables = (desired: Desired): string =>
  `d=${quote(desired.dataDir)}
${vacating}
${placeFunctions(desired)}`;

const probeScript = (desired: Desired): string => `( ${dataDirectoryProbe(desired)} ) || exit 1
${variables(desired)}
${besideFunction(desired.version)}
size() { walks "$1"; $walker du -skx "$1/" 2>/dev/null | cut -f1; }
tell_others
if mountpoint -q "$d" 2>/dev/null; then echo mount; fi
if [ -d "$d" ]; then echo "place data $(size "$d") $d"; fi
if [ -d "$d" ] || [ -e "$making" ]; then wal | while IFS= read -r line; do of=\${line%% *}; p=\${line#* }; if vacant "$p" || [ -n "$(ls -A "$p")" ]; then echo "place wal $(size "$p") $p"; fi; done; fi
sizes() { for p in "$1"/PG_${desired.version}_*; do if [ -d "$p" ]; then printf 'place tablespace %s\n' "$(size "$p") $p"; fi; done; }
each_space sizes || exit 1
if orphan "$d"; then echo orphan; fi
echo looked`;

/**
 * All of it is looked at again before the mark is set. Tablespaces first, then WAL, since the links to them stand in the data
 * directory; that goes last, and with a link that leads to it the link.
 */
const eraseScript = (desired: Desired): string => `${variables(desired)}
${wipeFunctions(desired)}
${expendableFunction}
his() { [ "$(stat -c %U "$1")" = ${quote(desired.owner)} ]; }
if postmaster "$d"; then echo "a server runs in $d (process $pid)" >&2; exit 1; fi
${desired.proof === 'none' ? '' : stillStandby(desired)}
${readRecords(desired)}
if [ -n "$mark" ]; then expendable "$mark" ${quote(desired.systemIdentifier ?? '')} "$recorded"; fi
if [ -n "$recorded" ] && [ ! -e "$making" ] && [ ! -e "$d/PG_VERSION" ]; then echo "the data is not in $d: is a disk not mounted?" >&2; exit 1; fi
only_own
if [ ! -d ${quote(desired.managementDir)} ]; then directory ${quote(desired.managementDir)} 0700 ${quote(`${desired.owner}:`)}; fi
as ${quote(desired.owner)} rm -f "$d/postmaster.opts"
put "$making" 0600 ${quote(`${desired.owner}:`)} erase
sync -f ${quote(desired.managementDir)}
places=$(spaces) || exit 1
printf '%s\n' "$places" | while IFS= read -r s; do if [ -d "$s" ]; then wipe tablespace "$s"; if his "$s"; then vacate "$s"; fi; fi; done
wal | while IFS= read -r line; do of=\${line%% *}; p=\${line#* }; if [ "$of" = wal ]; then wipe wal "$p"; fi; if his "$p"; then vacate "$p"; vacate_above "$p"; fi; done
if [ ! -e "$d" ]; then vacate_above "$d"; exit 0; fi
wipe data "$d"
real=$(readlink -f "$d")
if ! mountpoint -q "$real"; then acting "$real" ${quote(desired.owner)} rmdir "$real"; vacate_above "$real"; fi
if [ -L "$d" ]; then acting "$d" ${quote(desired.owner)} rm -f "$d"; vacate_above "$d"; fi`;

/** What was seen in the plan is looked at once more, at the last moment. */
const stillStandby = (desired: Desired): string => `if [ -e "$d/PG_VERSION" ] && [ ! -e "$making" ]; then
  if [ ! -f "$d/standby.signal" ]; then echo "$d is no standby" >&2; exit 1; fi
  system=$(peek "$PGBIN/pg_controldata" -D "$d" | sed -n 's/^Database system identifier: *//p')
  if [ "$system" != ${quote(desired.systemIdentifier ?? '')} ]; then echo "$d is of another cluster: $system" >&2; exit 1; fi
fi`;
