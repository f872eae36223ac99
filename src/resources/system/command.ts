/** command: a command of the user's own, run only while `unless` fails: that is how it is known to be needed. */
import { quote } from '../../base/shell.ts';
import { optional, text } from '../contract/field.ts';
import { type DesiredOf, fieldsOf } from '../contract/fields.ts';
import { change, present, type ResourceKind, same, unknown } from '../contract/kind.ts';

const fields = fieldsOf(
  {
    name: optional(text('what the plan calls it; without it the text of `run`')),
    run: text('the shell command'),
    unless: text(
      'a shell command that changes nothing: status 0 means that nothing is to be done, 1 that `run` is',
    ),
    user: optional(text('the user that runs both; without it root, or the login user')),
  },
  ({ name, ...rest }) => ({ name: name ?? rest.run, ...rest }),
);
type Desired = DesiredOf<typeof fields>;

const asUser = (desired: Desired, text: string): string =>
  desired.user ? `as ${quote(desired.user)} sh -c ${quote(text)}` : `sh -c ${quote(text)}`;

export const command: ResourceKind<Desired, { readonly done: boolean }> = {
  kind: 'command',
  summary: "A shell command of the user's own, run only while its `unless` command fails.",
  fields,
  key: (desired) => desired.name,
  describe: (desired) => `command '${desired.name}'`,
  probe: (desired) => ({ shell: asUser(desired, desired.unless) }),
  read: (reply) =>
    reply.status === 0 || reply.status === 1
      ? present({ done: reply.status === 0 })
      : unknown(`its 'unless' ended with status ${reply.status}: ${reply.stderr.trim()}`),
  diff: (desired, observed) =>
    observed.state === 'present' && observed.value.done
      ? same("its 'unless' succeeds")
      : change({ summary: `run '${desired.name}'`, reason: "its 'unless' fails" }),
  steps: (_change, desired) => [{ title: `command '${desired.name}'`, script: asUser(desired, desired.run) }],
};
