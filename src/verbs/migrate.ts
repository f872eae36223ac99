/** `pgduet migrate`: a running single server becomes the primary of a cluster, with the proof that the standbys follow. */
import { shippedPlaybook } from '../shipped.ts';
import { applyVerb } from './apply.ts';
import { proofOf } from './proof.ts';
import type { World } from './world.ts';

export function migrate(world: World): Promise<number> {
  return applyVerb(world, { kind: 'migrate' }, shippedPlaybook('migrate'), {
    proof: (outcome) =>
      `${proofOf(outcome, ['adopt', 'replication', 'mirroring'])}\nThe way back: pgduet teardown.`,
  });
}
