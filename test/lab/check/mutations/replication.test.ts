/** Mutations of replication. What is proven: ../mutations.ts. */
import { describeMutations } from '../mutations.ts';

describeMutations('replication');
