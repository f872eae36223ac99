/**
 * The history file of a timeline: which timelines a server was on before, and where it left each. In: a data directory and a
 * timeline. Out: the ends of the former timelines, or undefined when that cannot be read.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TimelineEnd } from '../core/view.ts';

/** Two servers that have parted were on one timeline not so many switches ago. */
const mostEnds = 16;

/** As PostgreSQL writes it: a line for each, with the number of the timeline, its end, and a reason, separated by tabs. */
export const parseHistory = (text: string): TimelineEnd[] =>
  text.split('\n').flatMap((line) => {
    const [, timeline, endsAt] = /^\s*(\d+)\s+([0-9A-F]+\/[0-9A-F]+)/i.exec(line) ?? [];
    return timeline && endsAt ? [{ timeline: Number(timeline), endsAt }] : [];
  });

export async function readHistory(
  dataDir: string,
  timeline: number,
): Promise<readonly TimelineEnd[] | undefined> {
  if (timeline === 1) return [];
  const name = `${timeline.toString(16).toUpperCase().padStart(8, '0')}.history`;
  try {
    return parseHistory(await readFile(join(dataDir, 'pg_wal', name), 'utf8')).slice(-mostEnds);
  } catch {
    return undefined;
  }
}
