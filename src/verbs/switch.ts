/** `pgduet switch [--to HOST]`: the primary's role goes to a standby, with the proof of it and the time that it took. */
import { formatDuration } from '../base/units.ts';
import { shippedPlaybook } from '../shipped.ts';
import { applyVerb, type Purpose } from './apply.ts';
import { proofOf } from './proof.ts';
import { type Given, text } from './verb.ts';
import type { World } from './world.ts';

export function switchRoles(world: World, given: Given): Promise<number> {
  const to = text(given, 'to');
  const intent = { kind: 'switch', ...(to ? { to } : {}) } as const;
  return applyVerb(world, intent, shippedPlaybook('switch'), switching(world));
}

function switching(world: World): Purpose {
  let began = 0;
  let switchMs: number | undefined;
  return {
    watch: (event) => {
      if (event.kind !== 'step' || !event.title.startsWith('switch ')) return;
      if (event.state === 'started') began = world.elapsed();
      if (event.state === 'done') switchMs = event.ms;
    },
    proof: (outcome) => {
      const proof = proofOf(outcome, ['switchover', 'replication', 'mirroring']);
      if (switchMs === undefined) return proof;
      return `${proof}\nThe switch took ${formatDuration(switchMs)}; the next one was possible ${formatDuration(world.elapsed() - began)} after its begin.`;
    },
  };
}
