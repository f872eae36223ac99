/** directory: a directory with owner, group and mode. Missing parents are made, 0755 and root's. Never removes anything. */
import { sh } from '../../base/shell.ts';
import { mode, optional, text } from '../contract/field.ts';
import { type DesiredOf, fieldsOf } from '../contract/fields.ts';
import { change, type ResourceKind, refuse, same } from '../contract/kind.ts';
import {
  chownWord,
  ownershipDifference,
  ownershipDifferences,
  readStat,
  type Stat,
  words,
} from '../contract/stat.ts';

const fields = fieldsOf({
  path: text('absolute path'),
  owner: text('user'),
  group: optional(text("group; without it the owner's own, whatever its name")),
  mode: mode('permissions', '0755'),
});
type Desired = DesiredOf<typeof fields>;

const codes = { owner: 'DIR002', mode: 'DIR003', open: 'DIR004' } as const;

export const directory: ResourceKind<Desired, Stat> = {
  kind: 'directory',
  summary: 'A directory with owner, group and mode; its parents are made if they are missing.',
  fields,
  key: (desired) => desired.path,
  describe: (desired) => `directory ${desired.path}`,
  probe: (desired) => ({ stat: desired.path }),
  read: (reply) => readStat(reply.stdout.trim(), reply.stderr),
  diff: (desired, observed) => {
    const wanted = words(desired);
    if (observed.state === 'absent')
      return change({
        summary: `create directory ${desired.path} (${wanted})`,
        reason: 'it is not there',
        differences: [{ code: 'DIR001', object: desired.path, declared: wanted, found: 'missing' }],
      });
    if (observed.value.type !== 'directory')
      return refuse({
        code: 'SAF002',
        what: `'${desired.path}' should be a directory and is a ${observed.value.type}`,
        why: 'replacing it could destroy what is in it',
        fix: 'Move it away, or name another directory in the inventory.',
      });
    const difference = ownershipDifference(desired, observed.value);
    if (!difference) return same(`${wanted}, as it should be`);
    return change({
      summary: `set owner and mode of ${desired.path}`,
      reason: difference,
      differences: ownershipDifferences(desired.path, desired, observed.value, codes),
    });
  },
  steps: (_change, desired) => [
    {
      title: `directory ${desired.path}`,
      script: sh`mkdir -p ${desired.path}
chown ${chownWord(desired)} ${desired.path}
chmod ${desired.mode} ${desired.path}`,
    },
  ],
};
