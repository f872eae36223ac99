/**
 * Faults that silence the host of the primary of a real pair: the standby takes over, nothing that was acknowledged is lost,
 * and the former primary does not come up writable.
 */
import { frozenOut } from './support/catalogue.ts';
import { describeFaults, faultCalled, testsOfTakeover } from './support/faults.ts';

describeFaults('a primary that falls silent', (broken) =>
  testsOfTakeover(broken, [
    // The standby gives up after 5.4 s; `npm run faults` freezes the host for 30 s.
    frozenOut('primary', 12),
    faultCalled('power off, and on again 10 s later (primary)'),
  ]),
);
