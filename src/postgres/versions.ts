/** What differs between major versions of PostgreSQL, as tables; no other code branches on a version. Pure. */

export interface VersionFacts {
  /** How a data directory is told to follow a primary ("Standby Server Operation"). */
  readonly recovery: 'standby.signal' | 'recovery.conf';
  /** How WAL is kept for a standby that is away ("Sending Servers"). */
  readonly walKeep: {
    readonly name: 'wal_keep_size' | 'wal_keep_segments';
    value(megabytes: number): string;
  };
  /** From 17 on logical slots may wait for standbys; the controller empties this list with the other one. */
  readonly synchronizedStandbySlots: boolean;
}

export const oldestVersion = 12;
export const newestVersion = 18;

const segments = {
  name: 'wal_keep_segments',
  value: (megabytes: number) => String(Math.ceil(megabytes / 16)),
} as const;
const size = { name: 'wal_keep_size', value: (megabytes: number) => `${megabytes}MB` } as const;

/** Each row holds from its version on, until the next row. */
const table: readonly { readonly from: number; readonly facts: VersionFacts }[] = [
  { from: 10, facts: { recovery: 'recovery.conf', walKeep: segments, synchronizedStandbySlots: false } },
  { from: 12, facts: { recovery: 'standby.signal', walKeep: segments, synchronizedStandbySlots: false } },
  { from: 13, facts: { recovery: 'standby.signal', walKeep: size, synchronizedStandbySlots: false } },
  { from: 17, facts: { recovery: 'standby.signal', walKeep: size, synchronizedStandbySlots: true } },
];

export function versionFacts(version: number): VersionFacts {
  const row = table.findLast((candidate) => candidate.from <= version);
  if (!row) throw new Error(`no facts about PostgreSQL ${version}`);
  return row.facts;
}
