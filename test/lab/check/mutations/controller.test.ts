/** Mutations of the Mirroring Controller and what a host gives it. What is proven: ../mutations.ts. */
import { describeMutations } from '../mutations.ts';

describeMutations('controller');
