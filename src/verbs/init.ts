/** `pgduet init`: writes an inventory to begin with. Never overwrites a file. */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { DiagnosticError } from '../base/diagnostic.ts';
import { exitCode } from '../base/exit-codes.ts';
import type { World } from './world.ts';

export function init(world: World): number {
  const path = world.options.inventory;
  const example = readFileSync(fileURLToPath(new URL('../inventories/pair.yml', import.meta.url)), 'utf8');
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
