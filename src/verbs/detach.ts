/** `pgduet detach HOST` and `pgduet attach HOST`: commits do not wait for a standby, as a person has asked, or may wait for it again. */
import { shippedPlaybook } from '../shipped.ts';
import { applyVerb } from './apply.ts';
import { proofOf } from './proof.ts';
import { argument, flag, type Given } from './verb.ts';
import type { World } from './world.ts';

const detachment = (world: World, given: Given, state: 'out' | 'in'): Promise<number> =>
  applyVerb(
    world,
    { kind: 'detach', host: argument(given, 'host'), state, alone: flag(given, 'alone') },
    shippedPlaybook('detach'),
    {
      serversOnly: true,
      // Who is taken out may be the one that cannot be reached.
      mayBeAway: () => state === 'out',
      notes: (view) => {
        const host = argument(given, 'host');
        return view.absent?.has(host)
          ? [
              `${host} cannot be reached: it comes back when its instance is started again, or with pgduet attach`,
            ]
          : [];
      },
      proof: (outcome) => proofOf(outcome, ['detachment', 'replication']),
    },
  );

export const detach = (world: World, given: Given): Promise<number> => detachment(world, given, 'out');
export const attach = (world: World, given: Given): Promise<number> => detachment(world, given, 'in');
