/**
 * renewal: the file of a renewal of the secrets, which is there as long as two values are accepted of each (ADR 16). That it is read is up to
 * `cluster_keys`, on the host of an arbiter to `arbiter_keys`; that it is gone is told to the controller at once, since nothing else remembers it.
 */
import { createHash } from 'node:crypto';
import { quote, sh } from '../../base/shell.ts';
import { effectScript } from '../contract/effects.ts';
import { oneOf, secret, text } from '../contract/field.ts';
import { type DesiredOf, fieldsOf } from '../contract/fields.ts';
import { service } from '../contract/host-service.ts';
import { change, present, type ResourceKind, refuse, same, unknown } from '../contract/kind.ts';
import { putFile } from '../contract/preamble.ts';
import { ownershipDifference, readStat, type Stat } from '../contract/stat.ts';

const fields = fieldsOf(
  {
    path: text('absolute path'),
    owner: text('user that reads it'),
    unit: service(
      'the systemd unit or the init script that starts the controller, which is told when the file is gone',
    ),
    secret: secret('`!secret renewal`, for an arbiter `!secret arbiter_renewal`'),
    state: oneOf(['present', 'absent'], 'absent: the old values are forgotten', 'present'),
  },
  (values, { server }) => ({ ...values, mode: '0600', ...(server ? { server } : {}) }),
);
type Desired = DesiredOf<typeof fields>;

interface Seen {
  readonly stat: Stat;
  /** SHA-256 as hex. */
  readonly sum: string;
}

export const renewal: ResourceKind<Desired, Seen> = {
  kind: 'renewal',
  summary:
    'The file of a renewal of the secrets: as long as it is there, the old and the new values are accepted.',
  fields,
  key: (desired) => `${desired.path} ${desired.state}`,
  describe: (desired) => `renewal of the secrets in ${desired.path}`,
  probe: ({ path }) => ({ stat: path, sum: path }),
  read: (reply) => {
    const [first = '', sum = ''] = reply.stdout.split('\n');
    const stat = readStat(first, reply.stderr || 'the file could not be read');
    if (stat.state !== 'present') return stat;
    if (reply.status !== 0) return unknown(reply.stderr.trim() || 'the file could not be read');
    return present({ stat: stat.value, sum: sum.slice(0, 64) });
  },
  diff: (desired, observed) => {
    const seen = observed.state === 'present' ? observed.value : undefined;
    if (seen && seen.stat.type !== 'file') return refuse(notAFile(desired.path, seen.stat.type));
    if (desired.state === 'absent')
      return seen
        ? change({ summary: `forget the old secrets (${desired.path})`, reason: 'all use the new ones' })
        : same('no old secret is accepted');
    const right = seen?.sum === checksum(desired) && ownershipDifference(desired, seen.stat) === undefined;
    if (right) return same('the old and the new secrets are known');
    return change({
      summary: `accept the old and the new secrets (${desired.path})`,
      reason: seen ? 'it names others' : 'nobody may be spoken to with a secret that is not known there',
    });
  },
  steps: ({ summary }, desired) => [
    {
      title: summary,
      script:
        desired.state === 'absent'
          ? forget(desired)
          : putFile({ ...desired, content: desired.secret?.reveal() ?? '' }),
    },
  ],
};

/** On the host of an arbiter there is no controller. */
function forget({ path, server, unit }: Desired): string {
  // By whoever keeps the directory, as it is written.
  const removal = `rm -f ${quote(path)}\nsync -f ${quote(directoryOf(path))}`;
  const removed = sh`acting ${path} '' eval ${removal}`;
  if (!server) return removed;
  const { id, managementDir, mcCtl } = server;
  const place = { instance: server, id, managementDir, mcCtl, ...(unit ? { unit } : {}) };
  return `${removed}\n${effectScript({ action: 'reload', target: 'controller' }, place)}`;
}

const directoryOf = (path: string): string => path.slice(0, path.lastIndexOf('/'));

const checksum = (desired: Desired): string =>
  createHash('sha256')
    .update(desired.secret?.reveal() ?? '')
    .digest('hex');

const notAFile = (path: string, type: string) =>
  ({
    code: 'SAF002',
    what: `'${path}' should be a file and is a ${type}`,
    why: 'replacing it could destroy what it stands for',
    fix: 'Move it away and run the same command again.',
  }) as const;
