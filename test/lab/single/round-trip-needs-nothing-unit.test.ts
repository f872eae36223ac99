/** Single → multiplexed → single: a server with a unit that needs no restart to be migrated. What is proven: round-trip.ts. */
import { describeRoundTrips } from './round-trip.ts';

describeRoundTrips('needsNothingUnit');
