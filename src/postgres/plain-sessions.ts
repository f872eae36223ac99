/**
 * Sessions that cross the network without encryption: who would be kept out as soon as the rules demand TLS. In: what pg_stat_ssl and
 * pg_stat_gssapi say. Out: SQL and words; no text of a query is among them. Pure.
 */
import { quoteLiteral } from './quote.ts';

export interface PlainSessions {
  readonly user: string;
  /** Null: a replication connection without one. */
  readonly database: string | null;
  readonly address: string;
  readonly application: string;
  readonly count: number;
}

/**
 * SQL: their list, the same ones counted. Servers of the cluster log in as `ours`, by rules of their own. Others that replicate are
 * clients.
 */
export const plainSessionsQuery = (ours: readonly string[]): string =>
  `(select coalesce(json_agg(s order by s."user", s.database, s.address, s.application), '[]') from (
 select a.usename as "user", a.datname as database, host(a.client_addr) as address, a.application_name as application, count(*) as count
 from pg_stat_activity a join pg_stat_ssl t using (pid) left join pg_stat_gssapi g using (pid)
 where a.backend_type in ('client backend', 'walsender') and a.usename not in (${ours.map(quoteLiteral).join(', ')})
 and not a.client_addr <<= '127.0.0.0/8' and a.client_addr <> '::1' and not t.ssl and not coalesce(g.encrypted, false)
 group by 1, 2, 3, 4) s)`;

const most = 20;

/** "app@shop from 10.1.2.3 (psql), 3 times; …" */
export function sessionsWords(sessions: readonly PlainSessions[]): string {
  const told = sessions.slice(0, most).map(({ user, database, address, application, count }) => {
    const by = application === '' ? '' : ` (${application})`;
    return `${user}@${database ?? 'replication'} from ${address}${by}${count > 1 ? `, ${count} times` : ''}`;
  });
  const more = sessions.length - told.length;
  return [...told, ...(more > 0 ? [`and ${more} more`] : [])].join('; ');
}
