/**
 * What a controller knows: its own server, its peers as they last told of themselves, and what it is doing.
 * In: nothing; these are words. Plain data only, so that a state can be printed, compared and replayed.
 * Never holds a timer, a socket or a secret. Times: `At` is monotonic milliseconds, `Wall` is Unix milliseconds.
 */
import type { ArbiterLine, ServerConf, ServerLine } from '../config.ts';
import type { Clocks } from './event.ts';
import type {
  Boot,
  Change,
  Detaching,
  Giving,
  Maintaining,
  PassedOn,
  Preparation,
  Promotion,
  Proving,
  ReplyTo,
  Revival,
  Slotting,
  Stop,
  Verdict,
} from './processes.ts';
import type { References } from './references.ts';
import type { Rhythm } from './rhythm.ts';
import {
  type ArbiterView,
  type Cell,
  type DiskPart,
  diskParts,
  type Entries,
  type FailoverFlag,
  type Handover,
  type InstanceReport,
  type Lineages,
  type Phase,
  type Role,
  type ServerId,
  type ServerView,
  type Stranger,
  type SyncSet,
  type Takeover,
  type Task,
  type Vote,
  type Yield,
} from './view.ts';

/** refused: the host answers, but no controller listens there. */
export type Reach = 'unknown' | 'up' | 'refused' | 'lost';

export interface Peer {
  readonly line: ServerLine;
  readonly reach: Reach;
  /** Since when `reach` holds. */
  readonly sinceWall: number;
  readonly sinceAt: number;
  /** The last sign of any kind, a refusal too; from it a silent host is told. */
  readonly signAt: number;
  readonly heardWall: number | null;
  /** When its controller was last heard; a refusal does not count. */
  readonly heardAt: number;
  /** How long this process stood still since the last word of the peer that is younger than that, and the number of the first
   *  own message behind it: a word is younger only if it echoes that or a later one. */
  readonly asleepMs: number;
  readonly asleepSeq: number;
  /** How regularly it is heard. */
  readonly rhythm: Rhythm;
  /** As it was last heard, also when the peer is lost now. */
  readonly view: ServerView | null;
}

/** A third party that has a cell and no instance. */
export interface Arbiter {
  readonly line: ArbiterLine;
  /** When it was last heard; -1 when it was not. */
  readonly heardAt: number;
  readonly heardWall: number | null;
  /** Why it is not heard, as far as the connection tells. */
  readonly why: string;
  readonly view: ArbiterView | null;
}

/** Fields of the state that survive a crash of the controller and the host as they are. */
export interface Kept {
  readonly failover: FailoverFlag;
  /** The last change that took a server out, until the pair is whole again; `switched` or `detached`. */
  readonly degraded: 'switched' | 'detached' | null;
  readonly sync: SyncSet | null;
  /** The state file was torn: what this server has promised is not known. It counts as long as `sync` is null. */
  readonly forgotten?: boolean | undefined;
  readonly takeover: Takeover | null;
  readonly yield: Yield | null;
  /** The WAL receiver was cut, or follows a server that is primary no more: it must be pointed anew. */
  readonly unhitched: boolean;
  /** Standbys that a person has detached, with the start time of their instance then. */
  readonly parked: Readonly<Record<ServerId, number>>;
  /** Standbys that may take over no more, but are not known to know it, with the epoch of the promise that says so. */
  readonly withdrawn: Readonly<Record<ServerId, number>>;
  /** Standbys whose receiver may be another one's, as long as they have not shown that it is their own. */
  readonly suspects: readonly ServerId[];
  /** From which address the only receiver of each name came, as this primary saw it last. */
  readonly origins: Readonly<Record<ServerId, string>>;
  /** The cell of this server; missing from the record of an earlier version. */
  readonly cell?: Cell | null | undefined;
  /** The last vote of this server. */
  readonly vote?: Vote | null | undefined;
  /** Of each register that keeps a lineage, and was heard: the last write there that was seen. Missing as long as there is none. */
  readonly lineages?: Lineages | undefined;
  /**
   * How long the others may count on being waited for: more than the time to give up, until all have heard that it is shorter now.
   * Missing from the record of an earlier version.
   */
  readonly grantedMs?: number | undefined;
  /** Who is, or was, in maintenance; missing as long as nobody was. */
  readonly maintenance?: Entries | undefined;
}

/** The state file: the last that is known to have been true of the own server. */
export interface Persisted extends Kept {
  readonly role: Role | null;
  readonly timeline: number;
  readonly lsn: string;
  readonly systemId: string;
  /** Only a role that is given away; one that is about to be is forgotten. */
  readonly handover: Handover | null;
  readonly wroteWall: number;
}

export interface OwnServer {
  readonly phase: Phase;
  readonly phaseSinceWall: number;
  readonly role: Role | null;
  readonly report: InstanceReport | null;
  /** Checks in a row that got no answer. */
  readonly missedChecks: number;
  /** When the first of them failed. */
  readonly missedSince: number;
  /** Failed checks in a row and the last error, by part. */
  readonly disks: Readonly<
    Record<DiskPart, { readonly missed: number; readonly error: string; readonly full: boolean }>
  >;
  /** Why no session, or not that of the controller, is let in, as was said. */
  readonly refusal: string | null;
}

export type MirroringStatus =
  | 'switchable'
  | 'switching'
  | 'switched'
  | 'not-switchable'
  | 'failover-disabled'
  | 'unknown';

export interface Judgement {
  readonly status: MirroringStatus;
  /** Why it is not switchable, and what to do; empty when it is. */
  readonly reason: string;
  readonly advice: string;
  /** The advice has figures that move, so that it is judged again at every event. */
  readonly moving?: boolean | undefined;
}

/** The judgement in force. */
export interface Mirroring extends Judgement {
  /** Since when the status holds. */
  readonly sinceWall: number;
  /** Since when status and reason both hold. */
  readonly reasonSinceWall: number;
}

export interface State extends Kept {
  readonly self: ServerLine;
  /** All of network.conf, in its order. */
  readonly servers: readonly ServerLine[];
  readonly conf: ServerConf;
  /** The management directory, for commands that a person is told to run. */
  readonly dir: string;
  readonly controllerVersion: string;
  readonly now: number;
  readonly wall: number;
  readonly sinceBoot: number;
  readonly own: OwnServer;
  readonly peers: Readonly<Record<ServerId, Peer>>;
  readonly arbiters: Readonly<Record<ServerId, Arbiter>>;
  readonly boot: Boot;
  /** Control requests that wait until the instance runs. */
  readonly waitingForStart: readonly ReplyTo[];
  readonly stop: Stop | null;
  readonly mirroring: Mirroring;
  readonly persisted: Persisted | null;
  /** The state file could not be written: since when, why, and when that was said last. */
  readonly unsaved: {
    readonly since: number;
    readonly why: string;
    readonly saidAt: number;
  } | null;

  /** Why nothing can be written down, as far as is known before it has to be: then this server takes nothing upon itself. */
  readonly place: string | null;

  readonly incarnation: string;
  /** Whom synchronous_standby_names had named when the controller started: members, if the state file is lost. */
  readonly named: readonly ServerId[];
  readonly seq: number;
  /** The last tick, by all clocks; a longer gap is a pause of this process, after which nobody else's silence is believed. */
  readonly tick: Clocks;
  readonly graceFrom: number;
  /** The first own message that tells the present times. */
  readonly timesSeq: number;
  readonly leaving: ServerView['leaving'];
  /** The primary has told `sync` to this start of the controller. */
  readonly confirmed: boolean;
  readonly change: Change | null;
  readonly proving: Proving | null;
  /** A checkpoint for a proof is under way, also when nobody needs that proof any more. */
  readonly checkpointing: boolean;
  readonly slotting: Slotting | null;
  /** When each standby was last seen to stream. */
  readonly rowAt: Readonly<Record<ServerId, number>>;
  readonly namesSetAt: number;
  /** Settings by which commits are acknowledged before a standby has them, as was said. */
  readonly weakened: readonly string[];
  /** Standbys of this primary that have much WAL yet to replay, as was said. */
  readonly lagging: readonly ServerId[];
  /** Standbys that hold WAL which this primary does not have, and cannot follow it, as was said. */
  readonly parted: readonly ServerId[];
  /** Names and receivers for which nobody may take over from this primary, as was said. */
  readonly strangers: readonly Stranger[];
  /** Log transfer addresses of the standbys, as primaries have seen them. */
  readonly addresses: Readonly<Record<ServerId, string>>;
  readonly preparing: Preparation | null;
  readonly giving: Giving | null;
  readonly promotion: Promotion | null;
  /** A person has ended the takeover from this silent server; it does not begin anew before that is heard. */
  readonly aborted: ServerId | null;
  readonly declined: ServerView['declined'];
  readonly hitching: boolean;
  readonly hitchAfter: number;
  /** The receiver could not be cut, and is not cut for another standby before. */
  readonly cutAfter: number;
  /** The instance is being stopped because another server is primary, or because this one is cut off. */
  readonly ending: 'demoted' | 'isolated' | null;
  readonly revival: Revival | null;
  readonly references: References;
  /** No vote is begun before; while one is under way, an order of a person goes on without an answer from then on. */
  readonly voteAfter: number;
  /** A person who forces a takeover was told that the register has given this term to another server. */
  readonly refused: number | null;
  readonly verdicts: Readonly<Record<ServerId, Verdict>>;
  /** Answers of fencing_command about standbys that are not heard. */
  readonly fences: Readonly<Record<ServerId, Verdict>>;
  /** A person wants this standby out, and it is being fenced first; `startedAtWall` is that of its instance. */
  readonly detaching: { readonly id: ServerId; readonly startedAtWall: number } | null;
  readonly maintaining: Maintaining | null;
  /** What is under way, and who asked for it. */
  readonly task: Task | null;
  /** Peers about which it was said that nothing is done. */
  readonly warned: readonly ServerId[];
  readonly waitingForSwitch: readonly ReplyTo[];
  readonly waitingForDetach: readonly Detaching[];
  readonly waitingForMaintenance: readonly ReplyTo[];
  /** Another server carries out what these have asked for. */
  readonly passedOn: readonly PassedOn[];
}

/** After a restart of the controller, when the outcome of the former request is not known. */
export const unknownPromotion = (now: number): Promotion => ({
  asked: false,
  at: now,
  stopping: null,
  begun: null,
  leftBytes: null,
});

/** A part is failed when its check failed more often in a row than it may be tried again. */
export function failedDisks(state: State): DiskPart[] {
  return diskParts.filter((part) => state.own.disks[part].missed > state.conf.diskCheckRetry);
}

/** They fail nothing but writes, and only until there is room; nobody takes over for them. */
export function fullDisks(state: State): DiskPart[] {
  return diskParts.filter((part) => state.own.disks[part].full);
}

/** A new primary knows its timeline before its instance has reported it. */
export function lastTimeline(state: State): number {
  const promised = state.sync?.primary === state.self.id ? state.sync.timeline : 0;
  return Math.max(promised, state.own.report?.timeline ?? state.persisted?.timeline ?? 0);
}

/** The role that has been given away. Until the own instance is stopped nobody is told of it, nor is it written down. */
export const given = ({ giving }: State): Handover | null =>
  giving?.stage === 'given' || giving?.stage === 'following' ? giving.handover : null;
