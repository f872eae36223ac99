/** One verb within a rolling update: its playbook, without a question of its own. In: an intent. Out: its outcome, or why it was not reached. */
import type { RunEvent } from '../../apply/event.ts';
import { type Outcome, run } from '../../apply/run.ts';
import { DiagnosticError } from '../../base/diagnostic.ts';
import { exitCode } from '../../base/exit-codes.ts';
import type { Intent } from '../../intent/intent.ts';
import { type Cluster, serversOnly } from '../../inventory/cluster.ts';
import { isEmpty, type Plan, pending, troubles } from '../../plan/plan.ts';
import { plainReport } from '../../report/plain.ts';
import { compiler, effectPlace, playbook } from '../load.ts';
import { runPorts } from '../ports.ts';
import type { World } from '../world.ts';

export interface Within {
  readonly intent: Intent;
  readonly path: string;
  /** This host alone is changed; what is left to do on others is not of this run. */
  readonly limit?: string;
}

export async function runWithin(
  world: World,
  declared: Cluster,
  { intent, path, limit }: Within,
): Promise<Outcome> {
  const cluster = serversOnly(declared);
  const { verbose } = world.options;
  const told = plainReport({ verbose, elapsed: world.elapsed, write: world.say });
  const emit = (event: RunEvent): void => {
    if (verbose || event.kind === 'progress') told(event);
  };
  const outcome = await run(
    {
      cluster,
      intent,
      compile: compiler(world, cluster, playbook(path), path),
      effectPlace,
      change: true,
      confirm: async () => true,
      lockOwner: world.lockOwner('rolling-update'),
      ...(limit === undefined ? {} : { limit }),
    },
    runPorts(world, emit),
  );
  const mine = limit === undefined ? outcome.left : onlyOn(limit, outcome.left);
  if (isEmpty(mine)) return outcome;
  const left = troubles(mine);
  if (left.length > 0) throw new DiagnosticError(left, exitCode.hostFailed);
  throw new DiagnosticError(
    [
      {
        code: 'HST011',
        what: `${pending(mine).length} changes are left to do`,
        why: 'the step is done only when a last look finds nothing',
        fix: 'Run pgduet check, then go on.',
      },
    ],
    exitCode.hostFailed,
  );
}

const onlyOn = (host: string, { decisions }: Plan): Plan => ({
  decisions: decisions.filter(({ resource }) => resource.host === host),
});
