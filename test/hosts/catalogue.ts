/** All traits, in the order in which hosts are made. In: the files of traits/. Out: those that hold, and those that are open. */

import type { Trait } from './trait.ts';
import { databases } from './traits/databases.ts';
import { declared } from './traits/declared.ts';
import { disks } from './traits/disks.ts';
import { names } from './traits/names.ts';
import { people } from './traits/people.ts';
import { replication } from './traits/replication.ts';
import { rulesTraits } from './traits/rules.ts';
import { services } from './traits/services.ts';
import { settings } from './traits/settings.ts';
import { tools } from './traits/tools.ts';

export const allTraits: readonly Trait[] = [
  ...disks,
  ...names,
  ...people,
  ...services,
  ...settings,
  ...rulesTraits,
  ...databases,
  ...replication,
  ...tools,
  ...declared,
];

/** What is right holds today. */
export const catalogue: readonly Trait[] = allTraits.filter(({ open }) => open === undefined);
export const openTraits: readonly Trait[] = allTraits.filter(({ open }) => open !== undefined);
