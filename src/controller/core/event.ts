/**
 * Everything that can happen to a controller. Each event carries both clocks, because `decide` has none.
 * Monitors report facts only; how many failures make a fault is counted in the core.
 */
import type { ArbiterLine, ServerConf, ServerLine } from '../config.ts';
import type { CheckpointPurpose } from './action.ts';
import type { Persisted } from './state.ts';
import type { ArbiterView, Asker, DiskPart, InstanceReport, Lineages, ServerId, ServerView } from './view.ts';

export interface Clocks {
  /** Monotonic milliseconds. */
  readonly at: number;
  /** Unix milliseconds; for people and for comparing decisions of different hosts, never for timeouts. */
  readonly wall: number;
  /** Milliseconds since the host was booted, time in which it was suspended included. */
  readonly sinceBoot: number;
}

/** busy: all connections are taken, which is a sign of life. starting: it is there but does not take queries yet. */
export type CheckOutcome =
  | { readonly kind: 'answer'; readonly report: InstanceReport }
  | { readonly kind: 'busy' }
  | { readonly kind: 'starting' }
  /** No answer in time; or, with `why`, no new session is possible, whatever those that are open already can do. */
  | { readonly kind: 'timeout'; readonly why?: string }
  | { readonly kind: 'refused'; readonly why: string }
  | { readonly kind: 'gone' };

interface Asked {
  /** Who asks, for whoever asks meanwhile. */
  readonly by?: Asker;
}

export type ControlRequest = Asked & ControlCommand;

type ControlCommand =
  /** `force`: also a server in maintenance. */
  | { readonly kind: 'start'; readonly force?: boolean }
  | { readonly kind: 'wait-started' }
  | { readonly kind: 'stop'; readonly all: boolean; readonly mcOnly: boolean; readonly force: boolean }
  | { readonly kind: 'set-failover'; readonly enabled: boolean }
  | SwitchCommand
  | { readonly kind: 'abort-switch' }
  | DetachCommand
  | AttachCommand
  | MaintenanceBegin
  | MaintenanceEnd;

/** `who` has it in maintenance from then on. */
export interface MaintenanceBegin {
  readonly kind: 'maintenance-begin';
  readonly server: ServerId;
  readonly who: string;
  readonly reason: string;
  readonly untilWall: number | null;
  /** In the place of somebody else. */
  readonly replace: boolean;
  /** No commit need wait for any standby meanwhile. */
  readonly alone: boolean;
}

/** `of`: the maintenance of somebody else. */
export interface MaintenanceEnd {
  readonly kind: 'maintenance-end';
  readonly server: ServerId;
  readonly who: string;
  readonly of?: string;
}

/** Without a server: the one that is worst off. */
interface DetachCommand {
  readonly kind: 'detach';
  readonly noFencing: boolean;
  readonly server?: ServerId;
}

/** Ends a detach: commits wait for the standby again once it streams. */
export interface AttachCommand {
  readonly kind: 'attach';
  readonly server: ServerId;
}

interface SwitchCommand {
  readonly kind: 'switch';
  readonly force: boolean;
  readonly noFencing: boolean;
  readonly to?: ServerId;
  /** How long the primary waits, in service, until the standby has replayed enough; missing: 30 s. */
  readonly maxWaitMs?: number;
}

/** What one controller may ask of another. */
export type PeerRequest = Asked & PeerCommand;

type PeerCommand =
  | { readonly kind: 'stop'; readonly mcOnly: boolean; readonly force: boolean }
  | SwitchCommand
  | { readonly kind: 'abort-switch' }
  | DetachCommand
  | AttachCommand
  | MaintenanceBegin
  | MaintenanceEnd;

/** What pg_controldata says of a stopped instance. */
export interface Proof {
  readonly state: string;
  readonly checkpoint: string;
  /** No process of it is left, not only no postmaster. */
  readonly idle: boolean;
}

export type Happening =
  | {
      readonly kind: 'boot';
      /** standby.signal is there. */
      readonly standby: boolean;
      /** The postmaster of the data directory is alive. */
      readonly running: boolean;
      readonly mcOnly: boolean;
      /** -f or -F of the command. */
      readonly failover: boolean | null;
      readonly restored: Persisted | null;
      /** The state file was there but torn. */
      readonly torn: boolean;
      /** Whom synchronous_standby_names has named, also where it is commented out now. */
      readonly named: readonly ServerId[];
      /** Differs with every start of the controller. */
      readonly incarnation: string;
    }
  | { readonly kind: 'tick' }
  | { readonly kind: 'heard'; readonly peer: ServerId; readonly view: ServerView }
  | { readonly kind: 'peer-refused'; readonly peer: ServerId }
  | {
      readonly kind: 'arbiter-heard';
      readonly arbiter: ServerId;
      readonly view: ArbiterView;
      /** What this server has to remember of it, with what it remembers of others. */
      readonly lineages?: Lineages;
    }
  /** The connection to an arbiter could not be made, or has ended. */
  | { readonly kind: 'arbiter-lost'; readonly arbiter: ServerId; readonly why: string }
  | { readonly kind: 'unknown-peer'; readonly from: string; readonly why: string }
  | { readonly kind: 'primary-probe'; readonly open: boolean }
  | { readonly kind: 'instance-check'; readonly outcome: CheckOutcome }
  | {
      readonly kind: 'disk-check';
      readonly part: DiskPart;
      readonly ok: boolean;
      readonly error: string;
      /** Room that is left; null where it is not known. */
      readonly freeBytes?: number | null;
    }
  | { readonly kind: 'instance-started' }
  | { readonly kind: 'start-failed'; readonly why: string }
  | {
      readonly kind: 'instance-stopped';
      readonly proof: Proof | null;
      /** So many walsenders of others were ended, because they held the shutdown up. */
      readonly endedSenders?: number;
    }
  | { readonly kind: 'stop-failed'; readonly why: string }
  | { readonly kind: 'control'; readonly id: number; readonly request: ControlRequest }
  | {
      readonly kind: 'peer-request';
      readonly peer: ServerId;
      readonly id: number;
      readonly request: PeerRequest;
    }
  | {
      readonly kind: 'peer-reply';
      readonly peer: ServerId;
      /** That of the request. */
      readonly id: number;
      readonly ok: boolean;
      readonly text: string;
      readonly code?: 'busy';
    }
  | { readonly kind: 'checkpointed'; readonly purpose: CheckpointPurpose; readonly why: string | null }
  /** Every pre_detach_command has ended, or its time was up; what went wrong, if anything. */
  | { readonly kind: 'pre-detached'; readonly failures: readonly string[] }
  | { readonly kind: 'names-set'; readonly ids: readonly ServerId[]; readonly needed: number }
  | { readonly kind: 'names-failed'; readonly why: string }
  /** `why`: what went wrong; null when all was done. */
  | { readonly kind: 'slots-set'; readonly why: string | null }
  | { readonly kind: 'receiver-cut'; readonly lsn: string }
  | { readonly kind: 'cut-failed'; readonly why: string }
  | { readonly kind: 'promoted'; readonly timeline: number }
  /** Nobody waits for it any more; whether it was asked for, and whether it will still come, is not known. */
  | { readonly kind: 'promote-failed'; readonly why: string }
  | { readonly kind: 'followed' }
  | { readonly kind: 'follow-failed'; readonly why: string }
  /** The reference addresses that answered; every round ends with it. */
  | { readonly kind: 'references'; readonly answered: readonly string[] }
  /** The arbitration command: yes means that the target has failed. The fencing command: yes means that it was fenced. */
  | {
      readonly kind: 'command-ended';
      readonly command: 'arbitration' | 'fencing';
      readonly target: ServerId;
      readonly yes: boolean;
      readonly why: string;
    }
  | { readonly kind: 'hook-failed'; readonly hook: string; readonly why: string }
  | { readonly kind: 'terminate' }
  | {
      readonly kind: 'reload';
      readonly conf: ServerConf;
      readonly servers: readonly ServerLine[];
      readonly arbiters?: readonly ArbiterLine[];
    }
  | { readonly kind: 'reload-failed'; readonly why: string }
  | { readonly kind: 'persist-failed'; readonly why: string }
  /** Nothing can be written down any more: the management directory is gone, full or read-only. And it can again. */
  | { readonly kind: 'place-lost'; readonly why: string }
  | { readonly kind: 'place-back' };

export type Event = Clocks & Happening;
