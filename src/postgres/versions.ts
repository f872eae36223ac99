/** Which major versions of PostgreSQL are supported, and what differs between them; no other code branches on a version. Pure. */

export interface VersionFacts {
  /** From 17 on logical slots may wait for standbys; the controller empties this list with the other one. */
  readonly synchronizedStandbySlots: boolean;
  /** From 15 on the server tells which lines of pg_ident.conf it cannot read. */
  readonly identFileView: boolean;
  /** From 14 on the server counts the WAL that it writes. */
  readonly walStatistics: boolean;
}

/** Before 13 a running standby keeps its primary_conninfo: its receiver cannot be ended, and it follows nobody else. */
export const oldestVersion = 13;
export const newestVersion = 18;

/** Each row holds from its version on, until the next row. */
const table: readonly { readonly from: number; readonly facts: VersionFacts }[] = [
  {
    from: oldestVersion,
    facts: { synchronizedStandbySlots: false, identFileView: false, walStatistics: false },
  },
  { from: 14, facts: { synchronizedStandbySlots: false, identFileView: false, walStatistics: true } },
  { from: 15, facts: { synchronizedStandbySlots: false, identFileView: true, walStatistics: true } },
  { from: 17, facts: { synchronizedStandbySlots: true, identFileView: true, walStatistics: true } },
];

export function versionFacts(version: number): VersionFacts {
  const row = table.findLast((candidate) => candidate.from <= version);
  if (!row) throw new Error(`no facts about PostgreSQL ${version}`);
  return row.facts;
}
