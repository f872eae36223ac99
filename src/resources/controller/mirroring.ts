/**
 * mirroring: the controllers see each other and say that a switch is possible. It changes nothing; its step waits for
 * that, unless a server is out that only a person can bring back: then the cluster is degraded, and it says so.
 */

import { readFields } from '../contract/fields.ts';
import { absent, change, degraded, present, type ResourceKind, same, unknown } from '../contract/kind.ts';
import {
  type ControllerPlace,
  type ControllerReport,
  controllerProbe,
  mcCtlCommand,
  readControllerStatus,
} from './controller-status.ts';
import { isWhole, mirroringDifferences, whole } from './mirroring-differences.ts';
import { outage, sinceWords } from './outage.ts';

interface Desired extends ControllerPlace {
  readonly timeoutSeconds: number;
  /** What the inventory says of automatic switching; absent: either is right. */
  readonly failover?: 'automatic' | 'manual';
}

export const mirroring: ResourceKind<Desired, ControllerReport> = {
  kind: 'mirroring',
  waits: true,
  summary: 'The controllers see each other and say that a switch is possible.',
  parse: (node, context) =>
    readFields(node, context, 'mirroring', (f) => {
      const place = {
        id: context.host,
        managementDir: f.text('management_dir'),
        owner: context.instance.owner,
        mcCtl: f.text('mc_ctl'),
        timeoutSeconds: f.integer('timeout', 60),
      };
      const failover = f.oneOf('failover', ['automatic', 'manual', 'either'], 'either');
      return failover === 'either' ? place : { ...place, failover };
    }),
  key: () => 'switchable',
  describe: (desired) => `status 'switchable' on ${desired.id}`,
  probe: (desired) => ({ shell: controllerProbe(desired) }),
  read: (reply, desired) => {
    const sight = readControllerStatus(reply, desired.id);
    if (sight.state === 'unseen') return unknown(sight.reason);
    return sight.state === 'running' ? present(sight.report) : absent;
  },
  diff: (desired, observed) => {
    const report = observed.state === 'present' ? observed.value : undefined;
    const status = report?.mirroring_status ?? 'no controller runs';
    const differences = mirroringDifferences(desired, report);
    const out = report && outage(report);
    if (out) return degraded(out, differences);
    if (isWhole(status)) return same(status, differences);
    const why = report?.reason ? `: ${report.reason}, since ${sinceWords(report.since)}` : '';
    return change({
      summary: "wait until the Mirroring Controller says 'switchable'",
      reason: `it says '${status}'${why}`,
      differences,
    });
  },
  steps: (_change, desired) => [
    {
      title: "wait for 'switchable'",
      script: `n=0
until text=$(${mcCtlCommand(desired, 'status')}) && printf '%s\\n' "$text" | grep -q -x -e ${whole.join(' -e ')}; do
  n=$((n + 1))
  if [ $n -gt ${desired.timeoutSeconds * 5} ]; then printf '%s\\n' "$text" >&2; exit 1; fi
  sleep 0.1
done`,
    },
  ],
};
