/**
 * PostgreSQL in the small world: the model of ../instance.ts with values that are replaced and never changed. WAL is a list of
 * commits and shutdown checkpoints by number. It knows nothing of controllers. In: instances. Out: instances.
 */
import type { CheckOutcome } from '../../../src/controller/core/event.ts';
import type { Sender } from '../../../src/controller/core/view.ts';
import { isBeginning, lsn } from '../instance.ts';

export interface Instance {
  readonly id: string;
  readonly wal: readonly number[];
  readonly running: boolean;
  readonly role: 'primary' | 'standby';
  readonly timeline: number;
  readonly fileNames: readonly string[];
  readonly names: readonly string[];
  readonly waitsFor: readonly string[];
  readonly source: string | null;
  /** How often it was started: which start of it. */
  readonly starts: number;
  readonly checkpoint: number;
  readonly confirmed: Readonly<Record<string, number>>;
  /** Positions of commits whose sessions wait. */
  readonly waiting: readonly number[];
}

/** Shutdown checkpoints are numbered from here on; below are the commits. */
export const firstShutdown = 100;

export const newInstance = (id: string, others: readonly string[], source: string | null): Instance => ({
  id,
  wal: [],
  running: false,
  role: source === null ? 'primary' : 'standby',
  timeline: 1,
  fileNames: others,
  names: [],
  waitsFor: [],
  source,
  starts: 0,
  checkpoint: 0,
  confirmed: {},
  waiting: [],
});

export const halted = (it: Instance): Instance => ({ ...it, running: false, confirmed: {}, waiting: [] });

export const started = (it: Instance): Instance => ({
  ...it,
  running: true,
  starts: it.starts + 1,
  names: it.fileNames,
  waitsFor: it.fileNames,
  confirmed: {},
});

export const promoted = (it: Instance): Instance => ({
  ...it,
  role: 'primary',
  timeline: it.timeline + 1,
  source: null,
  names: it.fileNames,
  waitsFor: it.fileNames,
  confirmed: {},
});

/** Sessions that waited for nobody learn of new names by the next checkpoint, and not before: that is the latest moment. */
export const withNames = (it: Instance, names: readonly string[]): Instance => ({
  ...it,
  fileNames: names,
  names,
  waitsFor: it.names.length === 0 && names.length > 0 ? it.waitsFor : names,
});

export const mayStream = (standby: Instance, primary: Instance): boolean =>
  standby.running &&
  primary.running &&
  standby.role === 'standby' &&
  standby.source === primary.id &&
  isBeginning(standby.wal, primary.wal);

/** The standby takes what there is, and confirms it. */
export const received = (standby: Instance, primary: Instance): Instance => ({
  ...standby,
  wal: primary.wal,
  timeline: primary.timeline,
});

export const confirmedBy = (primary: Instance, id: string): Instance => ({
  ...primary,
  confirmed: { ...primary.confirmed, [id]: primary.wal.length },
});

/** Commits that are acknowledged now, and the instance without them. */
export function acknowledged(it: Instance): {
  readonly instance: Instance;
  readonly commits: readonly number[];
} {
  const isDone = (position: number): boolean =>
    it.waitsFor.length === 0 || it.waitsFor.some((name) => (it.confirmed[name] ?? 0) >= position);
  const done = it.role === 'primary' && it.running ? it.waiting.filter(isDone) : [];
  if (done.length === 0) return { instance: it, commits: [] };
  const waiting = it.waiting.filter((position) => !done.includes(position));
  return { instance: { ...it, waiting }, commits: done.map((position) => it.wal[position - 1] ?? 0) };
}

/** What one look says; `streaming` are those that stream from it, `receives` whether it does itself. */
export function outcomeOf(it: Instance, streaming: readonly Instance[], receives: boolean): CheckOutcome {
  if (!it.running) return { kind: 'gone' };
  const end = it.wal.length;
  const senders = streaming.map(({ id }): Sender => {
    const lagBytes = 100 * (end - (it.confirmed[id] ?? 0));
    const syncState = it.names.includes(id) ? 'sync' : 'async';
    return { name: id, address: id, state: 'streaming', syncState, lagBytes, replayLagBytes: lagBytes };
  });
  return {
    kind: 'answer',
    report: {
      role: it.role,
      timeline: it.timeline,
      lsn: lsn(end),
      senders,
      replayedLsn: it.role === 'standby' ? lsn(end) : null,
      receiver: receives ? 'streaming' : null,
      synchronousStandbyNames: it.names.join(', '),
      systemId: '1',
      version: '15',
      startedAtWall: it.starts,
      port: 1,
      socketDir: '',
    },
  };
}
