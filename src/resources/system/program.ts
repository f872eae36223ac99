/** program: a program that must be there in a version that is new enough. It changes nothing; kind `package` installs. */
import { quote } from '../../base/shell.ts';
import { integer, optional, text } from '../contract/field.ts';
import { type DesiredOf, fieldsOf } from '../contract/fields.ts';
import { change, present, type ResourceKind, refuse, same, unknown } from '../contract/kind.ts';

const fields = fieldsOf({
  name: text('name of the program'),
  at_least: integer('the oldest major version that will do'),
  pid_file: optional(
    text(
      'of a process that runs the program and has written its version there, so that no probe has to start it',
    ),
  ),
});
type Desired = DesiredOf<typeof fields>;

export const program: ResourceKind<Desired, { readonly path: string; readonly version: string }> = {
  kind: 'program',
  summary: 'A program that must be there, in a major version that is new enough.',
  fields,
  key: (desired) => desired.name,
  describe: (desired) => `program ${desired.name}, ${desired.atLeast} or newer`,
  // To start Node only to hear its version costs more than the rest of a look. A process that runs this very file knows it.
  probe: ({ name, pidFile }) => ({
    shell: `path=$(command -v ${quote(name)}) || exit 1
echo "$path"
${
  pidFile === undefined
    ? ''
    : `if lines ${quote(pidFile)} pid x x x version && [ -n "$version" ] && [ "/proc/$pid/exe" -ef "$path" ]; then echo "$version"; exit; fi
`
}"$path" --version`,
  }),
  read: (reply) => {
    const [path = '', version = ''] = reply.stdout.split('\n');
    const found = /\d+(\.\d+)*/.exec(version);
    return reply.status === 0 && found
      ? present({ path, version: found[0] })
      : unknown('the program is not there');
  },
  diff: (desired, observed) => {
    // `read` never says absent; the type of the contract still has to be answered.
    if (observed.state === 'absent')
      return change({ summary: `find ${desired.name}`, reason: 'it is not there' });
    const { path, version } = observed.value;
    if (Number(version.split('.')[0]) >= desired.atLeast) return same(`${path} is version ${version}`);
    return refuse({
      code: 'HST008',
      what: `${path} is version ${version}; ${desired.atLeast} or newer is needed`,
      why: 'the Mirroring Controller runs on it',
      fix: `Install ${desired.name} ${desired.atLeast} or newer on the host, from its operating system's packages or its maker's.`,
    });
  },
  steps: () => [],
};
