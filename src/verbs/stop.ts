/** `pgduet stop [HOST...] [--switch-first]`: servers are down, standbys first, and stay down across a reboot until `start`. */
import { shippedPlaybook } from '../shipped.ts';
import { applyVerb } from './apply.ts';
import { about, namedServers, stoppedServers } from './operating.ts';
import { proofOf } from './proof.ts';
import { flag, type Given } from './verb.ts';
import type { World } from './world.ts';

export function stop(world: World, given: Given): Promise<number> {
  const hosts = namedServers(given);
  const intent = {
    kind: 'stop',
    hosts,
    switchFirst: flag(given, 'switch-first'),
    by: world.operator,
  } as const;
  return applyVerb(world, intent, shippedPlaybook('stop'), {
    ...about(hosts),
    facts: ({ view }) => ({ stopped: stoppedServers(view) }),
    proof: (outcome) => proofOf(outcome, ['switchover', 'stopped']),
  });
}
