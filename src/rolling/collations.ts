/**
 * How a server sorts: the versions of collations that its libraries bring, beside those that the databases were made with. In: answers of two
 * servers. Out: what only the first one sorts otherwise. Pure.
 */
import type { Probe, ProbeReply } from '../resources/contract/kind.ts';

/** Databases since PostgreSQL 15; before, only the collations of the database that is asked. */
export const collationProbe = (version: number): Probe => ({
  sql:
    version >= 15
      ? `select coalesce(json_agg(format('database %s (%s, here %s)', datname, datcollversion, pg_database_collation_actual_version(oid)) order by datname), '[]') from pg_database where datallowconn and datcollversion is not null and datcollversion is distinct from pg_database_collation_actual_version(oid)`
      : `select coalesce(json_agg(format('collation %s (%s, here %s)', collname, collversion, pg_collation_actual_version(oid)) order by collname), '[]') from pg_collation where collversion is not null and collversion is distinct from pg_collation_actual_version(oid)`,
});

const read = (reply: ProbeReply | undefined): readonly string[] =>
  Array.isArray(reply?.sql) ? reply.sql.map(String) : [];

export function otherCollations(
  reply: ProbeReply | undefined,
  primary: ProbeReply | undefined,
): readonly string[] {
  const known = read(primary);
  return read(reply).filter((one) => !known.includes(one));
}
