/** `pgduet run PLAYBOOK`: what a playbook of the user says becomes true. */
import { applyVerb } from './apply.ts';
import { argument, type Given } from './verb.ts';
import type { World } from './world.ts';

export const runPlaybook = (world: World, given: Given): Promise<number> =>
  applyVerb(world, { kind: 'run' }, argument(given, 'playbook'));
