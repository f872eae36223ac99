/** Mutations of who may connect. What is proven: ../mutations.ts. */
import { describeMutations } from '../mutations.ts';

describeMutations('access');
