/**
 * Whether anything has changed that the judgement of the pair depends on. Most events only say that all is as it was, and
 * WAL positions move with every look. In: two states. Out: yes or no. Pure.
 */
import type { OwnServer, Peer, State } from './state.ts';
import type { InstanceReport, ServerView } from './view.ts';

const stateKeys = [
  'failover',
  'degraded',
  'giving',
  'takeover',
  'sync',
  'servers',
  'stop',
  'boot',
  'task',
  'parked',
] as const;
const viewKeys = [
  'phase',
  'role',
  'sync',
  'handover',
  'takeover',
  'leaving',
  'lastTimeline',
  'busy',
  'detached',
] as const;

/** True when `assess` and `livePrimaries` say the same of both. */
export function sameSight(before: State, state: State): boolean {
  if (before.mirroring !== state.mirroring) return false;
  for (const key of stateKeys) if (before[key] !== state[key]) return false;
  if (!sameOwn(before.own, state.own)) return false;
  for (const id in state.peers) if (!samePeer(before.peers[id], state.peers[id])) return false;
  return true;
}

function sameOwn(before: OwnServer, own: OwnServer): boolean {
  if (before === own) return true;
  const { phase, role, disks, report } = own;
  return (
    before.phase === phase &&
    before.role === role &&
    before.disks === disks &&
    sameReport(before.report, report)
  );
}

function samePeer(before: Peer | undefined, peer: Peer | undefined): boolean {
  if (before === peer) return true;
  if (!before || before.reach !== peer?.reach) return false;
  return sameView(before.view, peer.view);
}

function sameView(before: ServerView | null, view: ServerView | null): boolean {
  if (before === view) return true;
  if (!before || !view) return false;
  for (const key of viewKeys) if (before[key] !== view[key]) return false;
  return before.failedDisks.length === view.failedDisks.length && sameReport(before.report, view.report);
}

function sameReport(before: InstanceReport | null, report: InstanceReport | null): boolean {
  if (before === report) return true;
  if (!before || !report) return false;
  return (
    before.receiver === report.receiver &&
    before.systemId === report.systemId &&
    before.synchronousStandbyNames === report.synchronousStandbyNames &&
    before.senders.length === report.senders.length &&
    before.senders.every((row, index) => {
      const other = report.senders[index];
      return row.name === other?.name && row.state === other.state && row.syncState === other.syncState;
    })
  );
}
