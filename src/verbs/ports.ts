/** The real world as a run knows it: made from the world of the verbs. */
import type { Emit } from '../apply/event.ts';
import type { RunPorts } from '../apply/request.ts';
import type { World } from './world.ts';

export const runPorts = (world: World, emit: Emit): RunPorts => ({
  transport: world.transport,
  emit,
  now: world.elapsed,
  clockMs: () => Date.now(),
  nonce: world.nonce,
  interrupted: world.interrupted,
  remember: (secret) => world.mask.add(secret),
});
