/** Single → multiplexed → single: a server with a unit of its own, and all that an administrator can have done in ten years. What is proven: round-trip.ts. */
import { describeRoundTrips } from './round-trip.ts';

describeRoundTrips('ownUnit');
