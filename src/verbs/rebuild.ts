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
  const copy = flag(given, 'copy');
  const intent = { kind: 'rebuild', host, copy, ...(keepCopy ? { keepCopy } : {}) } as const;
  return applyVerb(world, intent, shippedPlaybook('rebuild'), {
    serversOnly: true,
    proof: (outcome: Outcome) => proofOf(outcome, ['rebuild', 'replication', 'mirroring']),
  });
}
