/**
 * identities: the controller of this server and its peers have proven their own keys to each other (ADR 30), by its own word. It changes nothing; its
 * step waits for that. A server that is out is told by `mirroring`, and nothing is waited for meanwhile.
 */
import { quote } from '../../base/shell.ts';
import { integer, list, optional, text } from '../contract/field.ts';
import { type DesiredOf, serverFields } from '../contract/fields.ts';
import { change, type Difference, type ResourceKind, same } from '../contract/kind.ts';
import { type ControllerReport, controllerProbe, readReport } from './controller-status.ts';
import { outage } from './outage.ts';

const fields = serverFields(
  {
    peers: list('names of the servers that have a key of their own; left out: none is waited for'),
    arbiter: optional(text('name of the arbiter, where it has one, too')),
    timeout: integer('seconds to wait', 60),
  },
  ({ peers, arbiter, timeout }, { server }) => ({
    ...server,
    // Before anybody has one, that of an arbiter is of no use.
    peers: [...peers, ...(arbiter ? [arbiter] : [])],
    ...(arbiter ? { arbiter } : {}),
    timeoutSeconds: timeout,
  }),
);
type Desired = DesiredOf<typeof fields>;

export const identities: ResourceKind<Desired, ControllerReport> = {
  kind: 'identities',
  waits: true,
  summary: 'The controllers have proven to each other which server they are, each by a key of its own.',
  fields,
  key: () => 'proven',
  describe: ({ id }) => `keys that were proven to ${id}`,
  probe: (desired) => ({ shell: controllerProbe(desired) }),
  read: (reply, { id }) => readReport(reply, id),
  diff: (desired, observed) => {
    // That no controller runs is told by others.
    if (observed.state === 'absent' || desired.peers.length === 0) return same('nobody is waited for');
    const report = observed.value;
    const open = desired.peers.filter((peer) => report.identities?.[peer] !== 'proven');
    if (open.length === 0) return same(`${desired.peers.join(', ')} prove who they are`);
    const differences = open.map((peer) => unproven(desired, peer, report));
    if (outage(report) || open.every((peer) => isAway(report, peer)))
      return same('a server is out, which proves nothing now', differences);
    return change({
      summary: `wait until ${open.join(', ')} ${open.length === 1 ? 'has' : 'have'} proven to ${desired.id} who they are`,
      reason: 'the cluster key alone speaks for each server still',
      differences,
    });
  },
  steps: (_change, desired) => [
    { title: 'wait until the controllers have proven who they are', script: waitScript(desired) },
  ],
};

const isAway = ({ servers, arbiters = [] }: ControllerReport, peer: string): boolean =>
  servers.some(({ server_id: id, host_status: status }) => id === peer && status !== 'normal') ||
  arbiters.some(({ id, status }) => id === peer && status === 'offline');

const unproven = ({ id, arbiter }: Desired, peer: string, report: ControllerReport): Difference => ({
  code: peer === arbiter ? 'ARB007' : 'CTL021',
  object: `${peer}, as ${id} hears it`,
  declared: 'it proves its own key',
  found: found[report.identities?.[peer] ?? 'none'],
  source: `mc_ctl status --json on ${id}`,
});

const found = {
  proven: 'it has',
  former: 'it has proven a former key of that host',
  open: 'it is heard by the cluster key alone',
  none: 'it is heard by the cluster key alone',
} as const;

/** What the controller shows of itself stands in its file as soon as it changes. */
const waitScript = ({ managementDir, id, peers, timeoutSeconds }: Desired): string => {
  const shown = quote(`${managementDir}/${id}.status.json`);
  const wanted = peers.map((peer) => quote(`"${peer}":"proven"`)).join(' ');
  return `proven() {
  said=$(contents ${shown}) || return 1
  for one in ${wanted}; do case $said in *"$one"*) ;; *) return 1;; esac; done
}
n=0
until proven; do
  n=$((n + 1))
  if [ $n -gt ${timeoutSeconds * 10} ]; then
    echo ${quote(`the controller of ${id} has not seen that each of these proved its own key: ${peers.join(', ')}. They hear each other by the cluster key, as before; what was turned away stands in their journals (MCA01022, MCR00013)`)} >&2
    exit 1
  fi
  sleep 0.1
done`;
};
