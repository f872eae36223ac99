/**
 * Faults after which the primary of a real pair stays primary: nothing that was acknowledged is lost, and nothing else is
 * done. And the one after which both servers go on, as `fallback` has it.
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

  labTest('cable cut (primary): with fallback both go on, and both say so', async () => {
    const result = await broken.run(faultCalled('cable cut (primary)'));
    expect(result.said.map(({ number }) => number)).toContain('00062');
    const numbers = (server: string) =>
      result.said.filter((it) => it.server === server).map(({ number }) => number);
    for (const { id } of broken.pair.servers) expect(numbers(id)).toContain('01030');
  });
});
