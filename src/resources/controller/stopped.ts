/**
 * stopped: a server is down, with its controller, and stays down across a reboot of its host, as a person has asked (ADR 20); or nothing of that keeps it
 * down any more. Its steps go through the controller where one runs, so that the others take the stop for no fault.
 */
import { quote } from '../../base/shell.ts';
import { stoppedBy } from '../../base/stopped-words.ts';
import { list, oneOf, optional, text } from '../contract/field.ts';
import { type DesiredOf, serverFields } from '../contract/fields.ts';
import { hostService, service } from '../contract/host-service.ts';
import {
  type Change,
  change,
  type ResourceKind,
  refuse,
  type Step,
  same,
  type Verdict,
} from '../contract/kind.ts';
import { controllerPidFile, untilGone } from '../contract/preamble.ts';
import { stopServer } from '../contract/stop-server.ts';
import { removeRecord, stoppedFile, writeRecord } from '../contract/stopped-record.ts';
import { mcCtlCommand } from './controller-status.ts';
import { untilSettled } from './settled.ts';
import { obstacle, readStop, type StopObservation, stopNotes, stopProbe } from './stop-observation.ts';

const fields = serverFields(
  {
    state: oneOf(['stopped', 'released'], 'released: nothing of a stop keeps it down any more', 'stopped'),
    unit: service('the systemd unit or the init script of the controller, if there is one'),
    by: text('who has asked for it', 'somebody'),
    names: list('all servers that stop'),
    all: oneOf(['yes', 'no'], 'yes: no server of the cluster goes on', 'no'),
    to: optional(text('the server that becomes primary first, if it is primary itself')),
  },
  (values, { server }) => ({ ...server, ...values, all: values.all === 'yes' }),
);
type Desired = DesiredOf<typeof fields>;

interface StopChange extends Change {
  readonly runs: boolean;
}

export const stopped: ResourceKind<Desired, StopObservation, StopChange> = {
  kind: 'stopped',
  summary: 'A server is down, and stays down, as a person has asked; or may run again.',
  fields,
  key: ({ id }) => id,
  describe: ({ id, state }) => (state === 'stopped' ? `stop of ${id}` : `end of the stop of ${id}`),
  // Behind a switch it is looked at anew.
  touches: ({ dataDir }) => dataDir,
  probe: stopProbe,
  read: (reply, { id }) => readStop(reply, id),
  diff: (desired, observed) => {
    if (observed.state === 'absent') return same('nothing to say');
    return desired.state === 'stopped'
      ? judgeStop(desired, observed.value)
      : judgeEnd(desired, observed.value);
  },
  steps: ({ runs }, desired) => (desired.state === 'stopped' ? stopSteps(desired, runs) : [endStep(desired)]),
};

function judgeStop(desired: Desired, seen: StopObservation): Verdict<StopChange> {
  const { id } = desired;
  const { record, enabled, controller, instance } = seen;
  const runs = controller || instance;
  if (!runs && record && !enabled) return same(`${id} is down and stays down: ${stoppedBy(record)}`);
  if (!runs)
    return change({
      runs,
      summary: `keep ${id} down`,
      reason: record
        ? 'it is down, and would start when its host boots'
        : 'it is down, and nothing says that it is meant',
      notes: [`it stays down, also across a reboot of its host, until: pgduet start ${id}`],
    });
  const problem = obstacle(desired, seen);
  if (problem) return refuse(problem);
  return change({
    runs,
    summary: `stop ${id}`,
    reason: record ? `it runs, although it was ${stoppedBy(record)}` : 'it runs',
    notes: stopNotes(desired, seen),
  });
}

function judgeEnd({ id }: Desired, { record, enabled }: StopObservation): Verdict<StopChange> {
  if (!record) return same(`nothing keeps ${id} down`);
  return change({
    runs: false,
    summary: `end the stop of ${id}`,
    reason: `${stoppedBy(record)}${enabled ? '; its unit is enabled again' : ''}`,
  });
}

const disable = ({ unit }: Desired): string => hostService(unit)?.disable ?? ':';

/** What is meant is written down first: whatever is interrupted, the record says it. */
function stopSteps(desired: Desired, runs: boolean): readonly Step[] {
  const keep = `if [ ! -e ${quote(stoppedFile(desired))} ]; then ${writeRecord(desired, desired.by)}; fi
${disable(desired)}`;
  if (!runs) return [{ title: `keep ${desired.id} down`, script: keep }];
  return [{ title: `stop ${desired.id}`, script: stopScript(desired, keep) }];
}

const stopSeconds = 600;

const stopScript = (desired: Desired, keep: string): string => {
  const pidFile = quote(controllerPidFile(desired));
  const starter = hostService(desired.unit);
  return `if [ -e ${quote(stoppedFile(desired))} ]; then before=yes; else before=; fi
controller ${pidFile} || :
${untilSettled(desired)}
${keep}
if controller ${pidFile}; then
if ! ${mcCtlCommand(desired, 'stop')} >&2; then
# It goes on, and so what was to keep it down goes.
if [ -z "$before" ] && controller ${pidFile}; then
${removeRecord(desired)}
${enable(desired)}
fi
exit 1
fi
${untilGone(starter?.unit, stopSeconds)}
fi
${starter ? `# A controller that is just being started again is none that could be asked.\n${starter.stop}` : ''}
if postmaster ${quote(desired.dataDir)}; then ${stopServer(desired.owner, desired.dataDir, stopSeconds)}; fi`;
};

const enable = ({ unit }: Desired): string => hostService(unit)?.enable ?? ':';

const endStep = (desired: Desired): Step => ({
  title: `end the stop of ${desired.id}`,
  script: `${removeRecord(desired)}
${enable(desired)}`,
});
