/** room: a file system has room left. It only looks; too little is refused. */
import { quote } from '../../base/shell.ts';
import { formatBytes } from '../../base/units.ts';
import { size, text } from '../contract/field.ts';
import { type DesiredOf, fieldsOf } from '../contract/fields.ts';
import { present, type ResourceKind, refuse, same, unknown } from '../contract/kind.ts';

const fields = fieldsOf(
  {
    path: text('any path on the file system'),
    at_least: size('how much has to be free'),
    for: text('its purpose, for messages'),
  },
  ({ atLeast, ...rest }) => ({ atLeastBytes: atLeast, ...rest }),
);
type Desired = DesiredOf<typeof fields>;

export const room: ResourceKind<Desired, { readonly freeBytes: number }> = {
  kind: 'room',
  summary: 'A file system has room left. It is never changed: too little is refused.',
  fields,
  key: (desired) => desired.path,
  describe: (desired) => `room in ${desired.path}`,
  probe: (desired) => ({ shell: `df -P -B1 ${quote(desired.path)} | awk 'NR == 2 { print $4 }'` }),
  read: (reply) => {
    const text = reply.stdout.trim();
    return /^\d+$/.test(text)
      ? present({ freeBytes: Number(text) })
      : unknown(reply.stderr.trim() || 'df did not answer');
  },
  diff: (desired, observed) => {
    const free = observed.state === 'present' ? observed.value.freeBytes : 0;
    if (free >= desired.atLeastBytes) return same(`${formatBytes(free)} free`);
    return refuse({
      code: 'SAF011',
      what: `'${desired.path}' has ${formatBytes(free)} left, and ${formatBytes(desired.atLeastBytes)} are wanted for ${desired.for}`,
      why: 'a server that cannot write stops; that is no time to give it the role of primary',
      fix: 'Make room on this file system, then run the same command again.',
    });
  },
  steps: () => [],
};
