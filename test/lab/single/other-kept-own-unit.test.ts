/** Single → multiplexed → the other server alone: a server with a unit of its own, and all that an administrator can have done in ten years. What is proven: round-trip.ts. */
import { describeOtherKept } from './round-trip.ts';

describeOtherKept('ownUnit');
