/**
 * What is said of a maintenance, and how it may be said: the same for mc_ctl, pgduet and every report. In: what is remembered of it, or a
 * text. Out: words, or whether the text may stand. Pure.
 */

/** A reason and a name stand in the logs and in the status of every server. Characters. */
export const longestReason = 200;
export const longestName = 64;
/** 400 days. */
export const longestMs = 400 * 24 * 3_600_000;

/** Options that say something about the other one of both. */
export const foreignTo = {
  begin: ['of'],
  end: ['reason', 'for', 'alone', 'replace'],
} as const;

/** A line, without anything that would forge another one. */
export const isPlain = (text: string, longest: number): boolean =>
  text.length <= longest && !/\p{Cc}/u.test(text);

/** The name by which a rolling update takes servers out: nobody else's. */
export const updateOwner = (id: string): string => `rolling-update ${id}`;

/** Whether a rolling update has taken it out, which alone brings it back. */
export const isOfUpdate = ({ by }: { readonly by: string }): boolean => by.startsWith(updateOwner(''));

interface Told {
  readonly by: string;
  /** ISO 8601. */
  readonly since: string;
  /** Until when it is expected; null where nobody has said. */
  readonly until: string | null;
  readonly reason: string;
}

/** "2026-11-30 10:00 UTC" of a time in ISO 8601. */
export const momentOf = (iso: string): string => `${iso.slice(0, 16).replace('T', ' ')} UTC`;

/** "in maintenance by alice since 2026-11-30 10:00 UTC, expected until 2026-11-30 12:00 UTC: new disks". */
export function maintenanceWords({ by, since, until, reason }: Told): string {
  const expected = until === null ? '' : `, expected until ${momentOf(until)}`;
  return `in maintenance by ${by} since ${momentOf(since)}${expected}${reason === '' ? '' : `: ${reason}`}`;
}
