/** Three servers whose network fails: their majority decides, so that nothing is lost and there is one primary. */
import { expect } from 'vitest';
import { labTest } from '../harness/describe.ts';
import { describeFaults, expectSafe, faultCalled } from './support/faults.ts';

describeFaults(
  'three servers',
  (broken) => {
    labTest('cable cut: a standby takes over, and the former primary acknowledges nothing', async () => {
      const result = await broken.run(faultCalled('cable cut, with three servers (primary)'));
      expectSafe(result);
      expect(result.oldPrimaryWrites).toBe(false);
    });

    labTest('packets from the primary to its standby lost: the primary goes on', async () => {
      const name = 'packets from the primary to the other lost, with three servers (primary)';
      const result = await broken.run(faultCalled(name));
      expectSafe(result);
      expect(result.oldPrimaryWrites).toBe(true);
    });
  },
  'majority',
);
