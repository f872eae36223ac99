/**
 * reloaded: the instance and the controller of a server have read their files: since the moment that is named, or since these were written.
 * Files that the server cannot read are refused, since it would go on with the old ones without a word; what waits for a restart is said.
 */
import { quote, sh } from '../../base/shell.ts';
import { moment } from '../../base/units.ts';
import { effectScript } from '../contract/effects.ts';
import { optional, text } from '../contract/field.ts';
import { type DesiredOf, serverFields } from '../contract/fields.ts';
import { change, type ResourceKind, refuse, same } from '../contract/kind.ts';
import { controllerPidFile } from '../contract/preamble.ts';
import {
  fileProblems,
  type RunningServer,
  readRunning,
  runningProbe,
  waitingForRestart,
} from './running-observation.ts';

const fields = serverFields({
  unit: optional(text('the systemd unit of the controller, if there is one')),
  since: optional(
    text(
      'when the instance had read its files before; without it they are read where they are newer than what was read',
    ),
  ),
});
type Desired = DesiredOf<typeof fields>;

export const reloaded: ResourceKind<Desired, RunningServer> = {
  kind: 'reloaded',
  summary: 'The instance and the controller have read their files.',
  fields,
  key: () => 'files read',
  describe: ({ id }) => `files read by ${id}`,
  probe: (desired) => runningProbe(desired),
  read: readRunning,
  diff: (desired, observed) => {
    if (observed.state === 'absent') return same('nothing to say');
    const seen = observed.value;
    const { id } = desired;
    if (!seen.instance && seen.controllerRead === undefined)
      return same(`${id} does not run: it reads its files when it starts`);
    const problems = fileProblems(seen);
    if (problems.length > 0)
      return refuse({
        code: 'SAF046',
        what: `the files of ${id} are not read: ${problems[0]}${problems.length > 1 ? `, and ${problems.length - 1} more` : ''}`,
        why: 'the server would go on with what it has read before and say so in its log alone, and would not start the next time',
        fix: 'Repair what is listed below, or the inventory that it comes from; then run the same command again.',
        evidence: problems,
      });
    const due = dueReasons(desired, seen);
    if (due.length === 0) return same(reading(desired, seen));
    return change({
      summary: `make ${who(seen)} of ${id} read ${seen.live && seen.controllerRead !== undefined ? 'their' : 'its'} files`,
      reason: due.join('; '),
      notes: restartNotes(seen),
    });
  },
  steps: (_change, desired) => [{ title: `reload ${desired.id}`, script: reloadScript(desired) }],
};

const who = ({ live, controllerRead }: RunningServer): string =>
  [...(live ? ['the instance'] : []), ...(controllerRead === undefined ? [] : ['the controller'])].join(
    ' and ',
  );

function dueReasons({ since }: Desired, { live, controllerRead, written, configured }: RunningServer) {
  if (live && since !== undefined)
    return Number(live.loaded) > Number(since) ? [] : [`read last ${moment(Number(live.loaded))}`];
  return [
    ...(live && written > Number(live.loaded) ? ['the instance has older ones'] : []),
    ...(controllerRead !== undefined && configured > controllerRead ? ['the controller has older ones'] : []),
  ];
}

function reading({ id }: Desired, seen: RunningServer): string {
  const { live, controllerRead } = seen;
  const at = live ? Number(live.loaded) : (controllerRead ?? 0);
  const waiting = waitingForRestart(seen);
  const behind = waiting.length === 0 ? '' : `; in force after a restart only: ${waiting.join(', ')}`;
  const without = live
    ? controllerRead === undefined
      ? '; no controller runs'
      : ''
    : '; the instance does not run';
  return `${id}: files read ${moment(at)}${without}${behind}`;
}

const restartNotes = (seen: RunningServer): readonly string[] => {
  const waiting = waitingForRestart(seen);
  return waiting.length === 0
    ? []
    : [`in force after a restart only (pgduet restart --pending): ${waiting.join(', ')}`];
};

/** A controller that finds a mistake in its files goes on with the old ones; what it has said of it is the message. */
const reloadScript = (desired: Desired): string => {
  const { managementDir, id, unit, mcCtl } = desired;
  const place = { instance: desired, id, managementDir, mcCtl, ...(unit ? { unit } : {}) };
  const pidFile = quote(controllerPidFile(desired));
  const log = unit
    ? sh`journalctl -u ${unit} -n 8 --no-pager -o cat`
    : sh`peek tail -n 8 ${`${managementDir}/${id}.log`}`;
  return `${effectScript({ action: 'reload', target: 'instance' }, place)}
if controller ${pidFile}; then
was=$(stat -c %.9Y ${pidFile})
${effectScript({ action: 'reload', target: 'controller' }, place)}
if [ "$(stat -c %.9Y ${pidFile})" = "$was" ]; then
${log} >&2 || :
echo ${quote(`the controller of ${id} has not taken its files over`)} >&2
exit 1
fi
fi`;
};
