/** A pair by hand under units of its own, which never has to stop for a migration; see pair-trip.ts. */
import { describePair } from './pair-trip.ts';

describePair('needsNothingUnit');
