/**
 * What may be expected in time: writes go on within a bound after any single fault, nobody switches without a reason, and
 * never twice. In: the world when all is over. Out: violations, told to the checkers.
 */
import type { Fault } from './fault.ts';
import { kindOf } from './planned.ts';
import type { World } from './world.ts';

/** Seen within twice the time to give up, then stopped, perhaps fenced, and promoted. */
export const writableWithinMs = ({ giveUpMs }: World): number => 2 * giveUpMs + 3000;

export function judge(world: World, faults: readonly Fault[], healedAt: number): void {
  const { checkers } = world;
  checkers.atEnd();
  const [only, second] = faults;
  // How long the last release takes, and what it switches for, is settled.
  if (!only || world.hosts.some((it) => it.unlike.released)) return;
  const { noSwitch, compound } = kindOf(only.kind);
  const early = checkers.promotions.filter((it) => it.at <= healedAt);
  const atOnce = noSwitch === 'unless-at-once' && world.settings.timeoutAction === 'failover';
  if (!second && noSwitch && !atOnce && early.length > 0) checkers.fail(`L3: a switch for: ${only.kind}`);
  // A fence that ends a server just when it is heard again leaves both to a person.
  const { policy, fencing } = world.settings;
  const fencedInVain =
    ['fallback', 'arbitration'].includes(policy) && fencing !== null && kindOf(only.kind).cutsAdmin === true;
  if (second || compound || fencedInVain) return;
  if (checkers.promotions.length > 1)
    checkers.fail(`L5: ${checkers.promotions.length} switches in one incident`);
  if (only.kind !== 'flapping cable' && checkers.isolations.length > 1)
    checkers.fail(`L7: ${checkers.isolations.join(', ')} stopped for being cut off, one incident`);
  const gap = checkers.longestGap(only.at, world.clock.now);
  const within = writableWithinMs(world);
  const bound = mayWait(world, only) ? healedAt - only.at + within : within;
  if (gap > bound)
    checkers.fail(
      `L1: no commit was acknowledged for ${(gap / 1000).toFixed(1)} s, more than ${bound / 1000} s`,
    );
}

/** Whether writes may wait until the fault is over. */
function mayWait({ settings, shutOffInVain }: World, fault: Fault): boolean {
  const { waits, detaches } = kindOf(fault.kind);
  const { policy, fencing, timeoutAction, references } = settings;
  const decides =
    policy === 'arbitration' || (policy === 'fallback' && (references === 'none' || references === 'well'));
  // The fencing command of a detach switches the standby's host off, also when its answer comes too late: a second fault.
  if (detaches && fencing !== null) return true;
  // So does that of a takeover, where the host was about to come back.
  if (shutOffInVain) return true;
  // A fence that does not answer yes holds the takeover up; one that does leaves its host down until somebody looks.
  if (waits === 'always') return true;
  if (waits === 'without-failover-action') return !timeoutAction.endsWith('failover') || fencing !== null;
  return waits === 'without-fallback' && (!decides || fencing !== null);
}
