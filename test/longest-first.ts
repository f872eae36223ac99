/**
 * The order of test files: the longest first, so that no worker is left with a long file at the end. In: names of files and
 * the seconds of those that were measured. Out: the names, sorted. A file without a time counts as long. Pure.
 */
export function longestFirst(files: readonly string[], times: Readonly<Record<string, number>>): string[] {
  const secondsOf = (file: string): number => times[file] ?? Number.POSITIVE_INFINITY;
  // Two infinities differ by NaN, which is neither before nor behind.
  return [...files].sort((a, b) => secondsOf(b) - secondsOf(a) || a.localeCompare(b));
}
