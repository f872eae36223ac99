/**
 * What a controller knows: its own server, its peers as they last told of themselves, and what it is doing.
 * In: nothing; these are words. Plain data only, so that a state can be printed, compared and replayed.
 * Never holds a timer, a socket or a secret. Times: `At` is monotonic milliseconds, `Wall` is Unix milliseconds.
 */
import type { ServerConf, ServerLine } from '../config.ts';

export type ServerId = string;
export type Role = 'primary' | 'standby';
export type DiskPart = 'data' | 'transaction_log' | 'tablespace';

/**
 * What an instance is doing, as its own controller sees it.
 * held: it must not start because another server is primary. waiting: it waits for peers or for its primary.
 * busy counts as running. silent: it does not answer any more, but its postmaster is there.
 * down: it went away without being told to. stopped: it was told to.
 */
export type Phase =
  | 'unknown'
  | 'held'
  | 'waiting'
  | 'starting'
  | 'running'
  | 'silent'
  | 'stopping'
  | 'stopped'
  | 'down';

/** A row of pg_stat_replication. */
export interface Sender {
  readonly name: string;
  readonly address: string;
  readonly state: string;
  readonly syncState: string;
  /** Bytes of WAL that the standby has not flushed yet. */
  readonly lagBytes: number;
}

/** What one query tells of a running instance. */
export interface InstanceReport {
  readonly role: Role;
  readonly timeline: number;
  /** Primary: flushed. Standby: received, or replayed if that is further. */
  readonly lsn: string;
  readonly senders: readonly Sender[];
  /** Standby: the state of its WAL receiver, such as "streaming"; null when there is none. */
  readonly receiver: string | null;
  readonly synchronousStandbyNames: string;
  readonly systemId: string;
  readonly version: string;
  readonly startedAtWall: number;
}

/** Automatic switch and disconnection. The newer decision wins everywhere, so that one command is enough. */
export interface FailoverFlag {
  readonly enabled: boolean;
  readonly changedAtWall: number;
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
  readonly failover: FailoverFlag;
  readonly controllerVersion: string;
}

/** refused: the host answers, but no controller listens there. */
export type Reach = 'unknown' | 'up' | 'refused' | 'lost';

export interface Peer {
  readonly line: ServerLine;
  readonly reach: Reach;
  /** Since when `reach` holds. */
  readonly sinceWall: number;
  /** The last sign of any kind, a refusal too; from it a silent host is told. */
  readonly signAt: number;
  readonly heardWall: number | null;
  /** As it was last heard, also when the peer is lost now. */
  readonly view: ServerView | null;
}

/** The last that is known to have been true of the own server; survives a crash of the controller and the host. */
export interface Persisted {
  readonly role: Role | null;
  readonly timeline: number;
  readonly lsn: string;
  readonly systemId: string;
  readonly failover: FailoverFlag;
  /** The last change that took a server out, until the pair is whole again; `switched` or `detached`. */
  readonly degraded: 'switched' | 'detached' | null;
  readonly wroteWall: number;
}

export interface OwnServer {
  readonly phase: Phase;
  readonly phaseSinceWall: number;
  readonly role: Role | null;
  readonly report: InstanceReport | null;
  /** Checks in a row that got no answer. */
  readonly missedChecks: number;
  /** Failed checks in a row and the last error, by part. */
  readonly disks: Readonly<Record<DiskPart, { readonly missed: number; readonly error: string }>>;
  /** Whether a refused connection was reported, so that it is reported once. */
  readonly refusal: string | null;
}

/** How far the start of the own instance is. `left`: nobody asked for it (--mc-only). */
export type Boot =
  | { readonly kind: 'new' }
  | { readonly kind: 'asking-peers'; readonly untilAt: number; readonly byPerson: boolean }
  | { readonly kind: 'waiting-for-primary'; readonly probedAt: number; readonly remindedAt: number }
  | { readonly kind: 'starting' }
  | { readonly kind: 'left' }
  | { readonly kind: 'done' }
  | { readonly kind: 'failed'; readonly why: string };

/** A stop that is under way: servers are taken one after the other, standbys first. */
export interface Stop {
  /** Who asked: control requests and peers; nobody when it was a signal. */
  readonly replyTo: readonly ReplyTo[];
  readonly mcOnly: boolean;
  readonly force: boolean;
  readonly queue: readonly ServerId[];
  readonly current: ServerId;
  readonly failures: readonly string[];
}

export type ReplyTo =
  | { readonly kind: 'control'; readonly id: number }
  | { readonly kind: 'peer'; readonly peer: ServerId; readonly id: number };

export type MirroringStatus =
  | 'switchable'
  | 'switching'
  | 'switched'
  | 'not-switchable'
  | 'failover-disabled'
  | 'unknown';

export interface Mirroring {
  readonly status: MirroringStatus;
  /** Why it is not switchable, and what to do; empty when it is. */
  readonly reason: string;
  readonly advice: string;
}

export interface State {
  readonly self: ServerLine;
  /** All of network.conf, in its order. */
  readonly servers: readonly ServerLine[];
  readonly conf: ServerConf;
  readonly controllerVersion: string;
  readonly now: number;
  readonly wall: number;
  readonly own: OwnServer;
  readonly peers: Readonly<Record<ServerId, Peer>>;
  readonly failover: FailoverFlag;
  readonly degraded: Persisted['degraded'];
  readonly boot: Boot;
  /** Control requests that wait until the instance runs. */
  readonly waitingForStart: readonly ReplyTo[];
  readonly stop: Stop | null;
  readonly mirroring: Mirroring;
  readonly mirroringSinceWall: number;
  readonly persisted: Persisted | null;
}

export const noPosition = '0/0';

/** The state of a controller that has looked at nothing yet. */
export function initialState(facts: {
  readonly self: ServerLine;
  readonly servers: readonly ServerLine[];
  readonly conf: ServerConf;
  readonly controllerVersion: string;
  readonly now: number;
  readonly wall: number;
}): State {
  const { self, servers, conf, controllerVersion, now, wall } = facts;
  const quiet = { missed: 0, error: '' };
  return {
    self,
    servers,
    conf,
    controllerVersion,
    now,
    wall,
    own: {
      phase: 'unknown',
      phaseSinceWall: wall,
      role: null,
      report: null,
      missedChecks: 0,
      disks: { data: quiet, transaction_log: quiet, tablespace: quiet },
      refusal: null,
    },
    peers: Object.fromEntries(
      servers.filter((line) => line.id !== self.id).map((line) => [line.id, newPeer(line, now, wall)]),
    ),
    failover: { enabled: conf.failover === 'automatic', changedAtWall: 0 },
    degraded: null,
    boot: { kind: 'new' },
    waitingForStart: [],
    stop: null,
    mirroring: { status: 'unknown', reason: 'the controller has just started', advice: 'wait a moment' },
    mirroringSinceWall: wall,
    persisted: null,
  };
}

export function newPeer(line: ServerLine, now: number, wall: number): Peer {
  return { line, reach: 'unknown', sinceWall: wall, signAt: now, heardWall: null, view: null };
}

/** A part is failed when its check failed more often in a row than it may be tried again. */
export function failedDisks(state: State): DiskPart[] {
  const parts: DiskPart[] = ['data', 'transaction_log', 'tablespace'];
  return parts.filter((part) => state.own.disks[part].missed > state.conf.diskCheckRetry);
}

export const lastTimeline = (state: State): number =>
  state.own.report?.timeline ?? state.persisted?.timeline ?? 0;

/** What this controller tells the others, and shows of its own server. */
export function ownView(state: State): ServerView {
  const { phase, role, report } = state.own;
  return {
    id: state.self.id,
    phase,
    role,
    report,
    lastTimeline: lastTimeline(state),
    failedDisks: failedDisks(state),
    failover: state.failover,
    controllerVersion: state.controllerVersion,
  };
}
