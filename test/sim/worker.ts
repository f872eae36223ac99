/** A thread that runs scenarios: seeds come in, what they found goes out. It is loaded from a bundle (bundle.ts). */
import { parentPort } from 'node:worker_threads';
import type { Duties } from './duties.ts';
import { planOf } from './plan.ts';
import type { Plan } from './planned.ts';
import { type Report, runScenario } from './scenario.ts';

export type { Report } from './scenario.ts';

export type Worlds = 'all' | 'with a register' | 'without a register' | 'with duties' | 'not alike';

export interface Order {
  readonly from: number;
  readonly count: number;
  /** Only seeds with one of these faults; all of them when it is empty. */
  readonly kinds: readonly string[];
  /** Only worlds with a register, or only those without one, or where a server may not do everything, or is not like the others. */
  readonly worlds: Worlds;
  readonly trace: boolean;
}

export interface Found {
  readonly from: number;
  /** So many seeds were looked at; without kinds, each is a scenario. */
  readonly seeds: number;
  readonly scenarios: number;
  readonly promotions: number;
  readonly acknowledged: number;
  readonly failed: readonly Report[];
  /** With trace: every report, with its story. */
  readonly told: readonly Report[];
}

function isWanted(seed: number, { kinds, worlds }: Order): boolean {
  if (kinds.length === 0 && worlds === 'all') return true;
  const plan = planOf(seed);
  return (
    worldsOf(plan).includes(worlds) &&
    (kinds.length === 0 || plan.faults.some((it) => kinds.includes(it.kind)))
  );
}

const worldsOf = ({ settings, duties, unlike }: Plan): Worlds[] => [
  'all',
  settings.register === 'none' ? 'without a register' : 'with a register',
  ...(duties ? ['with duties' as const] : []),
  ...(unlike || isBesideRegister(settings, duties) ? ['not alike' as const] : []),
];

/** There is an asynchronous copy. */
const isBesideRegister = ({ register }: Plan['settings'], duties: Duties = []): boolean =>
  register !== 'none' && duties.some((it) => it.replication === 'asynchronous');

function carryOut(order: Order): Found {
  const { from, count, trace } = order;
  const all: Report[] = [];
  for (let seed = from; seed < from + count; seed += 1) {
    if (isWanted(seed, order)) all.push(runOne(seed, trace));
  }
  return {
    from,
    seeds: count,
    scenarios: all.length,
    promotions: all.reduce((sum, it) => sum + it.promotions, 0),
    acknowledged: all.reduce((sum, it) => sum + it.acknowledged, 0),
    failed: all.filter((it) => it.violations.length > 0),
    told: trace ? all : [],
  };
}

/** A core that throws, or that never comes to an end with an event, is a violation like any other. */
function runOne(seed: number, trace: boolean): Report {
  try {
    return runScenario(seed, trace);
  } catch (error) {
    const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    const nothing = { promotions: 0, acknowledged: 0, lines: [] };
    return { plan: planOf(seed), ...nothing, violations: [`X: ${text}`] };
  }
}

parentPort?.on('message', (order: Order) => parentPort?.postMessage(carryOut(order)));
