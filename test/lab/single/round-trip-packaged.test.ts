/** Single → multiplexed → single: Debian's own cluster. What is proven: round-trip.ts. */
import { describeRoundTrips } from './round-trip.ts';

describeRoundTrips('packaged');
