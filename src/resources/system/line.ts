/** line: one line in a file that others own, such as /etc/services. Other lines stay as they are, byte for byte. */
import { quote, sh } from '../../base/shell.ts';
import { oneOf, text } from '../contract/field.ts';
import { type DesiredOf, fieldsOf } from '../contract/fields.ts';
import {
  absent,
  change,
  type Observed,
  present,
  type ResourceKind,
  same,
  unknown,
} from '../contract/kind.ts';
import { readStat } from '../contract/stat.ts';

const fields = fieldsOf(
  {
    path: text('the file'),
    line: text('the line; a line with the same first word is replaced'),
    state: oneOf(['present', 'absent'], 'whether it has to be there', 'present'),
  },
  (values) => ({ ...values, word: values.line.split(/\s+/)[0] ?? '' }),
);
type Desired = DesiredOf<typeof fields>;

interface Seen {
  /** Every line that begins with the word. */
  readonly lines: readonly string[];
  /** When the file was changed last, seconds since 1970; not asked where the line is right. */
  readonly modified?: number;
}

/** What the shell function `observation` prints of a file that is not there, or is not to be seen. */
function hiddenFile(said: string): Observed<Seen> {
  const hidden = readStat(said, 'the file could not be read');
  return hidden.state === 'present' ? unknown('the file has changed meanwhile') : hidden;
}

export const line: ResourceKind<Desired, Seen> = {
  kind: 'line',
  summary: 'One line in a file that others own; the first word tells which line is meant.',
  fields,
  key: (desired) => `${desired.path} ${desired.word}`,
  describe: (desired) => `line '${desired.word}' in ${desired.path}`,
  // Where the line is to go, what a write that was cut off has left goes with it: it holds the line.
  probe: (desired) => ({
    shell: `f=${quote(desired.path)}
${desired.state === 'absent' ? `if [ -e "$(unfinished "$f")" ]; then printf '\\nunfinished\\n'; exit; fi` : ''}
if [ ! -e "$f" ]; then observation "$f"; exit; fi
lines=$(awk -v w=${quote(desired.word)} '$1 == w' "$f") || exit 1
if [ "$lines" != ${quote(desired.line)} ]; then stat -c %Y "$f" || exit 1; else echo; fi
printf '%s\\n' "$lines"`,
  }),
  read: (reply) => {
    const [time = '', ...text] = reply.stdout.split('\n');
    if (reply.status !== 0) return unknown(reply.stderr.trim() || 'the file could not be read');
    const lines = text.filter((line) => line.trim() !== '');
    if (!/^\d*$/.test(time)) return hiddenFile(time);
    return lines.length === 0 ? absent : present({ lines, ...(time ? { modified: Number(time) } : {}) });
  },
  diff: (desired, observed) => {
    if (desired.state === 'absent')
      return observed.state === 'absent'
        ? same(`${desired.path} has no line '${desired.word}'`)
        : change({
            summary: `remove line '${desired.word}' from ${desired.path}`,
            reason: 'nothing needs it any more',
          });
    const told = { object: `${desired.path} ${desired.word}`, declared: desired.line };
    if (observed.state === 'absent')
      return change({
        summary: `add line '${desired.line}' to ${desired.path}`,
        reason: 'it is not there',
        differences: [{ code: 'FIL007', ...told, found: 'missing' }],
      });
    const { lines, modified } = observed.value;
    if (lines.length === 1 && lines[0] === desired.line) return same('the line is there');
    const since = modified === undefined ? {} : { since: modified };
    return change({
      summary: `replace line '${desired.word}' in ${desired.path}`,
      reason: 'it differs',
      text: { before: `${lines.join('\n')}\n`, after: `${desired.line}\n`, name: desired.path },
      differences: [{ code: 'FIL008', ...told, found: lines.join('; '), ...since }],
    });
  },
  steps: (_change, desired) => [
    {
      title: `line '${desired.word}' in ${desired.path}`,
      script: sh`acting ${desired.path} '' eval ${rewriting(desired)}`,
    },
  ],
};

/** Ours comes last, but for a line of others that ends without a line end: nobody would know afterwards that it did. */
const othersAndOurs = `{ if (is) print line; is = $1 != w; line = $0 }
END {
  if (is && ended > 0) print line
  printf "%s", ENVIRON["added"]
  if (is && ended == 0) printf "%s", line
}`;

/** As the one who keeps the directory: what that user cannot read does not get into the file. */
const rewriting = ({ path, word, line, state }: Desired): string => `f=${quote(path)}
set -- 644 "$ME:"; export added=${state === 'absent' ? "''" : quote(`${line}\n`)}; text=$added.
if [ -e "$f" ]; then
  set -- "$(stat -Lc %a "$f")" "$(stat -Lc %U:%G "$f")"
  text=$(awk -v w=${quote(word)} -v ended="$(tail -c 1 "$f" | wc -l)" ${quote(othersAndOurs)} "$f" && echo .) || exit 1
fi
text=\${text%.}
place "$f" "$1" "$2"`;
