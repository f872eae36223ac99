/**
 * cluster_keys: which keys of the cluster the running controller speaks and hears, by its own word: what stands in its files counts only
 * when they have been read. Its step makes it read them. A controller that cannot hear two keys refuses a renewal before it begins.
 */
import { advised, here } from '../../base/command.ts';
import { quote } from '../../base/shell.ts';
import { effectScript } from '../contract/effects.ts';
import { list, oneOf, optional, text } from '../contract/field.ts';
import { type DesiredOf, serverFields } from '../contract/fields.ts';
import { service } from '../contract/host-service.ts';
import { change, present, type ResourceKind, refuse, same, unknown } from '../contract/kind.ts';
import { controllerPidFile } from '../contract/preamble.ts';
import { type ControllerReport, controllerProbe, readControllerStatus } from './controller-status.ts';

const fields = serverFields({
  unit: service('the systemd unit or the init script that starts the controller'),
  speaks: optional(text('mark of the key that it speaks')),
  hears: list('marks of keys that it hears'),
  renewal: optional(oneOf(['known', 'forgotten'], 'whether it accepts the old values besides the new ones')),
});
type Desired = DesiredOf<typeof fields>;

interface Seen {
  /** Absent: the controller does not run. */
  readonly version?: string;
  readonly keys?: NonNullable<ControllerReport['cluster_key']>;
}

export const clusterKeys: ResourceKind<Desired, Seen> = {
  kind: 'cluster_keys',
  summary: 'The running controller speaks and hears these keys of the cluster, by its own word.',
  fields,
  key: ({ speaks, renewal }) => (speaks === undefined ? `renewal ${renewal ?? 'of no matter'}` : 'spoken'),
  describe: ({ id }) => `keys that the controller of ${id} speaks and hears`,
  probe: (desired) => ({ shell: controllerProbe(desired) }),
  read: (reply, { id }) => {
    const seen = readControllerStatus(reply, id);
    if (seen.state === 'unseen') return unknown(seen.reason);
    if (seen.state !== 'running') return present({});
    const { versions, cluster_key: keys } = seen.report;
    return present({ version: versions?.controller ?? 'unknown', ...(keys ? { keys } : {}) });
  },
  diff: (desired, observed) => {
    const { version, keys } = observed.state === 'present' ? observed.value : {};
    if (version === undefined) return refuse(notRunning(desired.id));
    if (!keys) return refuse(tooOld(desired.id, version));
    const open = missing(desired, keys);
    if (open === undefined) return same(`the controller of ${desired.id} ${inForce(desired)}`);
    return change({ summary: `make the controller of ${desired.id} read its keys`, reason: open });
  },
  steps: ({ summary }, desired) => [{ title: summary, script: readKeys(desired) }],
};

const inForce = ({ speaks, renewal }: Desired): string => {
  if (speaks !== undefined) return 'speaks the new cluster key';
  return renewal === 'known' ? 'accepts the old and the new secrets' : 'accepts the new secrets only';
};

/** Undefined: nothing. */
function missing({ speaks, hears, renewal }: Desired, keys: NonNullable<Seen['keys']>): string | undefined {
  if (hears.some((mark) => !keys.hears.includes(mark))) return 'it does not hear every key yet';
  if (speaks !== undefined && keys.speaks !== speaks) return 'it does not speak the new key yet';
  if (renewal !== undefined && keys.renewal !== (renewal === 'known'))
    return keys.renewal ? 'it accepts the old values still' : 'it does not know of the renewal yet';
  return undefined;
}

/** The report is renewed right behind the reload; `-nt` compares to the nanosecond. */
const readKeys = (desired: Desired): string => {
  const { managementDir, id, unit, mcCtl } = desired;
  const place = { instance: desired, id, managementDir, mcCtl, ...(unit ? { unit } : {}) };
  const report = quote(`${managementDir}/${id}.status.json`);
  return `${effectScript({ action: 'reload', target: 'controller' }, place)}
n=0
until [ ${report} -nt ${quote(controllerPidFile(desired))} ] || [ $n -ge 100 ]; do n=$((n + 1)); sleep 0.05; done`;
};

const notRunning = (id: string) =>
  ({
    code: 'SAF034',
    what: `the controller of ${id} does not run`,
    why: 'nobody could say whether it accepts the new secrets, and the others wait for its word',
    ...advised`Start it ('mc_ctl start', or the unit), or run ${here`pgduet provision`}; then run the same command again.`,
  }) as const;

const tooOld = (id: string, version: string) =>
  ({
    code: 'SAF034',
    what: `the controller of ${id} is of version ${version}, which cannot hear two keys`,
    why: 'it would be locked out from the moment at which another one speaks the new key',
    ...advised`Run ${here`pgduet provision`}, which brings the program; then run the same command again.`,
  }) as const;
