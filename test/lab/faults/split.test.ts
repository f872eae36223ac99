/** A network that fails between the servers of a real pair: both go on, as `fallback` has it, and both say so. */
import { expect } from 'vitest';
import { labTest } from '../harness/describe.ts';
import { describeFaults, faultCalled } from './support/faults.ts';

describeFaults('a pair whose network fails', (broken) => {
  labTest('cable cut (primary): with fallback both go on, and both say so', async () => {
    const result = await broken.run(faultCalled('cable cut (primary)'));
    expect(result.said.map(({ number }) => number)).toContain('00062');
    const numbers = (server: string) =>
      result.said.filter((it) => it.server === server).map(({ number }) => number);
    for (const { id } of broken.pair.servers) expect(numbers(id)).toContain('01030');
  });
});
