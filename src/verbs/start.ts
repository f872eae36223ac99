/** `pgduet start [HOST...]`: what a stop has brought down runs again, the primary first, with the proof that the standbys follow. */
import { shippedPlaybook } from '../shipped.ts';
import { applyVerb } from './apply.ts';
import { about, namedServers, stoppedServers } from './operating.ts';
import { proofOf } from './proof.ts';
import type { Given } from './verb.ts';
import type { World } from './world.ts';

export function start(world: World, given: Given): Promise<number> {
  const hosts = namedServers(given);
  return applyVerb(world, { kind: 'start', hosts }, shippedPlaybook('start'), {
    ...about(hosts),
    facts: ({ view }) => ({ stopped: stoppedServers(view) }),
    proof: (outcome) => proofOf(outcome, ['controller', 'replication', 'mirroring']),
  });
}
