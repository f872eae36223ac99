/**
 * On which timelines a server has been, and where it left each of them, as the history file of its timeline says ("Timelines"). In: the text of
 * that file. Out: a lineage, what two of them have in common, or nothing where the text is odd. Pure.
 */
import { walNumber } from './controldata.ts';

/** A timeline that was left, and where. */
export interface LeftTimeline {
  readonly timeline: number;
  readonly at: string;
}

export interface Lineage {
  readonly timeline: number;
  /** From the first one on. */
  readonly left: readonly LeftTimeline[];
}

/** Timeline 1 has no history file. */
export const firstLineage: Lineage = { timeline: 1, left: [] };

/** The name of the file in `pg_wal`. */
export const historyFile = (timeline: number): string =>
  `${timeline.toString(16).toUpperCase().padStart(8, '0')}.history`;

const entry = /^(\d{1,10})\s+([0-9A-F]{1,8}\/[0-9A-F]{1,8})(\s|$)/;

/**
 * The last line has to be of the timeline right before: of a file that has lost its end the rest would read as a takeover that nobody
 * made.
 */
export function parseHistory(timeline: number, text: string): Lineage | undefined {
  const lines = text.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('#'));
  const left: LeftTimeline[] = [];
  for (const line of lines) {
    const [, number, at] = entry.exec(line.trim()) ?? [];
    const before = left.at(-1);
    if (number === undefined || at === undefined) return undefined;
    const rises = !before || (Number(number) > before.timeline && walNumber(at) >= walNumber(before.at));
    if (!rises) return undefined;
    left.push({ timeline: Number(number), at });
  }
  return left.at(-1)?.timeline === timeline - 1 ? { timeline, left } : undefined;
}

/** Where `later` left the timeline that `earlier` is on, if its way went through that one: both came to it on the same way. */
export function forkOf(later: Lineage, earlier: Lineage): string | undefined {
  const at = later.left.findIndex(({ timeline }) => timeline === earlier.timeline);
  if (at === -1 || at !== earlier.left.length) return undefined;
  return isSameWay(later.left.slice(0, at), earlier.left) ? later.left[at]?.at : undefined;
}

/** It was promoted from that timeline, and from no other in between. */
export const tookOverDirectly = (later: Lineage, earlier: Lineage): boolean =>
  later.left.at(-1)?.timeline === earlier.timeline && forkOf(later, earlier) !== undefined;

/** One and the same timeline, and not two of the same number. */
export const isSameLineage = (one: Lineage, other: Lineage): boolean =>
  one.timeline === other.timeline && isSameWay(one.left, other.left);

const isSameWay = (one: readonly LeftTimeline[], other: readonly LeftTimeline[]): boolean =>
  one.length === other.length &&
  one.every(({ timeline, at }, index) => {
    const there = other[index];
    return there?.timeline === timeline && walNumber(there.at) === walNumber(at);
  });
