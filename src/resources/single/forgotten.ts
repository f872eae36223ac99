/**
 * forgotten: the management directory is not there any more, with all that it remembers; the last thing of a teardown on a
 * host. What says whose data stands there goes first and the record of a former server last, so that a run that is
 * interrupted never takes a server for something that it is not.
 */
import { quote } from '../../base/shell.ts';
import { type DesiredOf, serverFields } from '../contract/fields.ts';
import { absent, change, present, type ResourceKind, refuse, same, unknown } from '../contract/kind.ts';
import { makingFile, systemFile } from '../data/data-directory.ts';
import { beforeFile } from '../data/record.ts';
import { vacating } from '../system/vacate.ts';

const fields = serverFields({});
type Desired = DesiredOf<typeof fields>;

interface Seen {
  /** It is gone, and the empty directory that it stood in is not. */
  readonly orphan: boolean;
  readonly ours: boolean;
  readonly mount: boolean;
  readonly files: readonly string[];
}

const place = ({ managementDir, id, dataDir }: Desired) => ({ managementDir, id, dataDir });

export const forgotten: ResourceKind<Desired, Seen> = {
  kind: 'forgotten',
  summary: 'The management directory is gone, with all that stands in it.',
  fields,
  key: (desired) => desired.managementDir,
  touches: (desired) => desired.managementDir,
  describe: (desired) => `no management directory ${desired.managementDir}`,
  probe: (desired) => ({
    shell: `m=${quote(desired.managementDir)}
${vacating}
if [ ! -d "$m" ]; then if orphan "$m"; then echo orphan; else echo absent; fi; exit; fi
names=$(ls -A "$m") || exit 1
if mountpoint -q "$m"; then echo mount; else echo directory; fi
if [ -z "$names" ] || [ -e "$m/network.conf" ] || [ -e "$m/cluster.key" ] || [ -e ${quote(systemFile(place(desired)))} ] || [ -e ${quote(makingFile(place(desired)))} ] || [ -e ${quote(beforeFile(desired))} ]; then echo ours; else echo foreign; fi
echo "$names" | head -n 8`,
  }),
  read: (reply) => {
    const [type, whose, ...files] = reply.stdout.trim().split('\n');
    if (
      reply.status !== 0 ||
      (type !== 'absent' && type !== 'orphan' && whose !== 'ours' && whose !== 'foreign')
    )
      return unknown(reply.stderr.trim() || 'the management directory could not be looked at');
    if (type === 'absent') return absent;
    return present({
      orphan: type === 'orphan',
      ours: whose === 'ours' || type === 'orphan',
      mount: type === 'mount',
      files,
    });
  },
  diff: (desired, observed) => {
    if (observed.state === 'absent') return same(`${desired.managementDir} is not there`);
    const { orphan, ours, mount, files } = observed.value;
    if (orphan)
      return change({
        summary: `remove the empty directory that ${desired.managementDir} stood in`,
        reason: 'nothing else is in it',
      });
    if (mount && files.length === 0) return same(`${desired.managementDir} is an empty mount point`);
    if (!ours)
      return refuse({
        code: 'SAF002',
        what: `the management directory '${desired.managementDir}' holds files that are not pgduet's`,
        why: 'it would be deleted as a whole',
        fix: 'Look at them; move them away, or correct multiplexing.management_dir in the inventory.',
        evidence: files.map((name) => `found: ${name}`),
      });
    return change({
      summary: `delete the management directory ${desired.managementDir}`,
      reason: 'no controller runs here any more',
    });
  },
  steps: (_change, desired) => [{ title: `delete ${desired.managementDir}`, script: script(desired) }],
};

const script = (desired: Desired): string => `${vacating}
m=${quote(desired.managementDir)}
if [ ! -d "$m" ]; then vacate_above "$m"; exit 0; fi
mc=$(head -n 1 "$m"/${quote(`${desired.id}.pid`)} 2>/dev/null | tr -dc 0-9)
if [ -n "$mc" ] && tr '\\0' ' ' < "/proc/$mc/cmdline" 2>/dev/null | grep -qF -- ${quote(` daemon -M ${desired.managementDir} `)}; then echo "the controller (process $mc) still runs" >&2; exit 1; fi
rm -f ${quote(systemFile(place(desired)))}; sync -f "$m"
find "$m" -xdev -mindepth 1 ! -name network.conf ! -path ${quote(beforeFile(desired))} -delete
rm -f "$m/network.conf"; sync -f "$m"
rm -f ${quote(beforeFile(desired))}
if ! mountpoint -q "$m"; then rmdir "$m"; vacate_above "$m"; fi`;
