/** Mutations of settings, and what overrides them. What is proven: ../mutations.ts. */
import { describeMutations } from '../mutations.ts';

describeMutations('settings');
