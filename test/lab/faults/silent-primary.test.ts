/**
 * Faults that silence the primary of a real pair, its host or its instance: the standby takes over, nothing that was acknowledged
 * is lost, and the former primary does not come up writable.
 */

import { labTest } from '../harness/describe.ts';
import { frozenOut, instanceStopped, instanceStoppedFor } from './support/catalogue.ts';
import { describeFaults, expectSafe, faultCalled, testsOfTakeover } from './support/faults.ts';

describeFaults('a primary that falls silent', (broken) =>
  testsOfTakeover(broken, [
    // The standby gives up after 5.4 s; `npm run faults` freezes the host for 30 s.
    frozenOut('primary', 12),
    faultCalled('power off, and on again 10 s later (primary)'),
  ]),
);

describeFaults(
  'a primary whose instance does not answer while its processes live',
  (broken) => {
    labTest('it answers again before the delay is over: nobody switches', async () => {
      expectSafe(await broken.run(instanceStoppedFor('primary', 3)));
    });
    testsOfTakeover(broken, [instanceStopped('primary')]);
  },
  'impatient',
);
