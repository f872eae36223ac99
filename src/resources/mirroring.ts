/**
 * mirroring: the controllers see each other and say that a switch is possible. It changes nothing; its step waits for
 * that, unless a server is out that only a person can bring back: then the cluster is degraded, and it says so.
 */
import {
  type ControllerPlace,
  type ControllerReport,
  controllerProbe,
  mcCtlCommand,
  readControllerStatus,
} from './controller-status.ts';
import { readFields } from './fields.ts';
import { absent, change, degraded, present, type ResourceKind, same, unknown } from './kind.ts';
import { outage, sinceWords } from './outage.ts';

interface Desired extends ControllerPlace {
  readonly timeoutSeconds: number;
}

/** Automatic switching may have been turned off on purpose; the pair is whole all the same. */
const good = ['switchable', 'failover-disabled'];

export const mirroring: ResourceKind<Desired, ControllerReport> = {
  kind: 'mirroring',
  waits: true,
  summary: 'The controllers see each other and say that a switch is possible.',
  parse: (node, context) =>
    readFields(node, context, 'mirroring', (f) => ({
      id: context.host,
      managementDir: f.text('management_dir'),
      owner: context.instance.owner,
      mcCtl: f.text('mc_ctl'),
      timeoutSeconds: f.integer('timeout', 60),
    })),
  key: () => 'switchable',
  describe: (desired) => `status 'switchable' on ${desired.id}`,
  probe: (desired) => ({ shell: controllerProbe(desired) }),
  read: (reply, desired) => {
    const sight = readControllerStatus(reply, desired.id);
    if (sight.state === 'unseen') return unknown(sight.reason);
    return sight.state === 'running' ? present(sight.report) : absent;
  },
  diff: (_desired, observed) => {
    const report = observed.state === 'present' ? observed.value : undefined;
    const status = report?.mirroring_status ?? 'no controller runs';
    const out = report && outage(report);
    if (out) return degraded(out);
    if (good.includes(status)) return same(status);
    const why = report?.reason ? `: ${report.reason}, since ${sinceWords(report.since)}` : '';
    return change({
      summary: "wait until the Mirroring Controller says 'switchable'",
      reason: `it says '${status}'${why}`,
    });
  },
  steps: (_change, desired) => [
    {
      title: "wait for 'switchable'",
      script: `n=0
until text=$(${mcCtlCommand(desired, 'status')}) && printf '%s\\n' "$text" | grep -q -x -e ${good.join(' -e ')}; do
  n=$((n + 1))
  if [ $n -gt ${desired.timeoutSeconds * 5} ]; then printf '%s\\n' "$text" >&2; exit 1; fi
  sleep 0.1
done`,
    },
  ],
};
