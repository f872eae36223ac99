/**
 * Directories with data of PostgreSQL that were made once and are copied: initdb alone takes half a second of a processor. They lie in
 * `.cache/data` by a hash of what makes them. In: a recipe. Out: a copy in a directory that is there. It must never leave one there
 * that is not whole: each is made elsewhere, and renamed.
 */
import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const store = join(import.meta.dirname, '../../../.cache/data');

/** In memory, where that is possible. */
export const memory = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

export interface DataRecipe {
  readonly name: string;
  /** All that the data follow from: when one of these texts changes, they are made anew. */
  readonly ingredients: readonly string[];
  /** Makes them in an empty directory; nothing runs there any more when it returns. */
  make(dir: string): void;
}

export function copyPrepared(recipe: DataRecipe, to: string): void {
  const text = JSON.stringify(recipe.ingredients);
  const key = createHash('sha256').update(text).digest('hex').slice(0, 12);
  const dir = join(store, `${recipe.name}-${key}`);
  if (!existsSync(dir)) keep(recipe, dir);
  copy(dir, to);
}

/** Owner, mode and times stay. */
function copy(from: string, to: string): void {
  execFileSync('cp', ['-a', '--reflink=auto', `${from}/.`, to]);
}

function keep({ name, make }: DataRecipe, dir: string): void {
  mkdirSync(store, { recursive: true, mode: 0o700 });
  const former = readdirSync(store).filter((it) => it.startsWith(`${name}-`));
  const unfinished = join(store, `.${randomBytes(6).toString('hex')}`);
  const making = mkdtempSync(join(memory, 'mc-data-'));
  try {
    make(making);
    mkdirSync(unfinished);
    copy(making, unfinished);
    // Where another worker was faster, its own stays.
    if (!existsSync(dir)) renameSync(unfinished, dir);
  } finally {
    rmSync(making, { recursive: true });
    rmSync(unfinished, { recursive: true, force: true });
  }
  for (const one of former) rmSync(join(store, one), { recursive: true, force: true });
}
