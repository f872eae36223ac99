/** group: an operating system group. */
import { quote, sh } from '../../base/shell.ts';
import { readFields } from '../contract/fields.ts';
import { absent, change, present, type ResourceKind, same, unknown } from '../contract/kind.ts';

interface Desired {
  readonly name: string;
}

export const group: ResourceKind<Desired, string> = {
  kind: 'group',
  summary: 'An operating system group.',
  parse: (node, context) => readFields(node, context, 'group', (f) => ({ name: f.text('name') })),
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
