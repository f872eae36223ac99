/** passfile: one line in the password file of the instance administrator, 0600. Lines of others stay as they are. */

import { Secret } from '../base/secret.ts';
import { quote } from '../base/shell.ts';
import { type PgpassEntry, parsePgpassLine, pgpassLine } from '../postgres/pgpass.ts';
import { readFields } from './fields.ts';
import { absent, change, present, type ResourceKind, same, unknown } from './kind.ts';

interface Desired {
  readonly owner: string;
  readonly entry: PgpassEntry;
  readonly state: 'present' | 'absent';
}

interface Seen {
  readonly mode: string;
  readonly entries: readonly PgpassEntry[];
}

const prefix = (entry: PgpassEntry): string => pgpassLine({ ...entry, password: new Secret('') });

export const passfile: ResourceKind<Desired, Seen> = {
  kind: 'passfile',
  summary: 'A line in the password file of the instance administrator.',
  parse: (node, context) =>
    readFields(node, context, 'passfile', (f) => ({
      owner: f.text('owner'),
      state: f.oneOf('state', ['present', 'absent'], 'present'),
      entry: {
        host: f.text('host'),
        port: f.text('port'),
        database: f.text('database'),
        user: f.text('user'),
        password: f.secret('password') ?? new Secret(''),
      },
    })),
  key: (desired) => prefix(desired.entry),
  describe: (desired) => `password of ${desired.entry.user} for ${desired.entry.host}:${desired.entry.port}`,
  // Only the lines of our own role are read out; other people's passwords stay where they are.
  // A write that was cut off has left a file that holds the password; it goes with the line.
  probe: (desired) => ({
    shell: `${desired.state === 'absent' ? `if [ -e "$(unfinished "$PASSFILE")" ]; then printf '600\\n%s\\n' ${quote(`${prefix(desired.entry)}unfinished`)}; exit; fi\n` : ''}if [ ! -e "$PASSFILE" ]; then echo absent; exit; fi
stat -c %a "$PASSFILE" || exit 1
while IFS= read -r l || [ -n "$l" ]; do
case $l in ${quote(prefix(desired.entry))}*) printf '%s\\n' "$l";; esac
done < "$PASSFILE"`,
  }),
  read: (reply) => {
    const [mode = '', ...lines] = reply.stdout.split('\n');
    if (mode === 'absent') return absent;
    if (reply.status !== 0) return unknown(reply.stderr.trim() || 'the password file could not be read');
    return present({ mode, entries: lines.flatMap((text) => parsePgpassLine(text) ?? []) });
  },
  diff: (desired, observed) => {
    if (desired.state === 'absent')
      return observed.state === 'absent' || observed.value.entries.length === 0
        ? same('the password file has no line for it')
        : change({
            summary: `remove the password of ${desired.entry.user} for ${desired.entry.host}:${desired.entry.port} from the password file`,
            reason: 'nothing needs it any more',
          });
    const summary = `write the password of ${desired.entry.user} for ${desired.entry.host}:${desired.entry.port} to the password file (0600)`;
    if (observed.state === 'absent') return change({ summary, reason: 'the file is not there' });
    const { mode, entries } = observed.value;
    if (
      entries.length !== 1 ||
      entries[0] === undefined ||
      pgpassLine(entries[0]) !== pgpassLine(desired.entry)
    )
      return change({
        summary,
        reason: entries.length === 0 ? 'the line is not there' : 'the line differs (not shown)',
      });
    if (mode !== '600')
      return change({ summary, reason: `its mode is ${mode}: PostgreSQL ignores the file` });
    return same('the line is there');
  },
  steps: (_change, desired) => [
    {
      title: `password of ${desired.entry.user}`,
      script: `rm -f "$(unfinished "$PASSFILE")"
kept=
if [ -e "$PASSFILE" ]; then
while IFS= read -r l || [ -n "$l" ]; do
case $l in ${quote(prefix(desired.entry))}*) ;; *) kept="$kept$l
";; esac
done < "$PASSFILE"
fi
mkdir -p "\${PASSFILE%/*}"
${desired.state === 'absent' ? 'if [ -z "$kept" ]; then rm -f "$PASSFILE"; exit 0; fi\n' : ''}put "$PASSFILE" 0600 ${quote(`${desired.owner}:`)} "$kept"${desired.state === 'absent' ? '' : quote(`${pgpassLine(desired.entry)}\n`)}`,
    },
  ],
};
