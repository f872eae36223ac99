/** All mutations, in the order in which the lab test makes them. */
import { accessRounds } from './access.ts';
import { controllerRounds } from './controller.ts';
import { fileRounds } from './files.ts';
import type { Round } from './mutation.ts';
import { overrideRounds } from './overrides.ts';
import { replicationRounds } from './replication.ts';
import { settingRounds } from './settings.ts';
import { unitRounds } from './units.ts';

export const rounds: readonly Round[] = [
  ...fileRounds,
  ...unitRounds,
  ...settingRounds,
  ...overrideRounds,
  ...accessRounds,
  ...replicationRounds,
  ...controllerRounds,
];
