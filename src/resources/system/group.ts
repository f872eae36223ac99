/** group: an operating system group. */
import { quote, sh } from '../../base/shell.ts';
import { text } from '../contract/field.ts';
import { type DesiredOf, fieldsOf } from '../contract/fields.ts';
import { absent, change, present, type ResourceKind, same, unknown } from '../contract/kind.ts';

const fields = fieldsOf({ name: text('name of the group') });
type Desired = DesiredOf<typeof fields>;

export const group: ResourceKind<Desired, string> = {
  kind: 'group',
  summary: 'An operating system group.',
  fields,
  key: (desired) => desired.name,
  describe: (desired) => `group ${desired.name}`,
  probe: ({ name }) => ({ shell: `getent group ${quote(name)}` }),
  read: (reply) =>
    // getent: 2 means "no such key"; anything else that is not 0 means that it could not look.
    reply.status === 2
      ? absent
      : reply.status === 0
        ? present(reply.stdout.trim())
        : unknown(reply.stderr.trim() || 'getent failed'),
  diff: (desired, observed) =>
    observed.state === 'present'
      ? same('it exists')
      : change({ summary: `create group ${desired.name}`, reason: 'it does not exist' }),
  steps: (_change, { name }) => [{ title: `group ${name}`, script: sh`groupadd --system ${name}` }],
};
