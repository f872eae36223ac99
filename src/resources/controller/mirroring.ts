/**
 * mirroring: the controllers see each other and say that a switch is possible. It changes nothing; its step waits for
 * that, unless a server is out that only a person can bring back: then the cluster is degraded, and it says so. What is missed only because
 * a person has a server in maintenance is right as it is.
 */

import { quote } from '../../base/shell.ts';
import { integer, oneOf } from '../contract/field.ts';
import { type DesiredOf, serverFields } from '../contract/fields.ts';
import { change, degraded, type ResourceKind, same } from '../contract/kind.ts';
import { controllerPidFile } from '../contract/preamble.ts';
import { isWhole, wholeFunction } from '../contract/whole.ts';
import { type ControllerReport, controllerProbe, mcCtlCommand, readReport } from './controller-status.ts';
import { onlyMaintained } from './maintained.ts';
import { mirroringDifferences } from './mirroring-differences.ts';
import { outage, sinceWords } from './outage.ts';

const fields = serverFields(
  {
    timeout: integer('seconds to wait', 60),
    failover: oneOf(
      ['automatic', 'manual', 'either'],
      'what the controllers have to be set to; another setting is reported, and only a person changes it',
      'either',
    ),
    alone: oneOf(
      ['yes', 'no'],
      'yes: everybody who might take over is in maintenance, and nobody else is waited for',
      'no',
    ),
  },
  ({ timeout, failover, alone }, { server }) => ({
    ...server,
    alone,
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
  read: (reply, desired) => readReport(reply, desired.id),
  diff: (desired, observed) => {
    const report = observed.state === 'present' ? observed.value : undefined;
    const status = report?.mirroring_status ?? 'no controller runs';
    const differences = mirroringDifferences(desired, report);
    const out = report && outage(report);
    if (out) return degraded(out, differences);
    if (isWhole(status)) return same(status, differences);
    const maintained = report && onlyMaintained(report);
    if (maintained) return same(`${status}, since ${maintained.join(', ')} is in maintenance`, differences);
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
      script: waitScript(desired),
    },
  ],
};

/** A controller that is asked looks at once; what it then sees stands in its file as soon as it changes. */
const waitScript = (
  desired: Desired,
): string => `${wholeFunction(desired)}${desired.alone === 'yes' ? aloneFunction : ''}
runs() { controller ${quote(controllerPidFile(desired))}; }
n=0; mc=
until { [ -n "$mc" ] || runs; } && { whole "$mc"${desired.alone === 'yes' ? ' || alone "$mc"' : ''}; } && runs; do
  if [ $((n % ${askEvery})) -eq 0 ]; then text=$(${mcCtlCommand(desired, 'status')}) || :; fi
  n=$((n + 1))
  # One that was started again is another process.
  if [ $((n % 5)) -eq 0 ]; then mc=; fi
  if [ $n -gt ${desired.timeoutSeconds * 20} ]; then printf '%s\\n' "$text" >&2; exit 1; fi
  sleep 0.05
done`;

/** Shell: as `whole`, where nobody is left who might take over. */
const aloneFunction = `
alone() {
  case \${content:-} in *'"controller_pid":'"$1,"*) ;; *) return 1;; esac
  case $content in *'"mirroring_status":"not-switchable"'* | *'"mirroring_status":"switched"'*) ;; *) return 1;; esac
  case $content in *'"reason":"'*' is in maintenance '*) ;; *) return 1;; esac
}`;

/** How many looks at the file there are for each question: it starts Node. */
const askEvery = 20;
