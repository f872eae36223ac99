/** Single → multiplexed → single: a server that a person starts. What is proven: round-trip.ts. */
import { describeRoundTrips } from './round-trip.ts';

describeRoundTrips('byHand');
