/** `pgduet reload [HOST...]`: instances and controllers read their files, with the proof, and what waits for a restart. */
import type { Outcome } from '../apply/run.ts';
import { shippedPlaybook } from '../shipped.ts';
import { applyVerb } from './apply.ts';
import { about, namedServers } from './operating.ts';
import { proofOf } from './proof.ts';
import type { Given } from './verb.ts';
import type { World } from './world.ts';

export function reload(world: World, given: Given): Promise<number> {
  const hosts = namedServers(given);
  return applyVerb(world, { kind: 'reload', hosts }, shippedPlaybook('reload'), {
    ...about(hosts),
    facts: (outcome) => ({ waiting_for_restart: waiting(outcome) }),
    proof: (outcome) => proofOf(outcome, ['reloaded']),
  });
}

/** By server, as it was seen last: the settings that come into force with a restart only. */
const waiting = ({ view }: Outcome): Readonly<Record<string, readonly string[]>> =>
  Object.fromEntries(
    [...view.hosts].flatMap(([name, { running }]) => (running ? [[name, running.waiting]] : [])),
  );
