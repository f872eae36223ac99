/**
 * register: the promise of the primary names those places that are to answer who may act on a silence, and this server hears them.
 * It changes nothing; its step waits for that. A server that is out is told by `mirroring`, and nothing is waited for meanwhile.
 */
import { quote } from '../../base/shell.ts';
import { integer, list } from '../contract/field.ts';
import { type DesiredOf, serverFields } from '../contract/fields.ts';
import { change, type Difference, type ResourceKind, same } from '../contract/kind.ts';
import { type ControllerReport, controllerProbe, mcCtlCommand, readReport } from './controller-status.ts';
import { outage } from './outage.ts';

const fields = serverFields(
  {
    places: list('names of the arbiter, or of the servers; left out: nobody answers'),
    timeout: integer('seconds to wait', 60),
  },
  ({ places, timeout }, { server }) => ({ ...server, places, timeoutSeconds: timeout }),
);
type Desired = DesiredOf<typeof fields>;

export const register: ResourceKind<Desired, ControllerReport> = {
  kind: 'register',
  waits: true,
  summary: 'The arbiter is heard, and the promise of the primary names who answers who may act on a silence.',
  fields,
  key: () => 'named',
  describe: (desired) => `who answers, on ${desired.id}`,
  probe: (desired) => ({ shell: controllerProbe(desired) }),
  read: (reply, desired) => readReport(reply, desired.id),
  diff: (desired, observed) => {
    const report = observed.state === 'present' ? observed.value : undefined;
    const differences = registerDifferences(desired, report);
    const [first] = differences;
    if (!first) return same(nobody(desired) ? 'no register is named' : `${answering(desired)}, and is named`);
    if (report && outage(report))
      return same('a server is out, and the register stays as it is', differences);
    return change({
      summary: nobody(desired)
        ? `wait until ${desired.id} knows that no register is named`
        : `wait until ${desired.id} knows that ${answering(desired)}, and is named`,
      reason: first.found,
      differences,
    });
  },
  steps: (_change, desired) => [{ title: 'wait for the register', script: waitScript(desired) }],
};

/** "arb1 answers" */
const answering = ({ places }: Desired): string =>
  places.length === 1 ? `${places[0]} answers` : `the majority of ${places.join(', ')} answers`;

const nobody = ({ places }: Desired): boolean => places.length === 0;

function registerDifferences(desired: Desired, report: ControllerReport | undefined): readonly Difference[] {
  // That no controller runs is told by others.
  if (!report) return nobody(desired) ? [] : [unnamed(desired, 'no controller runs on it')];
  return [...unheard(desired, report), ...misnamed(desired, report)];
}

function unheard(desired: Desired, report: ControllerReport): readonly Difference[] {
  const { arbiters = [], register: named } = report;
  const told = (object: string, found: string): Difference => ({
    code: 'ARB004',
    object,
    declared: 'it answers',
    found,
    source: `mc_ctl status --arbiter on ${desired.id}`,
  });
  const away = arbiters.filter(({ id, status }) => desired.places.includes(id) && status !== 'online');
  if (away.length > 0) return away.map(({ id, why }) => told(id, why ? `offline: ${why}` : 'offline'));
  if (!named || named.answers || misnamed(desired, report).length > 0) return [];
  return [told(desired.places.join(', '), 'too few are heard with the memory that the promise names')];
}

function misnamed(desired: Desired, { register: named }: ControllerReport): readonly Difference[] {
  const places = [...(named?.members ?? [])].sort();
  if (places.join() === [...desired.places].sort().join()) return [];
  return [unnamed(desired, places.length === 0 ? 'no register' : places.join(', '))];
}

const unnamed = (desired: Desired, found: string): Difference => ({
  code: 'ARB005',
  object: desired.id,
  declared: nobody(desired) ? 'no register' : desired.places.join(', '),
  found,
  source: `mc_ctl status --arbiter on ${desired.id}`,
});

/** What the controller shows of itself stands in its file as soon as it changes. */
const waitScript = (desired: Desired): string => {
  const shown = quote(`${desired.managementDir}/${desired.id}.status.json`);
  const members = [...desired.places]
    .sort()
    .map((name) => `"${name}"`)
    .join(',');
  const wanted = nobody(desired) ? '"register":null' : `"members":[${members}],"answers":true`;
  return `n=0
until [ -f ${shown} ] && contents ${shown} | grep -qF ${quote(wanted)}; do
  n=$((n + 1))
  if [ $n -gt ${desired.timeoutSeconds * 10} ]; then ${mcCtlCommand(desired, 'status --arbiter')} >&2; exit 1; fi
  sleep 0.1
done`;
};
