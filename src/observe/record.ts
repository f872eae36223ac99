/**
 * What a controller has written down of its promise, as its state file says: it is there before anybody is told, so nobody relies on more. In: the text
 * of the file. Out: who counts on whom, or nothing where it is not understood. Pure.
 */
import { createHash } from 'node:crypto';
import { isObject } from '../base/json.ts';

/** Names of servers. */
export interface ControllerRecord {
  /** Whose promise it is; null where it knows none. */
  readonly primary: string | null;
  /** The timeline that it is about; 0 where it knows none. */
  readonly timeline: number;
  /** Of the register; 0 where none was asked. */
  readonly term: number;
  /** Those that belong into the names of the primary, in or out. */
  readonly members: readonly string[];
  /** By whose word a commit may be acknowledged. */
  readonly voters: readonly string[];
  /** How many of them it takes at least. */
  readonly needed: number;
  /** Those that may take over. */
  readonly eligible: readonly string[];
  /** Those that may take over, and those that may still believe so. */
  readonly believers: readonly string[];
  /** A register of the promise answers who may act on a silence. */
  readonly bound: boolean;
  /** The timeline of its own instance, as it was seen last; 0 where it never was. */
  readonly seen: number;
  /** The register has given it this term. */
  readonly won?: number;
  /** It has given its role away, to this server. */
  readonly handover?: RecordedHandover;
  /** It was taking over. */
  readonly takeover?: RecordedTakeover;
  /** Nothing of it was lost: the controller itself would believe it. */
  readonly whole: boolean;
}

/** `switch`: behind a clean shutdown, which the other one has received. What is not understood has no kind. */
export interface RecordedHandover {
  readonly to: string;
  readonly kind: string;
}

/** From whom, why, and how far it had come. What is not understood has no words. */
export interface RecordedTakeover {
  readonly from: string;
  readonly kind: string;
  readonly stage: string;
}

type Fields = Readonly<Record<string, unknown>>;

const names = (value: unknown): readonly string[] | undefined =>
  Array.isArray(value) && value.every((one) => typeof one === 'string') ? value : undefined;

/** What the file of an earlier version does not say. */
const count = (value: unknown): number => (typeof value === 'number' && value > 0 ? value : 0);

const nobody = {
  primary: null,
  timeline: 0,
  term: 0,
  members: [],
  voters: [],
  needed: 0,
  eligible: [],
  believers: [],
  bound: false,
} as const;

type Promised = Omit<ControllerRecord, 'whole' | 'seen' | 'won' | 'handover' | 'takeover'>;

export function parseRecord(text: string): ControllerRecord | undefined {
  let file: unknown;
  try {
    file = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isObject(file) || !isObject(file.state)) return undefined;
  const promised = promiseOf(file.state);
  return promised && { ...promised, ...ownOf(file.state), ...underWay(file.state), whole: isWhole(file) };
}

function promiseOf(state: Fields): Promised | undefined {
  const { sync, withdrawn = {} } = state;
  if (sync === null) return nobody;
  if (!isObject(sync) || !isObject(withdrawn) || typeof sync.primary !== 'string') return undefined;
  const [members, voters, eligible] = [sync.members, sync.voters, sync.eligible].map(names);
  if (!members || !voters || !eligible) return undefined;
  return {
    primary: sync.primary,
    timeline: count(sync.timeline),
    term: count(sync.term),
    members,
    voters,
    needed: count(sync.needed),
    eligible,
    believers: [...new Set([...eligible, ...Object.keys(withdrawn)])],
    bound: Array.isArray(sync.cells) && sync.cells.length > 0,
  };
}

function ownOf({ timeline, vote }: Fields): Pick<ControllerRecord, 'seen' | 'won'> {
  const isWon = isObject(vote) && vote.stage === 'won' && typeof vote.term === 'number';
  return { seen: count(timeline), ...(isWon ? { won: Number(vote.term) } : {}) };
}

const word = (value: unknown): string => (typeof value === 'string' ? value : '');

/** A role on its way, in either direction. What is there and is not understood counts as one. */
function underWay({ handover, takeover }: Fields): Pick<ControllerRecord, 'handover' | 'takeover'> {
  return {
    ...(handover == null ? {} : { handover: handoverOf(handover) }),
    ...(takeover == null ? {} : { takeover: takeoverOf(takeover) }),
  };
}

const handoverOf = (value: unknown): RecordedHandover =>
  isObject(value) ? { to: word(value.to), kind: word(value.kind) } : { to: '', kind: '' };

const takeoverOf = (value: unknown): RecordedTakeover =>
  isObject(value)
    ? { from: word(value.from), kind: word(value.kind), stage: word(value.stage) }
    : { from: '', kind: '', stage: '' };

/** As the controller reads it, and by one that had not lost an earlier one. */
function isWhole({ format, checksum, state }: Fields): boolean {
  if (!isObject(state) || state.forgotten === true || format !== 1) return false;
  return checksum === createHash('sha256').update(JSON.stringify(state)).digest('hex');
}
