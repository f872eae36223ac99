/** One verb within a rolling update: its playbook, without a question of its own. In: an intent. Out: its outcome, or why it was not reached. */
import type { RunEvent } from '../../apply/event.ts';
import { type Outcome, run } from '../../apply/run.ts';
import { DiagnosticError } from '../../base/diagnostic.ts';
import { exitCode } from '../../base/exit-codes.ts';
import type { Intent } from '../../intent/intent.ts';
import { type Cluster, serversOnly } from '../../inventory/cluster.ts';
import { isEmpty, type Plan, pending, troubles } from '../../plan/plan.ts';
import { plainReport } from '../../report/plain.ts';
import { authorityOf } from '../authority.ts';
import { compiler, effectPlace, playbook } from '../load.ts';
import { runPorts } from '../ports.ts';
import type { World } from '../world.ts';

export interface Within {
  readonly intent: Intent;
  readonly path: string;
  /** This host alone is changed; what is left to do on others is not of this run. */
  readonly limit?: string;
  /** The primary alone is asked: whoever cannot be reached hears of it later. */
  readonly mayBeAway?: true;
  /** A server in maintenance may be away for a run, which then does nothing there; for this one that is a failure. */
  readonly needs?: string;
  /** That others are out, for which a person is needed, is no failure of this run. */
  readonly othersMayBeOut?: true;
}

export async function runWithin(
  world: World,
  declared: Cluster,
  { intent, path, limit, mayBeAway, needs, othersMayBeOut }: Within,
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
      compile: compiler(world, cluster, playbook(path), path, await authorityOf(cluster)),
      effectPlace,
      change: true,
      confirm: async () => true,
      leaveOutUnreachable: () => mayBeAway === true,
      lockOwner: world.lockOwner('rolling-update'),
      ...(limit === undefined ? {} : { limit }),
    },
    runPorts(world, emit),
  );
  if (needs !== undefined && outcome.view.absent?.has(needs))
    throw new DiagnosticError(
      [
        {
          code: 'CON001',
          what: `'${needs}' could not be reached any more`,
          why: 'the step was about that host, and nothing was done there',
          fix: 'Make it reachable, then: pgduet rolling-update --continue.',
          host: needs,
        },
      ],
      exitCode.unreachable,
    );
  const open = othersMayBeOut ? withoutOutages(outcome.left) : outcome.left;
  const mine = limit === undefined ? open : onlyOn(limit, open);
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

/** Whoever comes back here is waited for by other resources: this one says of the whole cluster who is out. */
const withoutOutages = ({ decisions }: Plan): Plan => ({
  decisions: decisions.filter(
    ({ kind, resource }) => kind !== 'degraded' || resource.kind.kind !== 'mirroring',
  ),
});

const onlyOn = (host: string, { decisions }: Plan): Plan => ({
  decisions: decisions.filter(({ resource }) => resource.host === host),
});
