/** What an inventory may say but should have thought about: risks in plain sentences. Pure. */
import type { Diagnostic } from '../base/diagnostic.ts';
import type { Draft } from './draft.ts';
import { onOneMachine } from './machines.ts';
import { policyOf } from './policy.ts';

export function warnings(draft: Draft): Diagnostic[] {
  return [...warnOfFallback(draft)];
}

/** Hosts on one machine cannot be cut off from each other, and with failover: manual nobody takes over. */
function warnOfFallback(draft: Draft): Diagnostic[] {
  const manual = draft.data.multiplexing?.failover === 'manual';
  if (policyOf(draft) !== 'fallback' || onOneMachine(draft.hosts) || manual) return [];
  const asks = (draft.data.multiplexing?.reference_addresses ?? []).length > 0;
  return [
    {
      code: 'INV021',
      what: 'when the heartbeat is lost, each host decides for itself (on_heartbeat_loss: fallback)',
      why: `if only the network between the hosts fails${asks ? ' while both still reach a reference address' : ''}, both may accept writes, and those of one side have to be brought over by hand`,
      fix: asks
        ? 'Write on_heartbeat_loss: message to have a person decide, or command to have your own command decide.'
        : 'Add reference_addresses, so that a host that is cut off notices it, or write on_heartbeat_loss: message to have a person decide.',
      at: draft.valueAt('multiplexing', 'on_heartbeat_loss'),
    },
  ];
}
