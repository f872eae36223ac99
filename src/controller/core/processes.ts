/** How far each process of a controller is: words of its state, as README.md lists them. Plain data. Times as in state.ts. */
import type { Handover, ServerId } from './view.ts';

/** How far the start of the own instance is. `left`: nobody asked for it (--mc-only). */
export type Boot =
  | { readonly kind: 'new' }
  | {
      readonly kind: 'asking-peers';
      readonly untilAt: number;
      readonly byPerson: boolean;
      /** It was said that a server which may be primary is not heard. */
      readonly said: boolean;
    }
  | {
      readonly kind: 'waiting-for-primary';
      readonly sinceAt: number;
      readonly probedAt: number;
      readonly remindedAt: number;
    }
  /** The role was given away; the other server's answer decides. */
  | { readonly kind: 'handed' }
  | { readonly kind: 'starting' }
  | { readonly kind: 'left' }
  /** This server is in maintenance: it starts when that is over. */
  | { readonly kind: 'maintained' }
  | { readonly kind: 'done' }
  | { readonly kind: 'failed'; readonly why: string };

/** A change of synchronous_standby_names that is under way. */
export interface Change {
  readonly to: readonly ServerId[];
  /** hook: pre_detach_command runs; hooked: it has ended, and nothing was promised yet. */
  readonly stage: 'hook' | 'hooked' | 'reporting' | 'setting' | 'failed';
  /** For whom pre_detach_command has been run; it is not run again when the change is tried again. */
  readonly announced: readonly ServerId[];
  /** When the stage began. */
  readonly at: number;
}

/** A change of slots that is under way, or over since a moment ago. */
export interface Slotting {
  /** done: it waits for an answer of the instance that shows it. */
  readonly stage: 'doing' | 'done' | 'failed';
  readonly at: number;
  /** Why the last one has failed, also while it is tried again. */
  readonly why: string | null;
}

/** A standby whose name is in force is shown to hold everything before it may be promoted. */
export type Proving =
  | { readonly id: ServerId; readonly stage: 'checkpoint' | 'mark' | 'catching'; readonly lsn: string | null }
  /** The checkpoint has failed; it is asked for again behind a pause. */
  | { readonly id: ServerId; readonly stage: 'failed'; readonly at: number };

/** A switch that a person has asked for and that has not begun: the primary serves on, and nothing depends on it. */
export interface Preparation {
  readonly to: ServerId;
  readonly force: boolean;
  readonly stage: 'checkpoint' | 'mark' | 'replay';
  /** What the standby must have replayed. */
  readonly mark: string | null;
  readonly untilAt: number;
}

/** The stage promote of the own takeover. */
export interface Promotion {
  /** The action is under way. */
  readonly asked: boolean;
  /** When it was asked for; once its session has ended, when it is asked for again. */
  readonly at: number;
  /** The instance is being stopped, to see whether it was promoted: why, and who waits for that. */
  readonly stopping: { readonly why: string; readonly replyTo: readonly ReplyTo[] } | null;
  /** The first observation of what is left to replay. */
  readonly begun: { readonly at: number; readonly leftBytes: number } | null;
  readonly leftBytes: number | null;
}

/** A maintenance that a person begins or ends. */
export interface Maintaining {
  readonly id: ServerId;
  /** renew: it has begun, and something else is said of it. */
  readonly goal: 'begin' | 'renew' | 'end';
  /** leaving: somebody relies on it still. telling: the others are to remember it. */
  readonly stage: 'leaving' | 'telling';
  readonly untilAt: number;
  /** Since when nobody relies on it. */
  readonly outAt: number | null;
}

/** How far the primary's part of a switch is. */
export interface Giving {
  readonly stage: 'stop' | 'given' | 'following';
  readonly handover: Handover;
  /** Standbys that have refused it. */
  readonly tried: readonly ServerId[];
  /** The instance may be started again if all of them refuse. */
  readonly restartable: boolean;
  /** It was heard that this handover is being taken; the receiver of the role waits for the echo of that. */
  readonly taken?: ServerId | undefined;
}

/** How often the instance of a primary was started again after it had gone away, in one series of attempts. */
export interface Revival {
  readonly attempts: number;
  /** The next attempt is not made before. */
  readonly nextAt: number;
  /** It was said that there will be no further one. */
  readonly over: boolean;
}

/** An answer from outside: arbitration command, fencing command. */
export interface Verdict {
  readonly askedAt: number;
  readonly answer: boolean | null;
}

/** A stop that is under way: servers are taken one after the other, standbys first. */
export interface Stop {
  /** Who asked: control requests and peers; nobody when it was a signal. */
  readonly replyTo: readonly ReplyTo[];
  readonly mcOnly: boolean;
  readonly force: boolean;
  readonly queue: readonly ServerId[];
  readonly current: ServerId;
  readonly failures: readonly string[];
  /** The others are being told that this server leaves; not waited for any longer than this. */
  readonly announcingUntil: number | null;
}

/** A person waits for that standby to be out. */
export interface Detaching {
  readonly replyTo: ReplyTo;
  readonly id: ServerId;
  /** From then on it is said that it is not out yet. */
  readonly untilAt: number;
}

/** A request of a person that was passed on to another server, whose answer is given back. */
export interface PassedOn {
  readonly replyTo: ReplyTo;
  readonly peer: ServerId;
  /** Several may be on their way to one server. */
  readonly id: number;
  /** What this server is busy with meanwhile; null: nothing that keeps another command away. */
  readonly work: 'switch' | 'detach' | null;
  /** Whom a person has named for a switch. */
  readonly to?: ServerId | undefined;
}

export type ReplyTo =
  | { readonly kind: 'control'; readonly id: number }
  | { readonly kind: 'peer'; readonly peer: ServerId; readonly id: number };
