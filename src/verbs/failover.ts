/** `pgduet failover on|off`: whether the controllers switch by themselves when something fails. */
import { shippedPlaybook } from '../shipped.ts';
import { applyVerb } from './apply.ts';
import { proofOf } from './proof.ts';
import type { Given } from './verb.ts';
import type { World } from './world.ts';

export function failover(world: World, given: Given): Promise<number> {
  const state = given.arguments.get('state') === 'on' ? 'on' : 'off';
  return applyVerb(world, { kind: 'failover', state }, shippedPlaybook('failover'), {
    serversOnly: true,
    facts: (outcome) => ({
      failover: outcome.left.decisions.every(({ kind }) => kind === 'same') ? state : null,
    }),
    proof: (outcome) => proofOf(outcome, ['failover']),
  });
}
