/**
 * Who decides when the heartbeat is lost: what the inventory says. Left out it is the arbiter or the etcd, or the majority of three servers or
 * more; of a pair without an arbiter it has to be said, unless both are on one machine, where no network can come between them. Pure.
 */
import { fewestForMajority } from '../base/majority.ts';
import { type HeartbeatLossPolicy, isSynchronous } from './cluster.ts';
import { defaults } from './defaults.ts';
import { arbiterOf, type Draft, serversOf } from './draft.ts';
import { onOneMachine } from './machines.ts';

/** Undefined where the inventory has to choose and does not. */
export const policyOf = (draft: Draft): HeartbeatLossPolicy | undefined =>
  draft.data.multiplexing?.on_heartbeat_loss ?? standard(draft);

function standard(draft: Draft): HeartbeatLossPolicy | undefined {
  if (canArbitrate(draft)) return 'arbitration';
  return onOneMachine(serversOf(draft)) ? defaults.onHeartbeatLoss : undefined;
}

/** Somebody is left who answers when one server is silent: an arbiter, an etcd, or two servers that vote. */
export const canArbitrate = (draft: Draft): boolean =>
  arbiterOf(draft) !== undefined ||
  draft.data.arbiter !== undefined ||
  serversOf(draft).filter(isSynchronous).length >= fewestForMajority;
