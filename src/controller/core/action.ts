/**
 * Everything a controller can do to the world, in the order in which it must be done: what has to survive a crash
 * is persisted before anything that another host can see. A failed action comes back as an event.
 */
import type { PeerRequest } from './event.ts';
import type { MessageNumber } from './messages.ts';
import type { ReplyTo } from './processes.ts';
import type { Persisted } from './state.ts';
import type { Role, ServerId, ServerView } from './view.ts';

/** What is to be done about slots. */
export interface SlotWork {
  /** Servers in whose slots logical walsenders wait; undefined: the list stays as it is. */
  readonly waitFor?: readonly ServerId[] | undefined;
  /** Servers that get a slot. */
  readonly make: readonly ServerId[];
  /** Servers whose slot is made anew, so that it keeps nothing. */
  readonly renew: readonly ServerId[];
  /** Slots by name. */
  readonly drop: readonly string[];
}

/** A checkpoint that was begun for the one says nothing about the other. */
export type CheckpointPurpose = 'switch' | 'proof';

export type Action =
  | {
      readonly kind: 'log';
      readonly message: MessageNumber;
      readonly values: Readonly<Record<string, string>>;
    }
  /** `must`: nothing else of the decision may happen before it is written. Otherwise it is tried, and may fail. */
  | { readonly kind: 'persist'; readonly persisted: Persisted; readonly must: boolean }
  | { readonly kind: 'heartbeat'; readonly view: ServerView }
  /** Answers with `instance-started` or `start-failed`. A standby without standby.signal is not started as a primary. */
  | { readonly kind: 'start-instance'; readonly role: Role }
  /**
   * fast: as long as it takes. limited: immediate shutdown after a minute, for a switch. forced: immediate shutdown when the fast
   * one takes too long. immediate: at once, and without mercy in the end. Answers with `instance-stopped` and what pg_controldata
   * says after a fast one, or where a proof is asked for; or with `stop-failed`.
   */
  | {
      readonly kind: 'stop-instance';
      readonly mode: 'fast' | 'limited' | 'forced' | 'immediate';
      readonly prove?: true;
    }
  /** Answers with `checkpointed`. */
  | { readonly kind: 'checkpoint'; readonly purpose: CheckpointPurpose }
  /** pre_detach_command for each of them, at once; answers with `pre-detached` when the last has ended or its time is up. */
  | { readonly kind: 'pre-detach'; readonly targets: readonly ServerId[] }
  /** The names in postgresql.conf, then a reload; `names-set`, `names-failed`. */
  | { readonly kind: 'set-names'; readonly ids: readonly ServerId[] }
  /**
   * Slots that standbys stream through and the list of those that logical walsenders wait for, then a reload: what is dropped or
   * renewed is looked at once more, and is left alone while somebody uses it. Answers with `slots-set`.
   */
  | { readonly kind: 'set-slots'; readonly to: SlotWork }
  /** Comments out primary_conninfo and the own synchronous_standby_names; `receiver-cut` tells where WAL ends. */
  | { readonly kind: 'cut-receiver' }
  /** Asks the instance that was started then. Answers with `promoted` once it takes writes, however long that takes. */
  | { readonly kind: 'promote'; readonly startedAtWall: number | null }
  /** Points the instance at a primary; a stopped former primary becomes a standby by it. `followed`, `follow-failed`. */
  | { readonly kind: 'follow'; readonly host: string; readonly port: number }
  /** Answers with `references`. */
  | { readonly kind: 'ask-references' }
  /** Answers with `command-ended`. */
  | {
      readonly kind: 'run-command';
      readonly command: 'arbitration' | 'fencing';
      readonly target: ServerId;
      readonly operation: 'switch' | 'detach';
      readonly mode: 'monitor' | 'command';
    }
  /** Answers with `hook-failed`, or not at all. */
  | { readonly kind: 'hook'; readonly hook: 'post-switch' | 'post-attach'; readonly target: ServerId }
  /** Tries the replication address of primary_conninfo; answers with `primary-probe`. */
  | { readonly kind: 'probe-primary' }
  /** Answers with the `peer-reply` of that id; there may be several at a time. */
  | {
      readonly kind: 'ask-peer';
      readonly peer: ServerId;
      readonly id: number;
      readonly request: PeerRequest;
    }
  | {
      readonly kind: 'reply';
      readonly to: ReplyTo;
      readonly ok: boolean;
      readonly text: string;
      /** busy: another command is under way; nothing was done. */
      readonly code?: 'busy';
    }
  /** Ends the controller, after the replies before it are out. */
  | { readonly kind: 'exit'; readonly code: number };

/** What the caller does to the world; the record is written before any of it. */
export type Deed = Exclude<Action, { kind: 'persist' }>;
