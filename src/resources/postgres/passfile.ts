/**
 * passfile: one line in the password file of the instance administrator, 0600, in front of every other one that would answer
 * in its place: libpq takes the first that fits. Lines of others stay as they are.
 */

import { Secret } from '../../base/secret.ts';
import { assigned, quote, sh } from '../../base/shell.ts';
import { type PgpassEntry, parsePgpassLine, pgpassLine } from '../../postgres/pgpass.ts';
import { oneOf, secret, text } from '../contract/field.ts';
import { type DesiredOf, fieldsOnServer } from '../contract/fields.ts';
import { change, present, type ResourceKind, same, unknown } from '../contract/kind.ts';
import { ownershipDifference, ownershipDifferences, readStat, type Stat } from '../contract/stat.ts';

const fields = fieldsOnServer(
  {
    owner: text('the instance administrator'),
    host: text('first field of the line'),
    port: text('second field'),
    database: text('third field'),
    user: text('fourth field'),
    password: secret('the fifth field: `!secret replication_password`'),
    state: oneOf(['present', 'absent'], 'whether it has to be there', 'present'),
  },
  ({ owner, state, password = new Secret(''), ...rest }) => ({ owner, state, entry: { ...rest, password } }),
);
type Desired = DesiredOf<typeof fields>;

interface Seen {
  /** Where the password file of this host is. */
  readonly path: string;
  /** Absent where there is no such file. */
  readonly stat?: Stat;
  readonly entries: readonly PgpassEntry[];
  /** Number of a line of others that libpq takes in place of ours. */
  readonly before?: number;
}

const codes = { owner: 'FIL003', mode: 'FIL004', open: 'PWD003' } as const;
const nothing: Seen = { path: 'the password file', entries: [] };

/** As libpq walks along a line (`postgres/pgpass.ts`): prints the number of the first one that answers, where that is none of ours. */
const firstAnswer = String.raw`function behind(line, word,  i, at) {
  if (substr(line, 1, 2) == "*:") return substr(line, 2)
  at = 1
  for (i = 1; i <= length(word); i++) {
    if (substr(line, at, 1) == "\\") at++
    if (substr(line, at, 1) != substr(word, i, 1)) return ""
    at++
  }
  return substr(line, at, 1) == ":" ? substr(line, at) : ""
}
BEGIN { split(ENVIRON["asked"], words, "\n") }
/^#/ { next }
{ rest = ":" $0; for (n = 1; n <= 4 && rest != ""; n++) rest = behind(substr(rest, 2), words[n]) }
rest != "" { if (index($0, ENVIRON["ours"]) != 1) print "before " NR; exit }`;

const orderScript = ({ entry }: Desired): string => {
  const { host, port, database, user } = entry;
  const words = [
    ['asked', [host, port, database, user].join('\n')],
    ['ours', prefix(entry)],
  ] as const;
  return `case $text in *'
'*) printf '%s\\n' "$text" | LC_ALL=C ${words.map(assigned).join(' ')} awk ${quote(firstAnswer)};; esac`;
};

/** What a killed controller has left of a write of its own; as long as one runs, it is under way, or the next start removes it. */
const ofController = '"${PASSFILE%/*}/.${PASSFILE##*/}.controller.pgduet-tmp"';

const prefix = (entry: PgpassEntry): string => pgpassLine({ ...entry, password: new Secret('') });

export const passfile: ResourceKind<Desired, Seen> = {
  kind: 'passfile',
  summary: 'A line in the password file of the instance administrator.',
  fields,
  key: (desired) => prefix(desired.entry),
  describe: (desired) => `password of ${desired.entry.user} for ${desired.entry.host}:${desired.entry.port}`,
  // Only the lines of our own role are read out; other people's passwords stay where they are.
  // A write that was cut off has left a file that holds the password; it goes with the line.
  // The path comes first: only the host knows the home of the administrator.
  probe: (desired) => ({
    shell: `printf '%s\\n' "$PASSFILE"
observation "$PASSFILE" || exit 1
${desired.state === 'absent' ? `if [ -e "$(unfinished "$PASSFILE")" ] || [ -e ${ofController} ]; then printf '%s\\n' ${quote(`${prefix(desired.entry)}unfinished`)}; exit; fi\n` : ''}if [ ! -e "$PASSFILE" ]; then exit; fi
if [ ! -f "$PASSFILE" ]; then echo "$PASSFILE is no file" >&2; exit 1; fi
if [ ! -r "$PASSFILE" ]; then echo "no right to read $PASSFILE" >&2; exit 1; fi
if ! text=$(text_of "$PASSFILE"); then
if [ -z "$ROOT" ] || peek test -r "$PASSFILE"; then exit 1; fi
${closed(desired)}
fi
printf '%s\\n' "$text" | while IFS= read -r l; do
case $l in ${quote(prefix(desired.entry))}*) printf '%s\\n' "$l";; esac
done
${desired.state === 'absent' ? '' : orderScript(desired)}`,
  }),
  read: (reply) => {
    const [path = '', line = '', ...lines] = reply.stdout.split('\n');
    if (reply.status !== 0) return unknown(reply.stderr.trim() || 'the password file could not be read');
    const stat = readStat(line, reply.stderr || 'the password file could not be read');
    if (stat.state === 'unknown') return stat;
    const before = lines.find((text) => text.startsWith('before '));
    return present({
      path,
      entries: lines.flatMap((text) => parsePgpassLine(text) ?? []),
      ...(before === undefined ? {} : { before: Number(before.slice('before '.length)) }),
      ...(stat.state === 'present' ? { stat: stat.value } : {}),
    });
  },
  diff: (desired, observed) => {
    const seen = observed.state === 'absent' ? nothing : observed.value;
    const { entries, stat, path } = seen;
    const { host, port, user } = desired.entry;
    if (desired.state === 'absent')
      return entries.length === 0
        ? same('the password file has no line for it')
        : change({
            summary: `remove the password of ${user} for ${host}:${port} from the password file`,
            reason: 'nothing needs it any more',
          });
    const line = lineDifference(desired, seen);
    const wanted = { owner: desired.owner, mode: '0600' };
    const ownership = stat && ownershipDifference(wanted, stat);
    if (!line && !ownership) return same('the line is there');
    const since = stat ? { since: stat.modified } : {};
    return change({
      summary: `write the password of ${user} for ${host}:${port} to the password file (0600)`,
      reason: [
        ...(line ? [stat ? line.reason : 'the file is not there'] : []),
        ...(ownership
          ? [`${ownership}: PostgreSQL ignores a file of others, or that is open to others`]
          : []),
      ].join('; '),
      ...(stat && stat.owner !== desired.owner
        ? {
            notes: [
              `${path} belongs to ${stat.owner}: if ${desired.owner} may not read it, it is put aside beside its place`,
            ],
          }
        : {}),
      differences: [
        ...(line ? [{ ...line.told, object: `${path} ${host}:${port}`, ...since }] : []),
        ...(stat ? ownershipDifferences(path, wanted, stat, codes) : []),
      ],
    });
  },
  steps: (_change, desired) => [
    {
      title: `password of ${desired.entry.user}`,
      script: rewriteScript(desired),
    },
  ],
};

const rewriteScript = (desired: Desired): string =>
  `printf '%s\\004' ${quote(desired.state === 'absent' ? '' : `${pgpassLine(desired.entry)}\n`)} | acting "$PASSFILE" ${quote(`${desired.owner}:`)} received eval ${quote(rewriting(desired))}`;

/** Shell: the password file has no line for it any more. */
export const withoutEntry = (owner: string, entry: PgpassEntry): string =>
  rewriteScript({ owner, state: 'absent', entry });

/** All lines but ours, and the last one without a line end where it has none. */
const others = `{ if (is) print line; is = index($0, ENVIRON["ours"]) != 1; line = $0 }
END { if (is) printf "%s%s", line, (ended > 0 ? "\\n" : "") }`;

/**
 * As the administrator, the line in `text`, which comes first: what that user cannot read does not get into the file. Such a
 * file served nobody, and is put aside as a whole; our line cannot be taken out of it. A shell takes a read error for
 * the end of a file, and the lines behind it would be lost: awk fails.
 */
const rewriting = ({
  entry,
  owner,
  state,
}: Desired): string => `rm -f "$(unfinished "$PASSFILE")"${state === 'absent' ? ` ${ofController}` : ''}
if { [ -e "$PASSFILE" ] || [ -L "$PASSFILE" ]; } && [ ! -r "$PASSFILE" ]; then
${state === 'absent' ? sh`echo "$PASSFILE cannot be read by "${owner} >&2; exit 1` : `mv -fT "$PASSFILE" "$PASSFILE.closed-$(date -u +%Y%m%dT%H%M%SZ)"`}
fi
kept=.
if [ -e "$PASSFILE" ]; then kept=$(ours=${quote(prefix(entry))} timeout 20 awk -v ended="$(timeout 20 tail -c 1 "$PASSFILE" | wc -l)" ${quote(others)} "$PASSFILE" && echo .) || exit 1; fi
text=$text\${kept%.}
if [ -z "$text" ]; then rm -f "$PASSFILE"; exit 0; fi
mkdir -p "\${PASSFILE%/*}"
place "$PASSFILE" 0600 ${quote(`${owner}:`)}`;

/** What he cannot read gives no server a password: for him no line is there. Whether one has to be taken out of it is not known. */
const closed = ({ owner, state }: Desired): string =>
  state === 'absent' ? sh`echo "$PASSFILE cannot be read by "${owner} >&2; exit 1` : 'exit 0';

/** Undefined when the one line is there, and answers. The passwords are compared and never shown. */
function lineDifference({ entry }: Desired, { entries, before }: Seen) {
  const [first, ...more] = entries;
  const declared = `a line for ${entry.user}`;
  if (!first)
    return {
      reason: 'the line is not there',
      told: { code: 'PWD001', declared, found: 'missing' } as const,
    };
  if (more.length > 0 || pgpassLine(first) !== pgpassLine(entry)) {
    const found = more.length > 0 ? `${entries.length} lines` : 'another password';
    return {
      reason: 'the line differs (not shown)',
      told: { code: 'PWD002', declared: `${declared} with the password of the cluster`, found } as const,
    };
  }
  if (before === undefined) return undefined;
  const found = `line ${before} answers in its place`;
  return {
    reason: `${found}: PostgreSQL takes the first one that fits`,
    told: { code: 'PWD004', declared: `${declared} in front of others that fit`, found } as const,
  };
}
