/**
 * mirroring: the controllers see each other and say that a switch is possible. It changes nothing; its step waits for
 * that, unless a server is out that only a person can bring back: then the cluster is degraded, and it says so.
 */

import { integer, oneOf, text } from '../contract/field.ts';
import { type DesiredOf, fieldsOf } from '../contract/fields.ts';
import { absent, change, degraded, present, type ResourceKind, same, unknown } from '../contract/kind.ts';
import {
  type ControllerReport,
  controllerProbe,
  mcCtlCommand,
  readControllerStatus,
} from './controller-status.ts';
import { isWhole, mirroringDifferences, whole } from './mirroring-differences.ts';
import { outage, sinceWords } from './outage.ts';

const fields = fieldsOf(
  {
    management_dir: text('the management directory'),
    mc_ctl: text('path of `mc_ctl`'),
    timeout: integer('seconds to wait', 30),
    failover: oneOf(
      ['automatic', 'manual', 'either'],
      'what the controllers have to be set to; another setting is reported, and only a person changes it',
      'either',
    ),
  },
  ({ timeout, failover, ...rest }, { host, instance }) => ({
    ...rest,
    id: host,
    owner: instance.owner,
    timeoutSeconds: timeout,
    ...(failover === 'either' ? {} : { failover }),
  }),
);
type Desired = DesiredOf<typeof fields>;

export const mirroring: ResourceKind<Desired, ControllerReport> = {
  kind: 'mirroring',
  waits: true,
  summary: 'The controllers see each other and say that a switch is possible.',
  fields,
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
