/** All mutations, in the order of the table in docs/check.md. */
import { accessRounds } from './access.ts';
import { controllerRounds } from './controller.ts';
import { fileRounds } from './files.ts';
import type { Round } from './mutation.ts';
import { overrideRounds } from './overrides.ts';
import { replicationRounds } from './replication.ts';
import { settingRounds } from './settings.ts';
import { unitRounds } from './units.ts';

/** The parts of the table. Each has a lab test of its own, `PART.test.ts` beside this file. */
export const parts = {
  files: [...fileRounds, ...unitRounds],
  settings: [...settingRounds, ...overrideRounds],
  access: accessRounds,
  replication: replicationRounds,
  controller: controllerRounds,
} as const satisfies Readonly<Record<string, readonly Round[]>>;
export type Part = keyof typeof parts;

export const rounds: readonly Round[] = Object.values(parts).flat();
