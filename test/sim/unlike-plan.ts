/**
 * The plans of worlds in which the servers are not alike: a small share of all. In: a seed, and the plan that it stands for otherwise.
 * Out: a plan. Dice of its own, so that all other seeds mean what they did.
 */
import { arbiterKinds } from './arbiter.ts';
import { copyKinds, type Duties, dutiesOf, dutyKinds, isFree } from './duties.ts';
import { fault, type Plan, type PlannedFault } from './planned.ts';
import { Random } from './random.ts';
import { returns } from './returns.ts';
import { strangers } from './strangers.ts';
import { timesKinds, type Unlike, withClocks, withTimes } from './unlike.ts';

const share = 0.1;

export function unlikePlan(seed: number, plan: Plan): Plan {
  const random = new Random(37 * seed + 13);
  if (!random.chance(share)) return plan;
  switch (random.pick(['times', 'times', 'clocks', 'release', 'release', 'copy'] as const)) {
    case 'times':
      return otherTimes(random, plan);
    case 'clocks':
      return { ...plan, unlike: withClocks(random, plan.settings.servers) };
    case 'release':
      return lastRelease(random, plan);
    case 'copy':
      return copyBesideRegister(random, plan);
  }
}

/** One of these kinds, alone or with what happens otherwise. */
function withOneOf(
  random: Random,
  plan: Plan,
  names: readonly string[],
  share: number,
): readonly PlannedFault[] {
  const { faults, settings } = plan;
  if (!random.chance(share)) return faults;
  const kind = random.pick(names);
  const strikes = { ...fault(random, settings.servers, 0), kind, lastsMs: random.between(300, 5000) };
  const [first] = faults;
  return first && random.chance(0.3) ? [strikes, first] : [strikes];
}

function otherTimes(random: Random, plan: Plan): Plan {
  const unlike = withTimes(random, plan.settings.servers);
  return { ...plan, unlike, faults: withOneOf(random, plan, Object.keys(timesKinds), 0.5) };
}

/** Here the last release loses commits by chance; only a new program mends that. */
export const failsInLastRelease: ReadonlySet<string> = new Set([
  ...Object.keys(strangers),
  ...Object.keys(returns),
  'standby stands still, then the primary dies',
  'state file of the primary torn, the standby goes, the primary dies',
  'full while a standby is attached, then the power fails on one after the other',
]);

/** It starts on no file with a duty, so that a server which has it has none. */
const dutiesStay = [
  'the candidate is away, then the primary dies',
  'the one that takes nothing over is ahead, and the primary dies',
  'a person names the one that takes nothing over',
  ...Object.keys(copyKinds),
];

/** Beside it are the others with duties, or with an arbiter that its own file does not know: its policy is the one from before. */
function lastRelease(random: Random, plan: Plan): Plan {
  const [first] = plan.faults;
  const ordinary = [arbiterKinds, dutyKinds].every((it) => first && it[first.kind] === undefined);
  if (!first || !ordinary || failsInLastRelease.has(first.kind)) return plan;
  const servers = random.chance(0.7) ? 3 : plan.settings.servers;
  const own = random.pick(['fallback', 'message', 'command'] as const);
  const register = random.chance(0.4) ? 'arbiter' : 'none';
  const policy = register === 'arbiter' ? 'arbitration' : own;
  const duties: Duties = servers === 3 && random.chance(0.8) ? dutiesOf(random, false) : [];
  const free = Array.from({ length: servers }, (_, at) => at).filter((at) => isFree(duties[at] ?? {}));
  const old = random.pick(free);
  const unlike = Array.from({ length: servers }, (_, at): Unlike => (at === old ? { released: own } : {}));
  const settings = { ...plan.settings, servers, policy, register, references: 'none' } as const;
  const faults = duties.length > 0 ? withOneOf(random, plan, dutiesStay, 0.4) : [first];
  return {
    settings: { ...settings, hasty: false },
    ...(duties.length > 0 ? { duties } : {}),
    unlike,
    faults: faults.slice(0, 1),
    aftermath: 'nothing',
  };
}

/** Of four servers three are the register, or an arbiter is it for three. */
function copyBesideRegister(random: Random, plan: Plan): Plan {
  const register = random.pick(['servers', 'arbiter'] as const);
  const servers = register === 'servers' ? 4 : 3;
  const copy = random.between(1, servers - 1);
  const duties = Array.from({ length: servers }, (_, at) =>
    at === copy ? ({ replication: 'asynchronous' } as const) : {},
  );
  const settings = {
    ...plan.settings,
    servers,
    policy: 'arbitration',
    references: 'none',
    register,
  } as const;
  const { aftermath } = plan;
  const own = { settings, duties, aftermath, faults: [fault(random, servers, 0)] };
  const kinds = [...Object.keys(copyKinds), ...Object.keys(copyKinds), ...Object.keys(dutyKinds)];
  const all = register === 'arbiter' ? [...kinds, ...Object.keys(arbiterKinds)] : kinds;
  return { ...own, faults: withOneOf(random, own, all, 0.7) };
}
