/**
 * Faults after which the primary of a real pair stays primary: nothing that was acknowledged is lost, and nothing else is
 * done.
 */
import { expect } from 'vitest';
import { labTest } from '../harness/describe.ts';
import { describeFaults, expectSafe, faultCalled } from './support/faults.ts';

describeFaults('faults after which the primary goes on', (broken) => {
  for (const name of [
    'host frozen for 1 s (primary)',
    'host frozen for 1 s (standby)',
    'max_connections used up for 10 s (primary)',
    'postmaster killed (standby)',
  ])
    labTest(`${name}: the primary stays primary, and nothing is lost`, async () => {
      const result = await broken.run(faultCalled(name));
      expectSafe(result);
      expect(result.oldPrimaryWrites).toBe(true);
    });
});
