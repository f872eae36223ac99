/** Single → multiplexed → single: a server that a person starts and that needs no restart. What is proven: round-trip.ts. */
import { describeRoundTrips } from './round-trip.ts';

describeRoundTrips('needsNothing');
