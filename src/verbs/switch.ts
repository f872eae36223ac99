/** `pgduet switch [--to HOST]`: the primary's role goes to a standby, with the proof of it and the time that it took. */
import { formatDuration } from '../base/units.ts';
import type { View } from '../observe/survey.ts';
import { shippedPlaybook } from '../shipped.ts';
import { applyVerb, type Purpose } from './apply.ts';
import { proofOf } from './proof.ts';
import { type Given, text } from './verb.ts';
import type { World } from './world.ts';

export const switchRoles = (world: World, given: Given): Promise<number> =>
  applyVerb(world, 'switch', shippedPlaybook('switch'), switching(world, text(given, 'to')));

function switching(world: World, to: string | undefined): Purpose {
  let named = to;
  let began = 0;
  let switchMs: number | undefined;
  return {
    aim: (view: View, cluster) => {
      // The first look decides who is meant; after the switch the first standby is another one.
      if (view.hosts.size > 0) named ??= cluster.servers.find(({ name }) => name !== view.primary)?.name;
      return named === undefined ? view : { ...view, target: named };
    },
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
