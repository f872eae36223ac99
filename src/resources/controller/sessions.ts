/** Who is connected to a server that is about to stop: a count, and transactions that are open for long. SQL, and words for a plan. Pure. */
import { formatDuration } from '../../base/units.ts';

interface Transaction {
  readonly pid: number;
  readonly user: string;
  readonly application: string;
  readonly seconds: number;
}

export interface Sessions {
  readonly clients: number;
  readonly transactions: readonly Transaction[];
}

/** A transaction that is open for longer is named, since it will be cut off. */
const longSeconds = 5;

/** The arguments of json_build_object. */
export const sessionsQuery = `'clients', (select count(*) from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid() and application_name not in ('pgduet', 'mc_agent')),
 'transactions', (select coalesce(json_agg(json_build_object('pid', pid, 'user', usename, 'application', application_name, 'seconds', round(extract(epoch from now() - xact_start))) order by xact_start), '[]')
   from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid() and xact_start < now() - interval '${longSeconds} s')`;

export const readSessions = (value: unknown): Sessions | undefined =>
  typeof value === 'object' && value !== null && 'transactions' in value ? (value as Sessions) : undefined;

export const sessionNotes = ({ clients, transactions }: Sessions): readonly string[] => [
  ...(clients > 0 ? [`${clients} client sessions are ended`] : []),
  ...transactions.map(
    ({ pid, user, application, seconds }) =>
      `open for ${formatDuration(seconds * 1000)}, and rolled back: process ${pid} of ${user}${application ? ` (${application})` : ''}`,
  ),
];
