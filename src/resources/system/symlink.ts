/** symlink: a symbolic link, such as pg_wal on a disk of its own. What stands in its place is never removed. */
import { quote, sh } from '../../base/shell.ts';
import { text } from '../contract/field.ts';
import { type DesiredOf, fieldsOf } from '../contract/fields.ts';
import { change, present, type ResourceKind, refuse, same, unknown } from '../contract/kind.ts';
import { readStat } from '../contract/stat.ts';

const fields = fieldsOf({
  path: text('the link'),
  target: text('the path that it leads to'),
  owner: text('user'),
});
type Desired = DesiredOf<typeof fields>;

/** `same`: whatever is written in it, it leads to the directory that is meant. */
type Seen =
  | { readonly type: 'link'; readonly target: string; readonly same: boolean }
  | { readonly type: 'other' };

export const symlink: ResourceKind<Desired, Seen> = {
  kind: 'symlink',
  summary: 'A symbolic link; a file or directory that stands in its place is never removed.',
  fields,
  key: (desired) => desired.path,
  describe: (desired) => `link ${desired.path}`,
  inside: (desired) => desired.path,
  probe: ({ path, target }) => ({
    shell: `p=${quote(path)}; t=${quote(target)}
if [ -L "$p" ]; then echo link; if [ "$p" -ef "$t" ]; then echo same; else echo other; fi; readlink "$p"; elif [ -e "$p" ]; then echo other; else
said=$(observation "$p")
if [ "$said" = absent ] && [ ! -d "\${p%/*}" ]; then said=parent; fi
echo "$said"; fi`,
  }),
  read: (reply) => {
    const [type, place, target = ''] = reply.stdout.split('\n');
    if (type === 'link') return present({ type, target, same: place === 'same' });
    if (type === 'other') return present({ type });
    if (type === 'parent') return unknown('its directory is not there yet');
    const hidden = readStat(type ?? '', reply.stderr || 'the path could not be looked at');
    return hidden.state === 'present' ? unknown('the path has changed meanwhile') : hidden;
  },
  diff: (desired, observed) => {
    const words = `${desired.path} → ${desired.target}`;
    if (observed.state === 'absent')
      return change({
        summary: `link ${words}`,
        reason: 'it is not there',
        differences: [
          { code: 'LNK001', object: desired.path, declared: `→ ${desired.target}`, found: 'missing' },
        ],
      });
    if (observed.value.type === 'link' && (observed.value.same || observed.value.target === desired.target))
      return same(`it leads to ${desired.target}`);
    return refuse({
      code: 'SAF002',
      what: `'${desired.path}' should lead to '${desired.target}' and ${observed.value.type === 'link' ? `leads to '${observed.value.target}'` : 'is no link'}`,
      why: 'moving WAL while a server may need it could lose it',
      fix: 'Stop the server and move the directory by hand, or name the present place in the inventory (wal_dir).',
    });
  },
  steps: (_change, desired) => [
    {
      title: `link ${desired.path}`,
      script: sh`acting ${desired.path} ${desired.owner} tie ${desired.path} ${desired.target} ${desired.owner}`,
    },
  ],
};
