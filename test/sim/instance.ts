/**
 * A model of PostgreSQL with synchronous replication: WAL is a list of commits; a commit is acknowledged when the names
 * in force are satisfied; a crash keeps what was flushed; a promotion begins a timeline. It knows nothing of controllers.
 */

/** A receiver that is no server of the cluster; its name may be that of one. */
export interface Guest {
  readonly name: string;
  /** False: a stream that is dead, and whose row still stands. */
  readonly confirms: boolean;
  /** The address that it comes from; missing means one that no server has. */
  readonly address?: string;
  /** It holds up a shutdown until it is ended, or is not ended by that either. */
  readonly stays?: 'until ended' | 'for ever';
}

export interface Instance {
  readonly id: string;
  /** Commits and shutdown checkpoints, by number; what stands here is flushed. */
  wal: number[];
  running: boolean;
  /** instance: every process stands still (SIGSTOP). stalled: it waits for its disk, and no signal ends it. postmaster: only new connections do. */
  hung: 'no' | 'instance' | 'stalled' | 'postmaster';
  role: 'primary' | 'standby';
  timeline: number;
  /** The timelines before, and at which position each was left. */
  history: readonly { readonly timeline: number; readonly position: number }[];
  /** synchronous_standby_names as it stands in postgresql.conf, and as the server shows it. */
  fileNames: readonly string[];
  names: readonly string[];
  /** What sessions wait for: after names that were empty the checkpointer tells them, which takes a moment. */
  waitsFor: readonly string[];
  /** Where primary_conninfo points; null when it is commented out. */
  source: string | null;
  startedAt: number;
  /** Until then nothing is replayed behind this position; a promotion that is asked for comes then. */
  replaysUntil: number;
  replayed: number;
  promoting: boolean;
  disk: 'ok' | 'failed';
  /** Crash recovery ends with an error this many more times. */
  brokenStarts: number;
  /** "Latest checkpoint location" of pg_controldata: the position before that record. */
  checkpoint: number;
  /** Positions up to which each standby has confirmed, as this primary knows it; those of guests apart. */
  readonly confirmed: Map<string, number>;
  readonly guestConfirmed: Map<string, number>;
  guests: readonly Guest[];
  /** Commits that wait for a standby: their number and position. */
  waiting: { readonly commit: number; readonly position: number }[];
}

export const newInstance = (id: string, role: Instance['role'], source: string | null): Instance => ({
  id,
  wal: [],
  running: false,
  hung: 'no',
  role,
  timeline: 1,
  history: [],
  fileNames: [],
  names: [],
  waitsFor: [],
  source,
  startedAt: 0,
  replaysUntil: 0,
  replayed: 0,
  promoting: false,
  disk: 'ok',
  brokenStarts: 0,
  checkpoint: 0,
  confirmed: new Map(),
  guestConfirmed: new Map(),
  guests: [],
  waiting: [],
});

/** 100 bytes per record, behind the first segment. */
export const lsn = (position: number): string =>
  `0/${(0x1000000 + 100 * position).toString(16).toUpperCase()}`;

/** A standby can stream only from a server whose WAL its own is a beginning of. */
export function isBeginning(one: readonly number[], whole: readonly number[]): boolean {
  if (one.length > whole.length) return false;
  // Histories differ at the end first; the last record decides, because numbers are never used twice.
  return one.length === 0 || one[one.length - 1] === whole[one.length - 1];
}

/** Whether a commit at this position may be acknowledged. */
export function satisfied(primary: Instance, position: number): boolean {
  const confirmed = (name: string): number =>
    Math.max(primary.confirmed.get(name) ?? 0, primary.guestConfirmed.get(name) ?? 0);
  return primary.waitsFor.length === 0 || primary.waitsFor.some((name) => confirmed(name) >= position);
}

/** The server ends, however: clients that wait get no answer, streams break. */
export function halt(instance: Instance): void {
  instance.running = false;
  instance.promoting = false;
  instance.hung = 'no';
  instance.waiting = [];
  instance.confirmed.clear();
  instance.guestConfirmed.clear();
}

/** Not even sessions that are there get on. */
export const standsStill = ({ hung }: Instance): boolean => hung === 'instance' || hung === 'stalled';

/** It takes queries, so that what needs a session can be done. */
export const answers = (instance: Instance): boolean => instance.running && instance.hung === 'no';

/** How far a standby has replayed what it holds. */
export const replayedBy = ({ wal, replaysUntil, replayed }: Instance, now: number): number =>
  now < replaysUntil ? Math.min(replayed, wal.length) : wal.length;
