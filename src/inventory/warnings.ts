/** What an inventory may say but should have thought about: risks in plain sentences. Pure. */
import type { Diagnostic } from '../base/diagnostic.ts';
import { arbiterOf, type Draft, serversOf } from './draft.ts';
import { onOneMachine, sharesMachine } from './machines.ts';
import { policyOf } from './policy.ts';

export function warnings(draft: Draft): Diagnostic[] {
  return [...warnOfFallback(draft), ...warnOfPlace(draft)];
}

/** An arbiter that goes away together with a server answers nobody just when it is asked. */
function warnOfPlace(draft: Draft): Diagnostic[] {
  const servers = serversOf(draft);
  const arbiter = arbiterOf(draft);
  const shared = arbiter && servers.find((server) => sharesMachine(server, arbiter));
  if (!arbiter || !shared || onOneMachine(servers)) return [];
  return [
    {
      code: 'INV021',
      what: `the arbiter '${arbiter.name}' is on the machine of '${shared.name}'`,
      why: 'if that machine is lost, nobody answers the other server: its commits wait, and a person has to decide',
      fix: 'Give the arbiter a machine of its own, best on a third network; a small one is enough.',
      at: draft.hostValueAt(arbiter.name, 'address'),
    },
  ];
}

/** Hosts on one machine cannot be cut off from each other, and with failover: manual nobody takes over. */
function warnOfFallback(draft: Draft): Diagnostic[] {
  const manual = draft.data.multiplexing?.failover === 'manual';
  if (policyOf(draft) !== 'fallback' || onOneMachine(serversOf(draft)) || manual) return [];
  const asks = serversOf(draft).every(({ own }) => (own.reference_addresses ?? []).length > 0);
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
