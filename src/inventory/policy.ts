/**
 * Who decides when the heartbeat is lost: what the inventory says. It has to say it, unless all servers are on one machine, where
 * no network can come between them. Pure.
 */
import type { HeartbeatLossPolicy } from './cluster.ts';
import { defaults } from './defaults.ts';
import type { Draft } from './draft.ts';
import { onOneMachine } from './machines.ts';

/** Undefined where the inventory has to choose and does not. */
export const policyOf = (draft: Draft): HeartbeatLossPolicy | undefined =>
  draft.data.multiplexing?.on_heartbeat_loss ??
  (onOneMachine(draft.hosts) ? defaults.onHeartbeatLoss : undefined);
