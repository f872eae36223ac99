/** room: a file system has room left. It only looks; too little is refused. */
import { quote } from '../../base/shell.ts';
import { formatBytes, parseSizeBytes } from '../../base/units.ts';
import { readFields } from '../contract/fields.ts';
import { present, type ResourceKind, refuse, same, unknown } from '../contract/kind.ts';

interface Desired {
  readonly path: string;
  readonly atLeastBytes: number;
  readonly for: string;
}

export const room: ResourceKind<Desired, { readonly freeBytes: number }> = {
  kind: 'room',
  summary: 'A file system has room left. It is never changed: too little is refused.',
  parse: (node, context) =>
    readFields(node, context, 'room', (f) => {
      const text = f.text('at_least');
      const atLeastBytes = parseSizeBytes(text);
      if (text !== '' && atLeastBytes === undefined)
        f.problem('at_least', `'at_least' must be a size, not '${text}'`, "Write 'at_least: 256MB'.");
      return { path: f.text('path'), atLeastBytes: atLeastBytes ?? 0, for: f.text('for') };
    }),
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
