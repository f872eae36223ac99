/**
 * What a seed stands for: the cluster, its policy, what goes wrong and what is done afterwards. In: a seed. Out: plain
 * data, made without running anything, so that seeds can be chosen by what they hold.
 */
import { arbiterKinds } from './arbiter.ts';
import { dutiesOf, dutyKinds } from './duties.ts';
import { maintenanceKinds } from './maintenance.ts';
import { fault, type Plan, type PlannedFault } from './planned.ts';
import { Random } from './random.ts';
import type { Unlike } from './unlike.ts';
import { unlikePlan } from './unlike-plan.ts';
import type { References } from './world.ts';

/** Dice of its own for each of these, so that what a seed means otherwise stays. */
export const planOf = (seed: number): Plan => withMaintenance(seed, unlikePlan(seed, alike(seed)));

/** The last release knows no maintenance: beside it none begins. */
function withMaintenance(seed: number, plan: Plan): Plan {
  const random = new Random(41 * seed + 17);
  if (!random.chance(0.12) || plan.unlike?.some((it) => it.released)) return plan;
  const kind = random.pick(Object.keys(maintenanceKinds));
  const strikes = { ...fault(random, plan.settings.servers, 0), kind, lastsMs: random.between(300, 5000) };
  const [first] = plan.faults;
  return { ...plan, faults: random.chance(0.6) || !first ? [strikes] : [strikes, first] };
}

function alike(seed: number): Plan {
  const plan = withDuties(seed);
  const hasty = new Random(31 * seed + 11).chance(0.25);
  return hasty ? { ...plan, settings: { ...plan.settings, hasty } } : plan;
}

function withDuties(seed: number): Plan {
  const plan = withRegister(seed);
  // Dice of its own, as below.
  const random = new Random(29 * seed + 11);
  if (plan.settings.servers < 3 || !random.chance(0.4)) return plan;
  const duties = dutiesOf(random, plan.settings.register === 'servers');
  if (random.chance(0.5)) return { ...plan, duties };
  const kind = random.pick(Object.keys(dutyKinds));
  const strikes = { ...fault(random, plan.settings.servers, 0), kind, lastsMs: random.between(300, 5000) };
  const [first] = plan.faults;
  return { ...plan, duties, faults: random.chance(0.7) || !first ? [strikes] : [strikes, first] };
}

function withRegister(seed: number): Plan {
  const plan = withoutRegister(seed);
  // Dice of its own: plans without a register are what they were.
  const random = new Random(23 * seed + 7);
  if (!random.chance(0.3)) return plan;
  const { servers } = plan.settings;
  const register = servers === 2 ? 'arbiter' : random.pick(['arbiter', 'servers'] as const);
  const settings = { ...plan.settings, policy: 'arbitration', references: 'none', register } as const;
  if (register === 'servers' || random.chance(0.5)) return { ...plan, settings };
  const kind = random.pick(Object.keys(arbiterKinds));
  const strikes = { ...fault(random, servers, 0), kind, lastsMs: random.between(300, 5000) };
  const [first, ...more] = plan.faults;
  return {
    ...plan,
    settings,
    faults: random.chance(0.5) || !first ? [strikes] : [strikes, first, ...more].slice(0, 2),
  };
}

function withoutRegister(seed: number): Plan {
  const random = new Random(seed);
  const policy = random.pick(['fallback', 'fallback', 'message', 'command'] as const);
  const servers = random.chance(0.75) ? 2 : 3;
  const references = policy === 'fallback' && random.chance(0.4) ? referencesOf(seed) : 'none';
  const arbitration = random.chance(0.8) ? 'well' : random.pick(['no', 'late'] as const);
  const fencing = random.chance(0.85) ? null : random.pick(['well', 'well', 'no', 'late'] as const);
  const timeoutAction = random.pick(['message', 'failover', 'delayed_failover', 'none'] as const);
  const count = random.chance(0.65) ? 1 : 2;
  const strikes = Array.from({ length: count }, (_, index) => fault(random, servers, index));
  const aftermath = random.chance(0.75)
    ? 'nothing'
    : random.pick(['rebuild', 'rebuild, then again'] as const);
  return {
    settings: { seed, servers, policy, references, arbitration, fencing, timeoutAction, register: 'none' },
    faults: strikes,
    aftermath,
  };
}

/** Dice of its own, so that the rest of a world does not change with it. */
const referencesOf = (seed: number): References =>
  new Random(17 * seed + 5).pick(['well', 'well', 'never', 'stops'] as const);

export const describeFault = ({ kind, host, afterMs, lastsMs }: PlannedFault): string =>
  `${kind} (server${host + 1}, after ${(afterMs / 1000).toFixed(1)} s, for ${(lastsMs / 1000).toFixed(1)} s)`;

export function describePlan({
  settings,
  duties = [],
  unlike = [],
  faults: strikes,
  aftermath,
}: Plan): string {
  const { servers, policy, references, arbitration, fencing, timeoutAction, register, hasty } = settings;
  const parts = [
    `${servers} servers`,
    `policy ${policy}`,
    ...(register !== 'none' ? [`the register: ${register}`] : []),
    ...(references === 'none' ? [] : [`reference address: ${references}`]),
    ...(policy === 'command' ? [`the command answers ${arbitration}`] : []),
    ...(fencing ? [`the fencing command answers ${fencing}`] : []),
    ...duties.flatMap((duty, index) => Object.values(duty).map((word) => `server${index + 1}: ${word}`)),
    ...unlike.flatMap(unlikeWords),
    `on a timeout ${timeoutAction}`,
    ...(hasty ? ['ticks between the usual ones'] : []),
    ...strikes.map(describeFault),
    ...(aftermath === 'nothing' ? [] : [`afterwards: ${aftermath}`]),
  ];
  return parts.join('; ');
}

function unlikeWords({ times = 'usual', rate = 1, released }: Unlike, index: number): string[] {
  const words = [
    ...(times === 'usual' ? [] : [times]),
    ...(rate === 1 ? [] : [`a clock at ${rate}`]),
    ...(released ? [`the last release with ${released}`] : []),
  ];
  return words.length === 0 ? [] : [`server${index + 1}: ${words.join(', ')}`];
}
