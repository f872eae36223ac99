/**
 * switchover: a named server is primary. On the present primary its step has the Mirroring Controller switch: checkpoint,
 * the wait for replay, fast shutdown, the proof that nothing is missing, promotion; the old primary follows at once. What forbids it is refused.
 */
import { advised, here } from '../../base/command.ts';
import { quote, sh } from '../../base/shell.ts';
import { optional, text } from '../contract/field.ts';
import { type DesiredOf, serverFields } from '../contract/fields.ts';
import {
  absent,
  change,
  type Progress,
  present,
  type ResourceKind,
  refuse,
  same,
  unknown,
} from '../contract/kind.ts';
import { answers } from '../contract/preamble.ts';
import { controllerProbe, mcCtlCommand, readControllerStatus } from './controller-status.ts';
import {
  type Live,
  liveQuery,
  notes,
  obstacle,
  reasonFor,
  type SwitchObservation,
} from './switch-observation.ts';

const fields = serverFields(
  {
    to: text('name of the server that becomes primary'),
    max_wait: optional(
      text(
        'so many seconds it may take until that server has replayed enough; without it as `mc_ctl switch` says',
      ),
    ),
  },
  (values, { server }) => ({ ...server, ...values, instance: server }),
);
type Desired = DesiredOf<typeof fields>;

export const switchover: ResourceKind<Desired, SwitchObservation> = {
  kind: 'switchover',
  movesRoles: true,
  summary: 'A named standby becomes primary, and the primary follows it; belongs on the primary.',
  fields,
  key: (desired) => desired.to,
  describe: (desired) => `${desired.to} as primary`,
  // What is done to the server behind it waits for a look at what it has become.
  touches: ({ instance }) => instance.dataDir,
  probe: (desired) =>
    // Once it is primary there is nothing to ask: a second look, behind the switch, must not fail at a starting controller.
    desired.to === desired.id
      ? { sql: liveQuery }
      : {
          shell: `echo "ready $(peek find ${quote(`${desired.instance.dataDir}/pg_wal/archive_status/`)} -name '*.ready' 2>/dev/null | wc -l)"
${controllerProbe(desired)}`,
          sql: liveQuery,
        },
  read: (reply, desired) => {
    if (!reply.sql) return unknown(reply.sqlProblem ?? 'the server did not answer');
    const live = reply.sql as Live;
    if (desired.to === desired.id) return present({ report: nothingAsked, live, ready: 0 });
    const [first = '', ...rest] = reply.stdout.split('\n');
    const observation = readControllerStatus({ ...reply, stdout: rest.join('\n') }, desired.id);
    if (observation.state === 'unseen') return unknown(observation.reason);
    if (observation.state !== 'running') return absent;
    return present({ report: observation.report, live, ready: Number(first.replace('ready ', '')) });
  },
  diff: (desired, observed) => {
    if (observed.state === 'absent')
      return refuse({
        code: 'SAF010',
        what: `a switch to '${desired.to}' is not possible now: no controller runs on ${desired.id}`,
        why: 'the Mirroring Controller carries the switch out, and only it can prove that nothing is lost',
        ...advised`Start it (${here`pgduet start ${desired.id}`}), then run the same command again.`,
      });
    const seen = observed.value;
    const leads = seen.report.servers.find((server) => server.host_role === 'primary')?.server_id;
    if (desired.to === desired.id || desired.to === leads)
      return same(`${desired.to} is primary, with timeline ${seen.live.timeline}`);
    const problem = obstacle(desired.to, seen);
    if (problem) return refuse(problem);
    return change({
      summary: `make ${desired.to} primary; ${desired.id} follows it as standby`,
      reason: reasonFor(desired.to, seen),
      notes: notes(desired.id, desired.to, seen, desired.maxWait),
    });
  },
  steps: (_change, desired) => [
    {
      title: `switch ${desired.id} to ${desired.to}`,
      script: `${meanwhile(desired)}
if said=$(${mcCtlCommand(desired, asked(desired))} 2>&1); then kill "$telling" 2>/dev/null || :
else
kill "$telling" 2>/dev/null || :
printf '%s\\n' "$said" >&2; ${mcCtlCommand(desired, 'status')} >&2 || :; exit 1; fi`,
      progress: switchProgress,
    },
    {
      // What keeps it from coming back is reported by the proof behind it, with better words.
      title: `wait for ${desired.id} as standby`,
      script: `n=0
until ${answers(desired.instance)} || [ $n -gt 600 ]; do n=$((n + 1)); sleep 0.05; done`,
    },
  ],
};

/**
 * Shell: every few seconds, in the background, what the controller says of itself in the file that it renews; its process is in telling.
 * It ends with the switch, with whoever listens, or after the longest switch that there is.
 */
const meanwhile = ({ managementDir, id }: Desired): string => `( n=0
while [ $n -lt 1200 ]; do
  sleep 3 2>/dev/null; n=$((n + 1))
  why=$(peek sed -n 's/.*"reason":"\\([^"\\]*\\).*/\\1/p' ${quote(`${managementDir}/${id}.status.json`)} 2>/dev/null | head -n 1) || :
  echo "meanwhile \${why:-the controller does not say what it waits for}" >&2 || exit 0
done ) </dev/null >/dev/null &
telling=$!`;

export function switchProgress(line: string): Progress | undefined {
  const said = /^meanwhile (.+)$/.exec(line)?.[1];
  return said === undefined ? undefined : { meanwhile: said };
}

const asked = ({ to, maxWait }: Desired): string =>
  sh`switch --to ${to}` + (maxWait === undefined ? '' : sh` --max-wait ${maxWait}`);

/** Stands for the report where none is needed. */
const nothingAsked: SwitchObservation['report'] = {
  mirroring_status: '',
  reason: null,
  advice: null,
  since: '',
  failover: 'enabled',
  servers: [],
};
