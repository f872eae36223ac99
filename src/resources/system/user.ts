/** user: an operating system user. An existing one is taken as it is; only a missing one is created. */
import { quote, sh } from '../../base/shell.ts';
import { optional, text } from '../contract/field.ts';
import { type DesiredOf, fieldsOf } from '../contract/fields.ts';
import { absent, change, present, type ResourceKind, same, unknown } from '../contract/kind.ts';

const fields = fieldsOf(
  {
    name: text('name of the user'),
    home: optional(text('home directory; without it `/var/lib/NAME`')),
    shell: text('login shell', '/bin/bash'),
  },
  ({ home, ...rest }) => ({ home: home ?? `/var/lib/${rest.name}`, ...rest }),
);
type Desired = DesiredOf<typeof fields>;

export const user: ResourceKind<Desired, string> = {
  kind: 'user',
  summary: 'An operating system user; an existing one is taken as it is.',
  fields,
  key: (desired) => desired.name,
  describe: (desired) => `user ${desired.name}`,
  probe: ({ name }) => ({ shell: `getent passwd ${quote(name)}` }),
  read: (reply) =>
    reply.status === 2
      ? absent
      : reply.status === 0
        ? present(reply.stdout.trim())
        : unknown(reply.stderr.trim() || 'getent failed'),
  diff: (desired, observed) =>
    observed.state === 'present'
      ? same('it exists')
      : change({
          summary: `create user ${desired.name}`,
          reason: 'it does not exist',
          differences: [{ code: 'USR001', object: desired.name, declared: 'exists', found: 'missing' }],
        }),
  steps: (_change, { name, home, shell }) => [
    {
      title: `user ${name}`,
      // A home that was there before may be anybody's.
      script: sh`if getent group ${name} >/dev/null; then set -- --gid ${name}; else set -- --user-group; fi
if [ -e ${home} ] || [ -L ${home} ]; then before=yes; else before=; fi
useradd --system "$@" --create-home --home-dir ${home} --shell ${shell} ${name}
if [ -z "$before" ]; then as ${name} chmod 0700 ${home}; fi`,
    },
  ],
};
