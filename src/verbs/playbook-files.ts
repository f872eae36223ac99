/** The texts of playbooks, and of those that they include. In: a path, or a name and where it stands. Out: text, or why there is none. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import type { FindIncluded } from '../playbook/playbook.ts';
import { shippedPart } from '../shipped.ts';

/** Beside the playbook that includes it, else among those that are shipped; so it is with templates, too. */
export const included: FindIncluded = (name, from) => {
  const beside = isAbsolute(name) ? name : join(dirname(from), name);
  const shipped = shippedPart(name);
  const path = !existsSync(beside) && shipped !== undefined && existsSync(shipped) ? shipped : beside;
  const text = textOf(path);
  return typeof text === 'string' ? { path, text } : text;
};

export function textOf(path: string): string | { readonly reason: string } {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    return { reason: error instanceof Error ? error.message : String(error) };
  }
}
