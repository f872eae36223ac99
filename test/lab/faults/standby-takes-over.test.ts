/**
 * Faults of the primary that its controller sees and the standby of a real pair takes over after: nothing that was
 * acknowledged is lost, and the former primary does not come up writable.
 */
import { describeFaults, faultCalled, testsOfTakeover } from './support/faults.ts';

describeFaults('a primary that fails while its controller goes on', (broken) =>
  testsOfTakeover(broken, [
    faultCalled('postmaster killed (primary)'),
    faultCalled('a long query holds up replay; then the postmaster is killed (primary)'),
    faultCalled('switch on request (primary)'),
  ]),
);
