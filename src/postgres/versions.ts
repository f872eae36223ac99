/** Which major versions of PostgreSQL are supported, and what differs between them; no other code branches on a version. Pure. */

export interface VersionFacts {
  /** From 17 on logical slots may wait for standbys; the controller empties this list with the other one. */
  readonly synchronizedStandbySlots: boolean;
  /** From 15 on the server tells which lines of pg_ident.conf it cannot read. */
  readonly identFileView: boolean;
  readonly checkpoints: CheckpointCounts;
}

/** Where checkpoints are counted, and whether WAL is (pg_stat_wal). */
export interface CheckpointCounts {
  readonly view: string;
  readonly timed: string;
  readonly requested: string;
  readonly walBytes: boolean;
}

const byWriter = { view: 'pg_stat_bgwriter', timed: 'checkpoints_timed', requested: 'checkpoints_req' };
const byCheckpointer = { view: 'pg_stat_checkpointer', timed: 'num_timed', requested: 'num_requested' };

/** Before 13 a running standby keeps its primary_conninfo: its receiver cannot be ended, and it follows nobody else. */
export const oldestVersion = 13;
export const newestVersion = 18;

const row = (
  from: number,
  synchronizedStandbySlots: boolean,
  identFileView: boolean,
  checkpoints: CheckpointCounts,
): Row => ({ from, facts: { synchronizedStandbySlots, identFileView, checkpoints } });

interface Row {
  readonly from: number;
  readonly facts: VersionFacts;
}

/** Each row holds from its version on, until the next row. */
const table: readonly Row[] = [
  row(oldestVersion, false, false, { ...byWriter, walBytes: false }),
  row(14, false, false, { ...byWriter, walBytes: true }),
  row(15, false, true, { ...byWriter, walBytes: true }),
  row(17, true, true, { ...byCheckpointer, walBytes: true }),
];

export function versionFacts(version: number): VersionFacts {
  const known = table.findLast((candidate) => candidate.from <= version);
  if (!known) throw new Error(`no facts about PostgreSQL ${version}`);
  return known.facts;
}
