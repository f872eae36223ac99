/** A plan: the cluster and what goes wrong in it, as plain data; and every kind of fault by its name. In: dice. Out: data. Pure. */
import { arbiterKinds } from './arbiter.ts';
import { cables } from './cables.ts';
import { copyKinds, type Duties, dutyKinds } from './duties.ts';
import type { Kind, Kinds } from './fault.ts';
import { faults } from './faults.ts';
import { maintenanceKinds } from './maintenance.ts';
import { persons } from './persons.ts';
import type { Random } from './random.ts';
import { returns } from './returns.ts';
import { schedules } from './schedules.ts';
import { strangers } from './strangers.ts';
import { giveUpMs } from './times.ts';
import { timesKinds, type Unlike } from './unlike.ts';
import type { WorldSettings } from './world.ts';

export const kinds: Kinds = {
  ...faults,
  ...cables,
  ...persons,
  ...schedules,
  ...returns,
  ...strangers,
};
const names = Object.keys(kinds);

/** Faults of an arbiter strike only where there is one, those of duties where a server has one, those of times where they differ. */
export const allKinds: Kinds = {
  ...kinds,
  ...arbiterKinds,
  ...dutyKinds,
  ...copyKinds,
  ...timesKinds,
  ...maintenanceKinds,
};

export function kindOf(name: string): Kind {
  const kind = allKinds[name];
  if (!kind) throw new Error(`no kind of fault is called '${name}'`);
  return kind;
}

export interface PlannedFault {
  readonly kind: string;
  readonly host: number;
  readonly other: number;
  /** After the cluster is whole. */
  readonly afterMs: number;
  readonly lastsMs: number;
}

export interface Plan {
  readonly settings: Omit<WorldSettings, 'trace' | 'duties' | 'unlike'>;
  /** Missing: every server may do everything. */
  readonly duties?: Duties;
  /** By the place of the server; missing: all are alike. */
  readonly unlike?: readonly Unlike[];
  readonly faults: readonly PlannedFault[];
  /** When all is over: nothing; what is out is rebuilt; and then the new primary fails. */
  readonly aftermath: 'nothing' | 'rebuild' | 'rebuild, then again';
}

export function fault(random: Random, servers: number, index: number): PlannedFault {
  const kind = random.pick(names);
  const host = random.between(0, servers - 1);
  const other = (host + random.between(1, servers - 1)) % servers;
  const lastsMs = kindOf(kind).short ? random.between(50, giveUpMs / 3) : random.between(300, 5000);
  return { kind, host, other, afterMs: random.between(10, 1500) + index * random.between(0, 3500), lastsMs };
}
