/** A pair by hand from the packages of Debian; see pair-trip.ts. */
import { describePair } from './pair-trip.ts';

describePair('packaged');
