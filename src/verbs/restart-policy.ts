/**
 * When `provision` may restart PostgreSQL: when it is needed, never, or after a question of its own for the primary, whose
 * restart cuts off clients. In: the option and the plan. Out: who may be restarted.
 */

import type { Plan } from '../plan/plan.ts';
import { restartedHosts } from '../plan/restarts.ts';
import type { World } from './world.ts';

export interface RestartPolicy {
  mayRestart(host: string): boolean;
  /** Asked when the plan as a whole was agreed to. */
  agree(plan: Plan, primary: string): Promise<void>;
}

/** `--yes` answers this question, too. */
export function restartPolicy(world: World): RestartPolicy {
  const { restart, yes } = world.options;
  const spared = new Set<string>();
  return {
    mayRestart: (host) => restart !== 'never' && !spared.has(host),
    agree: async (plan, primary) => {
      if (restart !== 'ask' || yes || !restartedHosts(plan).includes(primary)) return;
      const answer = await world.ask(
        `Restart PostgreSQL on the primary ${primary}? Its clients are cut off for about a second. [y/N] `,
      );
      if (!/^y(es)?$/i.test(answer.trim())) spared.add(primary);
    },
  };
}
