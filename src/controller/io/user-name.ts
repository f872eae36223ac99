/** The name of a user of this machine. In: the number. Out: the name, or the number where there is none. */
import { outputOf } from './processes.ts';

export function userName(uid: number): string {
  const name = outputOf('id', ['-un', String(uid)]);
  return name instanceof Error ? String(uid) : name.trim();
}
