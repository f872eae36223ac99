/** How every session of ours with a server begins. Pure. */
import { conninfo } from './conninfo.ts';

/**
 * A superuser's statement must not call what somebody else made: where names may mean more than pg_catalog's, whoever may
 * create a function that fits better than PostgreSQL's own one is superuser. pg_temp is named, or it would come first for
 * tables and types ("CREATE FUNCTION", "Writing SECURITY DEFINER Functions Safely"). What a session asks for itself wins over
 * what is set for its role or its database.
 */
const ownNamesAlone = 'search_path=pg_catalog,pg_temp';

/** As `options` of libpq and of drivers, with these settings besides. */
export const sessionOptions = (settings: readonly string[] = []): string =>
  [ownNamesAlone, ...settings].map((setting) => `-c ${setting}`).join(' ');

/**
 * What an administrator has set for all sessions, for a role or a database ends or refuses nothing that ours change: a server that is
 * frozen for its clients is still one that a role, a slot or a setting has to be made on.
 */
const unhindered = [
  'default_transaction_read_only=off',
  'statement_timeout=0',
  'lock_timeout=0',
  'idle_in_transaction_session_timeout=0',
];

/** Of a session that may change something. */
export const workingOptions = sessionOptions(unhindered);

/**
 * SQL: statements behind it are in no log, whatever an administrator or an auditor has turned on. They hold the verifier of a password.
 * The last setting is of an extension (pgaudit); without it, it is a name like any other.
 */
export const unlogged =
  "SET log_statement = 'none'; SET log_min_duration_statement = -1; SET log_min_duration_sample = -1; SET log_transaction_sample_rate = 0; SET log_min_error_statement = 'panic'; SET pgaudit.log = 'none';";

/** For `psql -d`: the database of administration. */
export const administration = conninfo({ dbname: 'postgres', options: workingOptions });
