/**
 * dismissed: the arbiter of this host knows the cluster no more. One that serves other clusters goes on without it; with the last
 * of them the arbiter stops, and its unit and its files are taken away.
 */
import { quote } from '../../base/shell.ts';
import { type DesiredOf, fieldsOf } from '../contract/fields.ts';
import { absent, change, present, type ResourceKind, same, unknown } from '../contract/kind.ts';
import { closed } from '../contract/stat.ts';
import { removeUnit, unitFile } from '../system/unit-files.ts';
import { vacating } from '../system/vacate.ts';
import { arbiterPidFile, arbiterPlaceFields, clusterDir, findOthers, tellArbiter } from './place.ts';

const fields = fieldsOf(arbiterPlaceFields);
type Desired = DesiredOf<typeof fields>;

interface Seen {
  readonly others: readonly string[];
  /** It knows this cluster. */
  readonly known: boolean;
}

export const dismissed: ResourceKind<Desired, Seen> = {
  kind: 'dismissed',
  summary: 'The arbiter of the host knows the cluster no more; with its last cluster it is taken away.',
  fields,
  key: (desired) => clusterDir(desired),
  describe: (desired) => `no arbiter of ${desired.cluster} in ${desired.directory}`,
  probe: (desired) => ({
    shell: `unseen ${quote(arbiterPidFile(desired))}
case $unseen in closed*) echo "$unseen"; exit;; esac
if [ ! -e ${quote(desired.directory)} ]${desired.unit ? ` && [ ! -e ${quote(unitFile(desired.unit))} ]` : ''}; then echo absent; exit; fi
${findOthers(desired)}
echo "others$others"
if [ -e ${quote(clusterDir(desired))} ]; then echo known; fi
:`,
  }),
  read: (reply) => {
    const [first = '', ...rest] = reply.stdout.split('\n');
    const hidden = closed(first);
    if (hidden) return unknown(hidden);
    if (first === 'absent') return absent;
    if (reply.status !== 0 || !first.startsWith('others'))
      return unknown(reply.stderr.trim() || 'the arbiter could not be looked at');
    return present({ others: first.split(' ').slice(1), known: rest.includes('known') });
  },
  diff: (desired, observed) => {
    if (observed.state === 'absent') return same(`no arbiter in ${desired.directory}`);
    const { others, known } = observed.value;
    if (others.length === 0)
      return change({
        summary: `stop the arbiter, and delete ${desired.directory}${desired.unit ? ` and unit ${desired.unit}.service` : ''}`,
        reason: 'it serves no other cluster',
      });
    if (known)
      return change({
        summary: `delete ${clusterDir(desired)}`,
        reason: `the cluster goes; the arbiter goes on for ${others.join(', ')}`,
      });
    return same(`the arbiter in ${desired.directory} knows ${others.join(', ')}, and not ${desired.cluster}`);
  },
  steps: (_change, desired) => [
    { title: `dismiss the arbiter of ${desired.cluster}`, script: dismissal(desired) },
  ],
};

/** Whether it is the last one is looked at again: another cluster may have come meanwhile. */
const dismissal = (desired: Desired): string => `${vacating}
rm -rf ${quote(clusterDir(desired))}
${findOthers(desired)}
if [ -n "$others" ]; then
if controller ${quote(arbiterPidFile(desired))}; then ${tellArbiter(desired, 'reload')}; fi
exit 0
fi
${desired.unit ? `if [ -e ${quote(unitFile(desired.unit))} ]; then ${tellArbiter(desired, 'stop')}; fi\n${removeUnit(desired.unit)}` : tellArbiter(desired, 'stop')}
d=${quote(desired.directory)}
if [ ! -d "$d" ]; then exit 0; fi
find "$d" -xdev -mindepth 1 -delete
if ! mountpoint -q "$d"; then rmdir "$d"; vacate_above "$d"; fi`;
