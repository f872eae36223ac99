/** `pgduet provision`: bare hosts become a primary with synchronous standbys, and the result is proven. */
import { shippedPlaybook } from '../shipped.ts';
import { applyVerb } from './apply.ts';
import type { World } from './world.ts';

export const provision = (world: World): Promise<number> =>
  applyVerb(world, { kind: 'provision' }, shippedPlaybook('provision'));
