/**
 * Who has stopped a server with `pgduet stop`, as its record says it (ADR 20), and the words for that; pgduet and mc_ctl show the same. In: what
 * stands in the record. Out: plain data, and words. Pure.
 */

export interface StoppedRecord {
  /** "2026-11-30T09:12:00Z"; a question mark where the record does not tell. */
  readonly since: string;
  readonly by: string;
}

/** In the management directory. */
export const stoppedName = (id: string): string => `${id}.stopped`;

/** From the first line of the record. */
export function readStoppedRecord(line: string): StoppedRecord {
  const [, since = '?', by = 'somebody'] =
    /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ) (\S.*)$/.exec(line.trim()) ?? [];
  return { since, by };
}

export const stoppedBy = ({ since, by }: StoppedRecord): string =>
  `stopped with pgduet stop by ${by}${since === '?' ? '' : `, ${since.replace('T', ' ').replace('Z', ' UTC')}`}`;
