/**
 * Counts how often hosts are switched on during a run of tests, over all workers. In: the file that PGDUET_LAB_BOOTS names.
 * Out: one line more in it. Without the variable nothing is counted.
 */
import { appendFileSync } from 'node:fs';

export function countBoot(host: string): void {
  const file = process.env.PGDUET_LAB_BOOTS;
  // A short line that is appended is whole, whoever else appends.
  if (file !== undefined) appendFileSync(file, `${host}\n`);
}
