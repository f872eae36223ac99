/** pg_hba.conf of a server that had rules of its own before: ours stand in front, its own text stays behind a marker. Pure. */

/** Everything behind this line was there before. */
export const formerRulesMarker =
  '# pgduet: what follows is the file as it was before the server was multiplexed.';

/** The text as it was before ours came in front of it; undefined where there is no marker. */
export function withoutOurRules(text: string): string | undefined {
  const at = markerLine.exec(text);
  return at ? text.slice(at.index + at[0].length) : undefined;
}

/** An editor may have ended every line of the file in another way. */
const markerLine = new RegExp(`^${formerRulesMarker.replaceAll('.', '\\.')}[ \t\r]*\n`, 'm');
