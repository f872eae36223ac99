/**
 * retired: the Mirroring Controller and the instance of a server are stopped for good, and nothing starts them again: the
 * unit is gone, and what kept a former unit from starting is gone too. A standby that is stopped in order is taken out by the
 * controller of the primary before its WAL stops, so that no commit waits for it.
 */

import { quote, sh } from '../../base/shell.ts';
import { optional, text } from '../contract/field.ts';
import { type DesiredOf, serverFields } from '../contract/fields.ts';
import { change, present, type ResourceKind, type Step, same, unknown } from '../contract/kind.ts';
import { controllerPidFile } from '../contract/preamble.ts';
import { replyLines } from '../contract/replies.ts';
import { stopServer } from '../contract/stop-server.ts';
import { mcCtlCommand } from '../controller/controller-status.ts';
import { untilSettled } from '../controller/settled.ts';
import { makingFile, systemFile } from '../data/data-directory.ts';
import { findDropIns, unitOfDropIn } from '../data/record.ts';
import { findUnit, keptBeside, keptNotes, removeUnit, unitFile } from '../system/unit-files.ts';

const fields = serverFields({
  unit: optional(text('the systemd unit of the controller; without it `mc_ctl stop` stops the controller')),
  plain_unit: optional(text('the unit that `single` makes; it is removed, too')),
});
type Desired = DesiredOf<typeof fields>;

interface Seen {
  readonly unit: boolean;
  readonly plain: boolean;
  readonly controller: boolean;
  readonly instance: boolean;
  readonly dropIns: readonly string[];
  /** Drop-ins of its units that a person has written. */
  readonly beside: readonly string[];
}

const place = (desired: Desired) => ({
  dataDir: desired.dataDir,
  managementDir: desired.managementDir,
  id: desired.id,
});

export const retired: ResourceKind<Desired, Seen> = {
  kind: 'retired',
  summary: 'The Mirroring Controller and the instance are stopped, and nothing starts them again.',
  fields,
  key: () => 'stopped',
  describe: (desired) => `Mirroring Controller and instance of ${desired.id} stopped`,
  // What is deleted behind it waits for a look at what the stop has left.
  touches: (desired) => desired.dataDir,
  probe: (desired) => ({
    shell: `${desired.unit ? `${findUnit(desired.unit, 'unit')}\n${findDropIns(desired)} | sed 's/^/dropin /'` : ''}
if controller ${quote(controllerPidFile(desired))}; then echo controller; fi
if [ -e ${quote(systemFile(place(desired)))} ] || [ -e ${quote(makingFile(place(desired)))} ]; then
if postmaster ${quote(desired.dataDir)}; then echo instance; fi
${desired.plainUnit ? findUnit(desired.plainUnit, 'plain') : ''}
fi
echo looked`,
  }),
  read: (reply) => {
    const lines = replyLines(reply.stdout);
    if (lines.last !== 'looked') return unknown(reply.stderr.trim() || 'the server could not be looked at');
    return present({
      unit: lines.has('unit'),
      plain: lines.has('plain'),
      controller: lines.has('controller'),
      instance: lines.has('instance'),
      dropIns: lines.all('dropin'),
      beside: ['unit', 'plain'].flatMap((word) => keptBeside(lines, word)),
    });
  },
  diff: (desired, observed) => {
    const seen = observed.state === 'present' ? observed.value : undefined;
    const runs = seen?.controller || seen?.instance;
    if (!seen || !(runs || seen.unit || seen.plain || seen.dropIns.length > 0))
      return same(`${desired.id}: no controller, no instance of ours, and no unit that would start one`);
    const what = [
      ...(seen.controller ? ['the Mirroring Controller'] : []),
      ...(seen.instance ? ['the instance'] : []),
    ];
    const verbs = [
      ...(what.length > 0 ? [`stop ${what.join(' and ')} of ${desired.id}`] : []),
      ...(seen.unit ? [`remove unit ${desired.unit}.service`] : []),
      ...(seen.plain ? [`remove unit ${desired.plainUnit}.service`] : []),
      ...(seen.dropIns.length > 0 ? [`disable ${seen.dropIns.map(unitOfDropIn).join(', ')}`] : []),
    ];
    const notes = seen.unit || seen.plain ? keptNotes(seen.beside) : [];
    return change({
      summary: verbs.join(', '),
      reason: `${desired.id} goes`,
      ...(notes.length > 0 ? { notes } : {}),
    });
  },
  steps: (_change, desired): readonly Step[] => [
    { title: `stop the controller and the instance of ${desired.id}`, script: stopScript(desired) },
    ...(desired.unit
      ? [{ title: `remove unit ${desired.unit}.service`, script: unitScript(desired, desired.unit) }]
      : []),
  ],
};

/** Through the controller where one runs, so that the others know of it; what it leaves is stopped without. */
const stopScript = (desired: Desired): string => `controller ${quote(controllerPidFile(desired))} || :
${untilSettled(desired)}
${desired.unit ? `if [ -e ${quote(unitFile(desired.unit))} ]; then ${sh`systemctl stop ${`${desired.unit}.service`}`}; fi` : ''}
if controller ${quote(controllerPidFile(desired))}; then ${mcCtlCommand(desired, 'stop')} >&2; fi
if [ -e ${quote(systemFile(place(desired)))} ] || [ -e ${quote(makingFile(place(desired)))} ]; then
if postmaster ${quote(desired.dataDir)}; then ${stopServer(desired.owner, desired.dataDir, 120)}; fi
fi`;

const unitScript = (desired: Desired, unit: string): string => `for f in $(${findDropIns(desired)}); do
  u=\${f%.d/*}; systemctl --quiet --no-reload disable "\${u##*/}" 2>/dev/null || :
  rm -f "$f"; rmdir "\${f%/*}" 2>/dev/null || :
done
${removeUnit(unit)}
${desired.plainUnit ? `if [ -e ${quote(systemFile(place(desired)))} ]; then\n${removeUnit(desired.plainUnit)}\nfi` : ''}`;
