/** `pgduet init`: writes an inventory to begin with. Never overwrites a file. */
import { writeFileSync } from 'node:fs';
import { DiagnosticError } from '../base/diagnostic.ts';
import { exitCode } from '../base/exit-codes.ts';
import { shippedInventory } from '../shipped.ts';
import type { World } from './world.ts';

export function init(world: World): number {
  const path = world.options.inventory;
  const example = shippedInventory('pair.yml');
  if (example === undefined) throw new Error('inventories/pair.yml is missing beside the program');
  try {
    writeFileSync(path, example, { flag: 'wx', mode: 0o600 });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new DiagnosticError(
      [
        {
          code: 'INV001',
          what: `'${path}' cannot be written`,
          why: reason,
          fix: 'Name another file with -i, or remove this one if it is not needed.',
        },
      ],
      exitCode.inputWrong,
    );
  }
  world.print(`${path} is written. Put in your hosts, then: pgduet validate -i ${path}`);
  return exitCode.done;
}
