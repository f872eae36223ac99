/**
 * Runs once before the lab's tests: checks the machine, installs what is missing, builds the
 * images. When this machine cannot hold a lab it says exactly why; on CI that is a failure, for a
 * person the lab's tests are skipped with the reason.
 * It must never let a lab of a dead test process stay behind when the run is over.
 */
import { removeDeadLabs } from './claim.ts';
import { IMAGE_NAMES } from './definition.ts';
import { ensureImages } from './image.ts';
import { labObstacle, prepareMachine } from './machine.ts';
import { SKIP_VARIABLE } from './skip.ts';

export async function setup(): Promise<void> {
  const reason = labObstacle() ?? (await preparationFailure());
  if (reason !== undefined) {
    if (process.env.CI === 'true') throw new Error(reason);
    process.stderr.write(`lab: tests with real hosts are skipped: ${reason}\n`);
    // The workers are started later and inherit the environment of this process.
    process.env[SKIP_VARIABLE] = reason;
  }
}

async function preparationFailure(): Promise<string | undefined> {
  try {
    await prepareMachine((line) => process.stderr.write(`lab: ${line}\n`));
    await removeDeadLabs();
    await ensureImages(IMAGE_NAMES);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

export async function teardown(): Promise<void> {
  if (labObstacle() === undefined) await removeDeadLabs();
}
