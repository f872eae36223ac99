/**
 * `describe` and `test` for tests that need real hosts. In: what vitest's own take. Where no lab is
 * possible they skip, and the reason stands in the name, so that a report never hides it.
 */
import { describe, test } from 'vitest';
import { patience } from './run.ts';
import { SKIP_VARIABLE } from './skip.ts';

const reason = process.env[SKIP_VARIABLE];

export function describeLab(name: string, body: () => void): void {
  if (reason === undefined) describe(name, body);
  else describe.skip(`${name} (skipped: ${reason})`, body);
}

export function labTest(name: string, body: () => Promise<void>, timeoutMs?: number): void {
  if (reason === undefined) test(name, body, timeoutMs === undefined ? undefined : patience * timeoutMs);
  else test.skip(`${name} (skipped: ${reason})`, body);
}
