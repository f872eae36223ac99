/**
 * duty: the controllers know what this server may do, and commits do not wait for it where they must not. It changes nothing: a
 * controller reads its file, and the primary changes its promise. The step waits for that, before anybody looks at the names.
 */
import { quote } from '../../base/shell.ts';
import { integer, oneOf } from '../contract/field.ts';
import { type DesiredOf, serverFields } from '../contract/fields.ts';
import { change, type Difference, type ResourceKind, same } from '../contract/kind.ts';
import { type ControllerReport, controllerProbe, mcCtlCommand, readReport } from './controller-status.ts';

const fields = serverFields(
  {
    takeover: oneOf(['allowed', 'never'], 'whether it may become primary without a person', 'allowed'),
    priority: integer('of several with the same data the highest takes over', 100),
    replication: oneOf(['synchronous', 'asynchronous'], 'whether commits may wait for it', 'synchronous'),
    timeout: integer('seconds to wait', 60),
  },
  ({ timeout, ...duty }, { server }) => ({ ...server, ...duty, timeoutSeconds: timeout }),
);
type Desired = DesiredOf<typeof fields>;
type Row = ControllerReport['servers'][number];

export const duty: ResourceKind<Desired, ControllerReport> = {
  kind: 'duty',
  waits: true,
  summary: 'The controllers know what a server may do, and commits do not wait for an asynchronous one.',
  fields,
  key: () => 'told',
  describe: (desired) => `what ${desired.id} may do`,
  probe: (desired) => ({ shell: controllerProbe(desired) }),
  read: (reply, desired) => readReport(reply, desired.id),
  diff: (desired, observed) => {
    const report = observed.state === 'present' ? observed.value : undefined;
    const row = report?.servers.find(({ server_id }) => server_id === desired.id);
    const differences = row ? dutyDifferences(desired, row) : [];
    // That no controller runs is told by others.
    if (!row || differences.length === 0) return same(dutyWords(desired));
    return change({
      summary: `wait until the controllers know: ${dutyWords(desired)}`,
      reason: differences.map(({ found }) => found).join('; '),
      differences,
    });
  },
  steps: (_change, desired) => [
    { title: `wait until ${desired.id} has told its duty`, script: waitScript(desired) },
  ],
};

/** "an asynchronous copy" */
export const dutyWords = ({
  takeover,
  priority,
  replication,
}: Pick<Desired, 'takeover' | 'priority' | 'replication'>) =>
  replication === 'asynchronous'
    ? 'an asynchronous copy'
    : takeover === 'never'
      ? 'it takes over only by a person'
      : `it may take over, with priority ${priority}`;

export interface TellingDuty {
  readonly takeover: 'allowed' | 'never';
  readonly priority: number;
  readonly replication: 'synchronous' | 'asynchronous';
}

/** Null of a controller that tells none. */
export function tellingDuty(row: Row): TellingDuty | null {
  const { takeover = null, takeover_priority: priority = null, replication = null } = row;
  return takeover === null || priority === null || replication === null
    ? null
    : { takeover, priority, replication };
}

/** Waited for, or about to be. */
const waitedFor: readonly string[] = ['sync', 'quorum', 'potential'];

function dutyDifferences(desired: Desired, row: Row): readonly Difference[] {
  const { id } = desired;
  const source = `mc_ctl status on ${id}`;
  const told = tellingDuty(row);
  if (told === null)
    return [{ code: 'CTL009', object: id, declared: dutyWords(desired), found: 'it tells no duty', source }];
  const { takeover, priority, replication } = told;
  if (takeover !== desired.takeover || priority !== desired.priority || replication !== desired.replication)
    return [{ code: 'CTL009', object: id, declared: dutyWords(desired), found: dutyWords(told), source }];
  if (replication === 'synchronous' || !waitedFor.includes(row.sync_state ?? '')) return [];
  return [
    {
      code: 'CTL010',
      object: id,
      declared: 'commits do not wait for it',
      found: `sync_state ${row.sync_state}`,
      source,
    },
  ];
}

/** In the file that the controller keeps of what it knows, a server is an object without any other one in it. */
function waitScript(desired: Desired): string {
  const shown = quote(`${desired.managementDir}/${desired.id}.status.json`);
  const id = desired.id.replaceAll('.', '[.]');
  const state = desired.replication === 'asynchronous' ? `"sync_state":("async"|null)[^}]*` : '';
  const told = `"takeover":"${desired.takeover}","takeover_priority":${desired.priority},"replication":"${desired.replication}"`;
  return `n=0
until [ -f ${shown} ] && contents ${shown} | grep -qE ${quote(`"server_id":"${id}"[^}]*${state}${told}`)}; do
  n=$((n + 1))
  if [ $n -gt ${desired.timeoutSeconds * 10} ]; then ${mcCtlCommand(desired, 'status')} >&2; exit 1; fi
  sleep 0.1
done`;
}
