/** Mutations of files and units. What is proven: ../mutations.ts. */
import { describeMutations } from '../mutations.ts';

describeMutations('files');
