/** gone: a file, or a directory with nothing in it, that is not there any more. What others have put into a directory keeps it. */
import { quote, sh } from '../../base/shell.ts';
import { list, optional, text } from '../contract/field.ts';
import { type DesiredOf, fieldsOf } from '../contract/fields.ts';
import { absent, change, present, type ResourceKind, same, unknown } from '../contract/kind.ts';
import { vacating } from './vacate.ts';

const fields = fieldsOf({
  path: text('the file or the directory'),
  unless: optional(text('a shell command; the path stays as long as it succeeds')),
  except: list('of a directory: names of files in it that are removed with it'),
});
type Desired = DesiredOf<typeof fields>;

interface Seen {
  readonly type: 'file' | 'directory';
  /** Why it stays. */
  readonly needed?: string;
}

export const gone: ResourceKind<Desired, Seen> = {
  kind: 'gone',
  summary: 'A file that is removed, or a directory once it is empty; one of a package stays.',
  fields,
  key: (desired) => desired.path,
  describe: (desired) => `no ${desired.path}`,
  probe: ({ path, unless, except }) => ({
    shell: `p=${quote(path)}
${vacating}
if [ ! -e "$p" ] && [ ! -L "$p" ] && [ ! -e "$(unfinished "$p")" ]; then echo absent; exit; fi
if [ -d "$p" ] && [ ! -L "$p" ]; then echo directory; else echo file; fi
${unless === undefined ? '' : `if ( ${unless} ) >/dev/null 2>&1; then echo 'something else on this host needs it'; exit; fi`}
if [ -L "$p" ] || [ ! -d "$p" ]; then exit 0; fi
if ! vacant "$p"; then echo 'it belongs to the system'; exit; fi
if ls -A "$p" | grep -qvxF ${quote(except.join('\n'))}; then echo 'it holds other files'; fi
:`,
  }),
  read: (reply) => {
    const [type, needed = ''] = reply.stdout.split('\n');
    if (reply.status !== 0 || (type !== 'absent' && type !== 'file' && type !== 'directory'))
      return unknown(reply.stderr.trim() || 'the path could not be looked at');
    if (type === 'absent') return absent;
    return present({ type, ...(needed ? { needed } : {}) });
  },
  diff: (desired, observed) => {
    if (observed.state === 'absent') return same(`${desired.path} is not there`);
    const { type, needed } = observed.value;
    if (needed !== undefined) return same(`${desired.path} stays: ${needed}`);
    return type === 'file'
      ? change({ summary: `remove ${desired.path}`, reason: 'nothing needs it any more' })
      : change({
          summary: `remove the empty directory ${desired.path}`,
          reason: 'nothing needs it any more',
        });
  },
  steps: (_change, { path }) => [
    {
      title: `remove ${path}`,
      script: sh`acting ${path} '' eval ${removal(path)}`,
    },
  ],
};

const removal = (path: string): string => `${vacating}
p=${quote(path)}
rm -f "$(unfinished "$p")"
if [ -d "$p" ] && [ ! -L "$p" ]; then vacate "$p"; else rm -f "$p"; fi`;
