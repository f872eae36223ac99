/** What `mc_arb` asks of the arbiter of its directory, and what comes back. In: nothing; these are words. */
import type { ArbiterStatus } from './status.ts';

export interface ArbiterRequest {
  readonly kind: 'status' | 'reload' | 'stop';
}

export interface ArbiterReply {
  readonly ok: boolean;
  readonly text: string;
  readonly status?: ArbiterStatus;
}
