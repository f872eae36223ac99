/** Single → multiplexed → the other server alone: Debian's own cluster. What is proven: round-trip.ts. */
import { describeOtherKept } from './round-trip.ts';

describeOtherKept('packaged');
