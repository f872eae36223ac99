/** passfile: one line in the password file of the instance administrator, 0600. Lines of others stay as they are. */

import { Secret } from '../../base/secret.ts';
import { quote } from '../../base/shell.ts';
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
}

const codes = { owner: 'FIL003', mode: 'FIL004', open: 'PWD003' } as const;
const nothing: Seen = { path: 'the password file', entries: [] };

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
${desired.state === 'absent' ? `if [ -e "$(unfinished "$PASSFILE")" ]; then printf '%s\\n' ${quote(`${prefix(desired.entry)}unfinished`)}; exit; fi\n` : ''}if [ ! -e "$PASSFILE" ]; then exit; fi
if [ ! -r "$PASSFILE" ]; then echo "no right to read $PASSFILE" >&2; exit 1; fi
while IFS= read -r l || [ -n "$l" ]; do
case $l in ${quote(prefix(desired.entry))}*) printf '%s\\n' "$l";; esac
done < "$PASSFILE"`,
  }),
  read: (reply) => {
    const [path = '', line = '', ...lines] = reply.stdout.split('\n');
    if (reply.status !== 0) return unknown(reply.stderr.trim() || 'the password file could not be read');
    const stat = readStat(line, reply.stderr || 'the password file could not be read');
    if (stat.state === 'unknown') return stat;
    const entries = lines.flatMap((text) => parsePgpassLine(text) ?? []);
    return present({ path, entries, ...(stat.state === 'present' ? { stat: stat.value } : {}) });
  },
  diff: (desired, observed) => {
    const { entries, stat, path } = observed.state === 'absent' ? nothing : observed.value;
    const { host, port, user } = desired.entry;
    if (desired.state === 'absent')
      return entries.length === 0
        ? same('the password file has no line for it')
        : change({
            summary: `remove the password of ${user} for ${host}:${port} from the password file`,
            reason: 'nothing needs it any more',
          });
    const line = lineDifference(desired, entries);
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
      differences: [
        ...(line ? [{ ...line.told, object: `${path} ${host}:${port}`, ...since }] : []),
        ...(stat ? ownershipDifferences(path, wanted, stat, codes) : []),
      ],
    });
  },
  // A shell takes a read error for the end of a file, and the lines behind it would be lost: awk fails.
  steps: (_change, desired) => [
    {
      title: `password of ${desired.entry.user}`,
      script: `rm -f "$(unfinished "$PASSFILE")"
kept=.
if [ -e "$PASSFILE" ]; then kept=$(ours=${quote(prefix(desired.entry))} awk 'index($0, ENVIRON["ours"]) != 1' "$PASSFILE" && echo .) || exit 1; fi
kept=\${kept%.}
mkdir -p "\${PASSFILE%/*}"
${desired.state === 'absent' ? 'if [ -z "$kept" ]; then rm -f "$PASSFILE"; exit 0; fi\n' : ''}put "$PASSFILE" 0600 ${quote(`${desired.owner}:`)} "$kept"${desired.state === 'absent' ? '' : quote(`${pgpassLine(desired.entry)}\n`)}`,
    },
  ],
};

/** Undefined when the one line is there. The passwords are compared and never shown. */
function lineDifference({ entry }: Desired, entries: readonly PgpassEntry[]) {
  const [first, ...more] = entries;
  const declared = `a line for ${entry.user}`;
  if (!first)
    return {
      reason: 'the line is not there',
      told: { code: 'PWD001', declared, found: 'missing' } as const,
    };
  if (more.length === 0 && pgpassLine(first) === pgpassLine(entry)) return undefined;
  const found = more.length > 0 ? `${entries.length} lines` : 'another password';
  return {
    reason: 'the line differs (not shown)',
    told: { code: 'PWD002', declared: `${declared} with the password of the cluster`, found } as const,
  };
}
