/**
 * restarted: the instance of a server was started after the moment that is named; without one, nothing waits for a restart. The restart itself is an
 * effect, as behind a change of a setting: in order, one server after the other, the primary last, and announced, so that nobody takes over.
 */
import { advised, here } from '../../base/command.ts';
import type { Diagnostic } from '../../base/diagnostic.ts';
import { moment } from '../../base/units.ts';
import { list, oneOf, optional, text } from '../contract/field.ts';
import { type DesiredOf, serverFields } from '../contract/fields.ts';
import { change, type ResourceKind, refuse, same } from '../contract/kind.ts';
import {
  fileProblems,
  type RunningServer,
  readRunning,
  runningProbe,
  untilInSync,
  waitingForRestart,
} from './running-observation.ts';
import { sessionNotes } from './sessions.ts';

const fields = serverFields({
  since: optional(
    text(
      'when the instance had been started before; without it, it is restarted where a setting waits for that',
    ),
  ),
  primary: optional(text('the primary, for messages about a standby')),
  behind: list('standbys that have to be in sync before'),
  by_switch: oneOf(['yes', 'no'], 'yes: the server gives its role away first, which restarts it', 'no'),
});
type Desired = DesiredOf<typeof fields>;

export const restarted: ResourceKind<Desired, RunningServer> = {
  kind: 'restarted',
  summary: 'The instance was started again; standbys first, one after the other.',
  fields,
  key: ({ id }) => id,
  describe: ({ id }) => `restart of ${id}`,
  // A switch on the same server restarts it: that is seen before.
  touches: ({ dataDir }) => dataDir,
  probe: (desired) => runningProbe(desired),
  read: readRunning,
  diff: (desired, observed) => {
    if (observed.state === 'absent') return same('nothing to say');
    const seen = observed.value;
    const { id, since } = desired;
    const waiting = waitingForRestart(seen);
    const started = Number(seen.live?.started ?? 0);
    if (seen.live && since === undefined && waiting.length === 0)
      return same(`${id}: runs since ${moment(started)}, and nothing waits for a restart`);
    if (seen.live && since !== undefined && started > Number(since))
      return same(`${id}: restarted ${moment(started)}`);
    const problem = obstacle(desired, seen);
    if (problem) return refuse(problem);
    return change({
      summary: `restart ${id}`,
      reason:
        waiting.length > 0 ? `in force only then: ${waiting.join(', ')}` : `it runs since ${moment(started)}`,
      notes: notes(desired, seen),
      effects: [{ action: 'restart', target: 'instance' }],
    });
  },
  steps: (_change, desired) => {
    const names = desired.behind.filter((name) => name !== desired.id);
    return names.length === 0
      ? []
      : [{ title: `wait until ${names.join(', ')} is in sync`, script: untilInSync(desired, names) }];
  },
};

function obstacle({ id, primary }: Desired, seen: RunningServer): Diagnostic | undefined {
  if (!seen.instance || seen.controllerRead === undefined)
    return {
      code: 'SAF060',
      what: `${id} cannot be restarted: ${seen.instance ? 'no controller runs on it' : 'it does not run'}`,
      why: 'a restart goes through the controller, which tells the others that it is none of a fault',
      ...advised`Start it (${here`pgduet start ${id}`}), then run the same command again.`,
    };
  const problems = fileProblems(seen);
  if (problems.length > 0)
    return {
      code: 'SAF046',
      what: `${id} would not start again: ${problems[0]}${problems.length > 1 ? `, and ${problems.length - 1} more` : ''}`,
      why: 'it runs with what it has read before; nothing has been restarted on any server',
      fix: 'Repair what is listed below, or the inventory that it comes from; then run the same command again.',
      evidence: problems,
    };
  const low = [...seen.floor].filter(([name, least]) => Number(seen.live?.limits[name] ?? least) < least);
  if (low.length === 0 || !seen.live?.recovery) return undefined;
  const before = primary ?? 'the primary';
  return {
    code: 'SAF061',
    what: `${id} would not start again: ${low.map(([name, least]) => `${name} is ${seen.live?.limits[name]} in its files, and ${least} on ${before}`).join('; ')}`,
    why: 'a standby needs at least what its primary has: a lower value goes to the primary first',
    ...(primary
      ? advised`Restart the primary first, then the standbys: ${here`pgduet restart ${primary}`}, then ${here`pgduet restart ${id}`}.`
      : { fix: 'Restart the primary first, then the standbys.' }),
  };
}

function notes({ bySwitch }: Desired, { live, failoverOff }: RunningServer): readonly string[] {
  if (!live) return [];
  const sessions = sessionNotes(live);
  if (live.recovery)
    return [
      failoverOff
        ? 'automatic switching is off: commits may wait for it until it is back'
        : 'commits do not wait for it meanwhile; the next server waits until it is back and in sync',
      ...sessions,
    ];
  if (bySwitch === 'yes') return ['it gives its role away first, and is started again as a standby by that'];
  return ['in place: it stays primary, nobody takes over, and writes wait until it is back', ...sessions];
}
