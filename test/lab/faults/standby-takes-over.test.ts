/**
 * Faults after which the standby of a real pair takes over: nothing that was acknowledged is lost, and the former primary
 * does not come up writable.
 */
import { expect } from 'vitest';
import { labTest } from '../harness/describe.ts';
import { frozenOut } from './support/catalogue.ts';
import { describeFaults, expectSafe, faultCalled } from './support/faults.ts';
import { label } from './support/report.ts';

describeFaults('faults after which the standby takes over', (broken) => {
  for (const fault of [
    faultCalled('postmaster killed (primary)'),
    faultCalled('a long query holds up replay; then the postmaster is killed (primary)'),
    faultCalled('switch on request (primary)'),
    // The other one gives up after 5.4 s; `npm run faults` freezes the host for 30 s.
    frozenOut('primary', 12),
    faultCalled('power off, and on again 10 s later (primary)'),
  ])
    labTest(
      `${label(fault)}: the standby takes over, nothing is lost, the former primary takes no writes`,
      async () => {
        const result = await broken.run(fault);
        expectSafe(result);
        expect(result.oldPrimaryWrites).toBe(false);
      },
    );
});
