/** What an audit makes of the answer to its query, and whose facts stand for the whole cluster. Pure. */
import type { Observed, ProbeReply } from '../../resources/contract/kind.ts';
import { present, unknown } from '../../resources/contract/kind.ts';
import type { AuditContext } from '../audit.ts';

/** The value of the query; without one, "could not look" with the server's reason. */
export function answer<F>(reply: ProbeReply): Observed<F> {
  if (reply.sql === undefined || reply.sql === null)
    return unknown(reply.sqlProblem ?? 'the server did not answer');
  return present(reply.sql as F);
}

/** Roles and databases are the same on all servers: one tells of them, the primary if it was seen. */
export function teller<F>(
  { primary }: AuditContext,
  seen: ReadonlyMap<string, F>,
): readonly [string, F] | undefined {
  const facts = primary === undefined ? undefined : seen.get(primary);
  return primary !== undefined && facts !== undefined ? [primary, facts] : [...seen][0];
}

/** SQL: how far the WAL of this server reaches, whatever its role is. The functions of the other role must not be called. */
export const reachedLsn =
  'case when pg_is_in_recovery() then coalesce(pg_last_wal_replay_lsn(), pg_last_wal_receive_lsn()) else pg_current_wal_lsn() end';
