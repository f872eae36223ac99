/**
 * arbiter_keys: by which keys the running arbiter hears the cluster, by its own word. Its step makes it read them. One that does not say
 * so cannot hear two keys, and refuses a renewal of the secrets before it begins.
 */
import { advised, here } from '../../base/command.ts';
import { quote, sh } from '../../base/shell.ts';
import { flag, list } from '../contract/field.ts';
import { type DesiredOf, fieldsOf } from '../contract/fields.ts';
import { change, present, type ResourceKind, refuse, same, unknown } from '../contract/kind.ts';
import { closed } from '../contract/stat.ts';
import { arbiterPidFile, arbiterPlaceFields, tellArbiter } from './place.ts';

const fields = fieldsOf({
  ...arbiterPlaceFields,
  hears: list('marks of the keys that it hears'),
  only: flag('whether it hears no other one', false),
});
type Desired = DesiredOf<typeof fields>;

interface Seen {
  /** Absent: it does not run, or does not know the cluster. */
  readonly cluster?: { readonly keys?: readonly string[] };
}

interface Report {
  readonly clusters: readonly { readonly cluster: string; readonly keys?: readonly string[] }[];
}

export const arbiterKeys: ResourceKind<Desired, Seen> = {
  kind: 'arbiter_keys',
  summary: 'The running arbiter hears the cluster by these keys, by its own word.',
  fields,
  key: ({ cluster, only }) => `${cluster}, ${only ? 'one' : 'all'}`,
  describe: ({ directory }) => `keys that the arbiter in ${directory} hears`,
  probe: ({ directory, owner, mcArb }) => ({
    shell: `unseen ${quote(arbiterPidFile({ directory }))}
case $unseen in closed*) echo "$unseen"; exit;; esac
if ! controller ${quote(arbiterPidFile({ directory }))}; then echo stopped; exit; fi
${sh`as ${owner} ${mcArb} status --json -M ${directory}`}`,
  }),
  read: (reply, { cluster }) => {
    const text = reply.stdout.trim();
    const hidden = closed(text);
    if (hidden) return unknown(hidden);
    if (text === 'stopped') return present({});
    try {
      const { clusters } = JSON.parse(text) as Report;
      const mine = clusters.find((one) => one.cluster === cluster);
      return present(mine ? { cluster: mine } : {});
    } catch {
      return unknown(reply.stderr.trim() || text || 'mc_arb gave no answer');
    }
  },
  diff: (desired, observed) => {
    const { cluster } = observed.state === 'present' ? observed.value : {};
    if (!cluster) return refuse(notServing(desired));
    const { keys } = cluster;
    if (!keys) return refuse(tooOld(desired));
    const deaf = desired.hears.some((mark) => !keys.includes(mark));
    const tooMany = desired.only && keys.length !== desired.hears.length;
    if (!deaf && !tooMany)
      return same(`the arbiter accepts ${desired.only ? 'the new key only' : 'the old and the new key'}`);
    return change({
      summary: 'make the arbiter read its keys',
      reason: deaf ? 'it does not hear every key yet' : 'it hears the old key still',
    });
  },
  steps: ({ summary }, desired) => [{ title: summary, script: readKeys(desired) }],
};

/** Waits until it has read its files: the time of its own file tells. */
const readKeys = (desired: Desired): string => {
  const read = `$(stat -c %.9Y ${quote(arbiterPidFile(desired))} 2>/dev/null)`;
  return `before=${read}
${tellArbiter(desired, 'reload')}
n=0
while [ "${read}" = "$before" ] && [ $n -lt 100 ]; do n=$((n + 1)); sleep 0.05; done`;
};

const notServing = ({ directory, cluster }: Desired) =>
  ({
    code: 'SAF034',
    what: `the arbiter in ${directory} does not run, or does not know ${cluster}`,
    why: 'nobody could say whether it accepts the new key, and the servers would lose it',
    ...advised`Run ${here`pgduet provision`}; then run the same command again.`,
  }) as const;

const tooOld = ({ directory }: Desired) =>
  ({
    code: 'SAF034',
    what: `the arbiter in ${directory} is of an earlier version, which cannot hear two keys`,
    why: 'the servers would lose it from the moment at which they speak the new key',
    ...advised`Run ${here`pgduet provision`}, which brings the program; then run the same command again.`,
  }) as const;
