/** `pgduet rebuild HOST`: a server that is out becomes a standby of the present primary again, with the proof that it follows. */
import type { Outcome } from '../apply/run.ts';
import { shippedPlaybook } from '../shipped.ts';
import { applyVerb } from './apply.ts';
import { proofOf } from './proof.ts';
import { argument, flag, type Given, text } from './verb.ts';
import type { World } from './world.ts';

export function rebuild(world: World, given: Given): Promise<number> {
  const host = argument(given, 'host');
  const keepCopy = text(given, 'keep-copy');
  const asked = { copy: flag(given, 'copy'), ...(keepCopy ? { keepCopy } : {}) };
  return applyVerb(world, 'rebuild', shippedPlaybook('rebuild'), {
    aim: (view) => ({ ...view, target: host, rebuild: asked }),
    proof: (outcome: Outcome) => proofOf(outcome, ['rebuild', 'replication', 'mirroring']),
  });
}
