/**
 * Schedules about what a server must not forget: whom it allowed to take over, and that it has become
 * primary. Safety is judged; how long it takes is not.
 */
import { type Kinds, loseHost, primaryOf } from './fault.ts';

export const returns: Kinds = {
  /** Without its file the former primary does not know that there is somebody whom it has to ask. */
  'primary dies, its state file is torn, the new one dies, the old one returns': {
    compound: true,
    strike: (world, { dice }) => {
      const primary = primaryOf(world);
      world.crashHost(primary);
      primary.torn = true;
      world.clock.after(dice.between(2500, 4000), () => {
        const newer = primaryOf(world);
        if (newer.up) world.crashHost(newer);
        world.clock.after(dice.between(10, 300), () => primary.up || world.bootHost(primary));
      });
    },
  },
  /** The new primary cannot say that it is newer when the old one asks. */
  'primary dies, the state file of the new one is torn, the old one returns': {
    compound: true,
    strike: (world, { dice }) => {
      const primary = primaryOf(world);
      const backMs = dice.between(3500, 5000);
      loseHost(world, primary, backMs);
      world.clock.after(backMs + dice.between(-500, 500), () => {
        const newer = primaryOf(world);
        if (newer === primary || !newer.up) return;
        newer.torn = true;
        if (dice.chance(0.5)) {
          loseHost(world, newer, dice.between(10, 600));
          return;
        }
        world.killController(newer);
        world.startController(newer, dice.between(300, 1500));
      });
    },
  },
};
