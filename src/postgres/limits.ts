/**
 * Settings of which a standby needs at least what its primary has ("Hot Standby", administrator's overview): with less it does not
 * start. In: words of a probe. Out: the values of the primary that its control file tells, by setting. Pure.
 */

/** As pg_controldata calls them, and as the settings are called. */
const names: Readonly<Record<string, string>> = {
  max_connections: 'max_connections',
  max_worker_processes: 'max_worker_processes',
  max_wal_senders: 'max_wal_senders',
  max_prepared_xacts: 'max_prepared_transactions',
  max_locks_per_xact: 'max_locks_per_transaction',
};

export const limitNames: readonly string[] = Object.values(names);

/** Shell, `controldata` being that of the preamble: a word "name=value" for each on a line. */
export const limitScript = (dataDir: string): string =>
  `controldata ${dataDir} | sed -n 's/^\\(max_[a-z_]*\\) setting: */\\1=/p'`;

export function readLimits(words: readonly string[]): ReadonlyMap<string, number> {
  const pairs = words.map((word) => word.split('='));
  return new Map(
    pairs.flatMap(([label = '', value]) => {
      const name = names[label];
      return name === undefined ? [] : [[name, Number(value)] as const];
    }),
  );
}
