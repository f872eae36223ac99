/** pg_hba.conf of a server that had rules of its own before: ours stand in front, its own text stays behind a marker. Pure. */

/** Everything behind this line was there before. */
export const formerRulesMarker =
  '# pgduet: what follows is the file as it was before the server was multiplexed.';

/** The text as it was before ours came in front of it; undefined where there is no marker. */
export function withoutOurRules(text: string): string | undefined {
  const at = text.indexOf(`${formerRulesMarker}\n`);
  return at < 0 ? undefined : text.slice(at + formerRulesMarker.length + 1);
}
