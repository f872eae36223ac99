/** command: a command of the user's own, run only while `unless` fails: that is how it is known to be needed. */
import { quote } from '../../base/shell.ts';
import { readFields } from '../contract/fields.ts';
import { change, present, type ResourceKind, same, unknown } from '../contract/kind.ts';

interface Desired {
  readonly name: string;
  readonly run: string;
  /** A read-only shell command: status 0 means that there is nothing to do, 1 that there is. */
  readonly unless: string;
  readonly user?: string;
}

const asUser = (desired: Desired, text: string): string =>
  desired.user ? `as ${quote(desired.user)} sh -c ${quote(text)}` : `sh -c ${quote(text)}`;

export const command: ResourceKind<Desired, { readonly done: boolean }> = {
  kind: 'command',
  summary: "A shell command of the user's own, run only while its `unless` command fails.",
  parse: (node, context) =>
    readFields(node, context, 'command', (f) => {
      const user = f.optionalText('user');
      const run = f.text('run');
      return {
        name: f.optionalText('name') ?? run,
        run,
        unless: f.text('unless'),
        ...(user ? { user } : {}),
      };
    }),
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
