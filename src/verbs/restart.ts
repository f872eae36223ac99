/** `pgduet restart [HOST...] [--pending] [--switch-first]`: standbys first, one after the other, the primary last, with the proof. */
import { restartedHosts } from '../plan/restarts.ts';
import { shippedPlaybook } from '../shipped.ts';
import { applyVerb } from './apply.ts';
import { about, namedServers } from './operating.ts';
import { proofOf } from './proof.ts';
import { flag, type Given } from './verb.ts';
import type { World } from './world.ts';

export function restart(world: World, given: Given): Promise<number> {
  const hosts = namedServers(given);
  const pending = flag(given, 'pending');
  const switchFirst = flag(given, 'switch-first');
  return applyVerb(world, { kind: 'restart', hosts, pending, switchFirst }, shippedPlaybook('restart'), {
    ...about(hosts),
    notes: (view, _cluster, plan) => orderNote(restartedHosts(plan), view.primary),
    proof: (outcome) => proofOf(outcome, ['restarted', 'switchover', 'mirroring']),
  });
}

const orderNote = (hosts: readonly string[], primary: string): readonly string[] => {
  const standbys = hosts.filter((host) => host !== primary);
  const all = [...standbys, ...hosts.filter((host) => host === primary)];
  return all.length < 2 ? [] : [`The order: ${all.join(', then ')}.`];
};
