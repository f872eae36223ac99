/** `pgduet rebuild HOST`: a server that is out becomes a standby of the present primary again, with the proof that it follows. */
import type { Outcome } from '../apply/run.ts';
import { shippedPlaybook } from '../shipped.ts';
import { applyVerb } from './apply.ts';
import { proofOf } from './proof.ts';
import type { World } from './world.ts';

export interface RebuildWish {
  /** A base backup in any case. */
  readonly copy: boolean;
  /** Where data is put aside that may hold commits of its own. */
  readonly keepCopy?: string;
}

export function rebuildVerb(
  world: World,
  host: string,
  wish: RebuildWish,
  checkOnly: boolean,
): Promise<number> {
  return applyVerb(world, 'rebuild', shippedPlaybook('rebuild'), checkOnly, {
    named: { host, by: 'rebuild' },
    aim: (view) => ({ ...view, target: host, rebuild: wish }),
    proof: (outcome: Outcome) => proofOf(outcome, ['rebuild', 'replication', 'mirroring']),
  });
}
