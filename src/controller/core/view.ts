/**
 * What a server tells the others of itself: its instance, its promise about commits, and what it is in the middle of.
 * In: nothing; these are words. Plain data that travels over the admin link and is persisted. Times: `At` is monotonic
 * milliseconds of the one who wrote it, `Wall` is Unix milliseconds.
 */

import type { ReplicationDuty, TakeoverDuty } from '../config.ts';

export type ServerId = string;

/**
 * What a controller understands by the words that it tells; missing means 1. 2: `declined` after a promotion was asked for is
 * proven by a stopped instance. 3: a promise that names a register binds it.
 * 4: it remembers who is in maintenance, and heeds it.
 */
export const understanding = 4;
export const understandsProof = 2;
export const understandsRegister = 3;
export const understandsMaintenance = 4;
export const roles = ['primary', 'standby'] as const;
export type Role = (typeof roles)[number];
export const diskParts = ['data', 'transaction_log', 'tablespace'] as const;
export type DiskPart = (typeof diskParts)[number];

/**
 * What an instance is doing, as its own controller sees it.
 * held: it must not start because another server is primary. waiting: it waits for peers or for its primary.
 * busy counts as running. silent: it does not answer any more, but its postmaster is there.
 * down: it went away without being told to. stopped: it was told to.
 */
export const phases = [
  'unknown',
  'held',
  'waiting',
  'starting',
  'running',
  'silent',
  'stopping',
  'stopped',
  'down',
] as const;
export type Phase = (typeof phases)[number];

/** What a server may do besides streaming, as its own configuration says. */
export interface Duty {
  /** never: it becomes primary only by a person. */
  readonly takeover: TakeoverDuty;
  /** Of several with the same data the one with the highest number is preferred. */
  readonly priority: number;
  /** asynchronous: commits never wait for it, it does not vote, and it becomes primary only by a person. */
  readonly replication: ReplicationDuty;
}

/** A row of pg_stat_replication. */
export interface Sender {
  readonly name: string;
  readonly address: string;
  readonly state: string;
  readonly syncState: string;
  /** Bytes of WAL that the standby has not flushed yet. */
  readonly lagBytes: number;
  /** Bytes of WAL that the standby has not replayed yet; missing from a controller that does not know it yet. */
  readonly replayLagBytes?: number | undefined;
}

/**
 * By what commits may be acknowledged that no standby of the cluster has. name: one in force that is no standby's. rows:
 * several receivers use the name of a standby. row: the only one that uses it is not that standby. suspect: it may be another one's.
 */
export const strangerKinds = ['name', 'rows', 'row', 'suspect'] as const;
export interface Stranger {
  readonly kind: (typeof strangerKinds)[number];
  readonly name: string;
}

/** A place that gives each term away once, by what it has written down. Another memory is another cell. */
export interface Cell {
  readonly id: string;
  /** The last term that was given away; 0 when none was. */
  readonly term: number;
  /** To whom; null when the term was given back. */
  readonly holder: ServerId | null;
  /** For which attempt of the holder; of `gaveBack`, when the term was given back: no attempt up to that one counts any more. */
  readonly attempt: number;
  readonly gaveBack?: ServerId | undefined;
}

/** By the name of a memory: the mark of the last write there that this server has seen. One that is not found there is lost. */
export type Lineages = Readonly<Record<string, string>>;

/** A cell of a register: where it is, a server or an arbiter, and which memory is meant. */
export interface CellName {
  readonly at: ServerId;
  readonly id: string;
}

/**
 * A server asks the cells for a term. asking: it waits. won: it uses the term, or will in a moment. back: it will not use it,
 * and the cells that hold it for this attempt or an earlier one give it to nobody again.
 */
export interface Vote {
  readonly cells: readonly CellName[];
  readonly term: number;
  /** Grows with each vote of a server. */
  readonly attempt: number;
  readonly stage: 'asking' | 'won' | 'back';
  /** A standby asks: the primary that it would follow. Null: a primary asks. */
  readonly against: ServerId | null;
  /** A primary asks whose promise is to name these cells: they need not know the term before. */
  readonly names?: boolean | undefined;
}

/**
 * What a primary promises about its commits; told to every standby before it comes true. Newer is the higher timeline,
 * then the higher epoch. A standby keeps the newest one it was told, and its copy is the proof that it was told.
 */
export interface SyncSet {
  readonly primary: ServerId;
  readonly timeline: number;
  readonly epoch: number;
  /** Standbys that belong into synchronous_standby_names; what is not among the voters is out. */
  readonly members: readonly ServerId[];
  /** Standbys that may become primary, if they speak for enough voters. */
  readonly eligible: readonly ServerId[];
  /** Standbys by whose word a commit may be acknowledged at this moment, and how many of them it takes at least. */
  readonly voters: readonly ServerId[];
  readonly needed: number;
  /** It says nothing any more once its register has given this term to another server; missing means 0. */
  readonly term?: number | undefined;
  /** The register; none, or missing from an earlier version: the policy of the configuration answers. */
  readonly cells?: readonly CellName[] | undefined;
}

/** A primary gives its role away: its instance is stopped, and it stays so until `to` has answered. */
export interface Handover {
  readonly id: number;
  readonly kind: 'switch' | 'failover';
  readonly to: ServerId;
  /** The shutdown checkpoint, which `to` must have received; null when there was no clean shutdown. */
  readonly checkpoint: string | null;
  /** Other standbys that may believe that they can take over: they cut their receivers first, or the register is asked. */
  readonly believers?: readonly ServerId[] | undefined;
}

/** A standby makes itself primary; `lsn` is known once its receiver is cut. */
export interface Takeover {
  readonly from: ServerId | null;
  readonly kind: 'handover' | 'silence' | 'force';
  readonly id: number;
  readonly checkpoint: string | null;
  readonly stage: 'ask' | 'fence' | 'cut' | 'gather' | 'promote';
  /** The fencing command has still to say yes, also when the controller is started again in between. */
  readonly unfenced?: boolean;
  /** A person has ordered it without the proof that nothing is missing: MCA01050 was said, and the answer repeats it. */
  readonly unproven?: boolean;
  readonly lsn: string | null;
  /** Number of the message that told it first: the giver of the role has heard of it when it echoes that or a later one. */
  readonly toldSeq?: number | undefined;
  /** Stage promote: start of the instance that was asked for its promotion. Another start of it has forgotten the request. */
  readonly startedAtWall?: number | undefined;
}

/** A standby lets another one take over: its own receiver is cut, and this is where it ended. */
export interface Yield {
  readonly to: ServerId;
  readonly lsn: string | null;
}

/** A timeline that a server was on, and the position at which it left it. */
export interface TimelineEnd {
  readonly timeline: number;
  readonly endsAt: string;
}

/** What one query tells of a running instance, and its history file. */
export interface InstanceReport {
  readonly role: Role;
  readonly timeline: number;
  /** Primary: flushed. Standby: received, or replayed if that is further. */
  readonly lsn: string;
  /** Standby: how far it has replayed; missing from a primary, and from a controller that does not know it yet. */
  readonly replayedLsn?: string | null | undefined;
  readonly senders: readonly Sender[];
  /** Standby: the state of its WAL receiver, such as "streaming"; null when there is none. */
  readonly receiver: string | null;
  readonly synchronousStandbyNames: string;
  /** Settings by which commits are acknowledged early, such as "role app: synchronous_commit=off"; missing while not known. */
  readonly weakened?: readonly string[] | undefined;
  readonly systemId: string;
  readonly version: string;
  readonly startedAtWall: number;
  /** Primary: where it left the timelines before the present one; missing where that is not known. */
  readonly history?: readonly TimelineEnd[] | undefined;
  /** Primary: the number of the next transaction. Servers that part count on from the same one. */
  readonly nextXid?: number | null | undefined;
  /** Where other servers reach it, besides the address that they know. */
  readonly port: number;
  readonly socketDir: string;
  /** Null before PostgreSQL 17; missing from a controller that does not know them. */
  readonly slots?: SlotReport | null | undefined;
}

/** What a standby needs to follow the logical slots of its primary, and what is there of it. */
export interface SlotReport {
  /** sync_replication_slots is on. */
  readonly wanted: boolean;
  /** synchronized_standby_slots in force. */
  readonly waitedFor: string;
  /** The slots that servers of this cluster stream through. */
  readonly standbys: readonly StandbySlot[];
  /** Logical slots for failover. */
  readonly failover: readonly FailoverSlot[];
}

export interface StandbySlot {
  readonly name: string;
  readonly active: boolean;
  /** It keeps WAL. */
  readonly keeps: boolean;
}

export interface FailoverSlot {
  readonly name: string;
  readonly active: boolean;
  /** It follows the one of a primary, or did so until this server became primary. */
  readonly synced: boolean;
  /** How far its consumer has confirmed. */
  readonly confirmed: string;
}

/** Automatic switch and disconnection. The newer decision wins everywhere, so that one command is enough. */
export interface FailoverFlag {
  readonly enabled: boolean;
  readonly changedAtWall: number;
}

/** Who has asked for something: a process of mc_ctl on a server. */
export interface Asker {
  readonly pid: number;
  readonly user: string;
  readonly server: ServerId;
}

/** What a server is in the middle of; another command has to wait for it. Without `by` the controller does it by itself. */
export interface Task {
  readonly work: 'switch' | 'detach' | 'stop' | 'failover';
  readonly by: Asker | null;
  readonly sinceWall: number;
}

/** What is remembered of the maintenance of one server, on all of them. A later timeline counts more, then a higher number. */
export const maintenanceStages = ['asked', 'open', 'ended'] as const;
export interface Maintenance {
  /** Of the primary that made the entry: the clock of another one may be behind. */
  readonly timeline: number;
  readonly number: number;
  readonly stage: (typeof maintenanceStages)[number];
  /** Who has it in maintenance, in words. */
  readonly by: string;
  readonly sinceWall: number;
  /** Why; may be empty. */
  readonly reason: string;
  /** Until when it is expected; only told. */
  readonly untilWall: number | null;
}
export type Entries = Readonly<Record<ServerId, Maintenance>>;

/** Which message of a controller: one of another start of it, or with a lower number, is an earlier one. */
export interface Echo {
  readonly incarnation: string;
  readonly seq: number;
}

export interface ReplayLeft {
  readonly leftBytes: number;
  /** 0 while it is not known, or nothing moves. */
  readonly bytesPerSecond: number;
}

/** What a controller tells the others of its own server with every heartbeat. */
export interface ServerView {
  readonly id: ServerId;
  readonly phase: Phase;
  /** Null until it is known; kept while the instance is away. */
  readonly role: Role | null;
  readonly report: InstanceReport | null;
  /** The timeline that the server was last seen on, also while it does not run; 0 when it is not known. */
  readonly lastTimeline: number;
  readonly failedDisks: readonly DiskPart[];
  /** Missing from a controller that does not know it yet. */
  readonly fullDisks?: readonly DiskPart[] | undefined;
  readonly failover: FailoverFlag;
  readonly controllerVersion: string;
  readonly understands?: number | undefined;
  /** Which start of the controller tells this, and the number of the message: an older one that comes later is dropped. */
  readonly incarnation: string;
  readonly seq: number;
  /** The controller leaves on purpose, with its instance or alone. */
  readonly leaving: 'instance' | 'controller' | null;
  readonly sync: SyncSet | null;
  readonly handover: Handover | null;
  /** The handover that this server has refused, and why. */
  readonly declined: { readonly id: number; readonly why: string } | null;
  readonly takeover: Takeover | null;
  readonly yield: Yield | null;
  /**
   * The last message of each peer that its controller had when it told this: what it tells is younger than that. Missing from a
   * controller of an earlier version.
   */
  readonly echoes?: Readonly<Record<ServerId, Echo>> | undefined;
  /** Missing from a controller that does not know it yet. */
  readonly busy?: Task | null | undefined;
  /** Why its instance lets no new session in, or not the controller. */
  readonly refusal?: string | undefined;
  /** Standbys that a person has taken out of this primary. */
  readonly detached?: readonly ServerId[] | undefined;
  /** Standbys of this primary that have much WAL yet to replay. */
  readonly lagging?: readonly ServerId[] | undefined;
  /** Standbys that hold WAL which this primary does not have, so that they cannot follow it. */
  readonly parted?: readonly ServerId[] | undefined;
  /** Why nobody may take over from this primary. */
  readonly strangers?: readonly Stranger[] | undefined;
  /** Reference addresses that do not answer this server. */
  readonly quietReferences?: readonly string[] | undefined;
  /** Its record could not be read, so that everybody else may have taken over from it. */
  readonly forgotten?: boolean | undefined;
  /** Missing from a controller that does not know duties yet: all is allowed. */
  readonly duty?: Duty | undefined;
  /** The cell of this server, and what it asks the cells; missing from a controller that does not know them yet. */
  readonly cell?: Cell | null | undefined;
  readonly vote?: Vote | null | undefined;
  /** A promotion that is under way: what is left to replay before it takes writes, and how fast that goes. */
  readonly replay?: ReplayLeft | null | undefined;
  /** Missing where there was none yet, and from a controller that does not know it. */
  readonly maintenance?: Entries | undefined;
  /** It waits longer than this for another server; missing from a controller that does not tell it, nor heeds it. */
  readonly waitsMs?: number | undefined;
  /** Why it can write nothing down, so that it takes nothing upon itself; missing while it can, and from a controller that does not tell it. */
  readonly unsaved?: string | undefined;
}

/** What an arbiter tells a server that has told it something. */
export interface ArbiterView {
  readonly id: ServerId;
  readonly incarnation: string;
  readonly seq: number;
  readonly cell: Cell;
  readonly version: string;
  readonly echoes: Readonly<Record<ServerId, Echo>>;
}
