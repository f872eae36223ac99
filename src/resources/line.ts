/** line: one line in a file that others own, such as /etc/services. Other lines stay as they are, byte for byte. */
import { quote } from '../base/shell.ts';
import { readFields } from './fields.ts';
import { absent, change, present, type ResourceKind, same, unknown } from './kind.ts';

interface Desired {
  readonly path: string;
  readonly line: string;
  /** The first word of the line tells it apart; a line that begins with it is replaced. */
  readonly word: string;
  readonly state: 'present' | 'absent';
}

export const line: ResourceKind<Desired, readonly string[]> = {
  kind: 'line',
  summary: 'One line in a file that others own; the first word tells which line is meant.',
  parse: (node, context) =>
    readFields(node, context, 'line', (f) => {
      const text = f.text('line');
      return {
        path: f.text('path'),
        line: text,
        word: text.split(/\s+/)[0] ?? '',
        state: f.oneOf('state', ['present', 'absent'], 'present'),
      };
    }),
  key: (desired) => `${desired.path} ${desired.word}`,
  describe: (desired) => `line '${desired.word}' in ${desired.path}`,
  // Where the line is to go, what a write that was cut off has left goes with it: it holds the line.
  probe: (desired) => ({
    shell: `${desired.state === 'absent' ? `if [ -e "$(unfinished ${quote(desired.path)})" ]; then echo unfinished; fi\n` : ''}if [ -e ${quote(desired.path)} ]; then awk -v w=${quote(desired.word)} '$1 == w' ${quote(desired.path)}; else echo; fi`,
  }),
  read: (reply) => {
    if (reply.status !== 0) return unknown(reply.stderr.trim() || 'the file could not be read');
    const lines = reply.stdout.split('\n').filter((text) => text.trim() !== '');
    return lines.length === 0 ? absent : present(lines);
  },
  diff: (desired, observed) => {
    if (desired.state === 'absent')
      return observed.state === 'absent'
        ? same(`${desired.path} has no line '${desired.word}'`)
        : change({
            summary: `remove line '${desired.word}' from ${desired.path}`,
            reason: 'nothing needs it any more',
          });
    if (observed.state === 'absent')
      return change({ summary: `add line '${desired.line}' to ${desired.path}`, reason: 'it is not there' });
    if (observed.value.length === 1 && observed.value[0] === desired.line) return same('the line is there');
    return change({
      summary: `replace line '${desired.word}' in ${desired.path}`,
      reason: 'it differs',
      text: { before: `${observed.value.join('\n')}\n`, after: `${desired.line}\n`, name: desired.path },
    });
  },
  steps: (_change, desired) => [
    {
      title: `line '${desired.word}' in ${desired.path}`,
      script: `f=${quote(desired.path)}
[ -e "$f" ] || : > "$f"
text=$(awk -v w=${quote(desired.word)} '$1 != w' "$f"; echo .)
put "$f" "$(stat -c %a "$f")" "$(stat -c %U:%G "$f")" "\${text%.}"${desired.state === 'absent' ? '' : quote(`${desired.line}\n`)}`,
    },
  ],
};
