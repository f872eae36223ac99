/**
 * Checksums of everything that a server stores: tables, materialized views and large objects of all databases, with their
 * counts; and the place where sequences stand. In: a server. Out: text by name. Unlogged tables are named as such, since
 * a standby has none of their rows, and a server that was one has lost them.
 */
import { psqlPath, type Server, sql } from '../support/instance.ts';

export type Checksums = ReadonlyMap<string, string>;

/** One query for each table; what a test itself writes to all the time is left out. */
const ofTables = `SELECT format(
 'SELECT %L, count(*), md5(coalesce(string_agg(t::text, E''\\n'' ORDER BY t::text COLLATE "C"), '''')) FROM %I.%I t',
 CASE relpersistence WHEN 'u' THEN 'unlogged ' ELSE '' END || nspname || '.' || relname, nspname, relname)
 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE relkind IN ('r', 'm') AND nspname !~ '^(pg_|information_schema$)' AND relname <> 'written'
 AND NOT (relpersistence = 'u' AND pg_is_in_recovery())
 ORDER BY nspname, relname \\gexec
SELECT 'large object ' || loid, count(*), md5(string_agg(data, ''::bytea ORDER BY pageno)) FROM pg_largeobject GROUP BY loid ORDER BY loid;`;

/** "database: schema.table" with "count|md5". */
export async function checksums(server: Server): Promise<Checksums> {
  const found = new Map<string, string>();
  for (const [database, text] of await inEveryDatabase(server, ofTables)) {
    for (const line of text.split('\n')) {
      const [name, ...sums] = line.split('|');
      if (sums.length > 0) found.set(`${database}: ${name}`, sums.join('|'));
    }
  }
  return found;
}

/** Asks each database that clients can enter, all in one script on the host; the answers by name. */
export async function inEveryDatabase(server: Server, query: string): Promise<[string, string][]> {
  const script = `psql() { ${psqlPath} -h /var/run/postgresql -p ${server.port} -XqAt -v ON_ERROR_STOP=1 "$@"; }
for name in $(psql -d postgres -c "SELECT datname FROM pg_database WHERE datallowconn AND datname <> 'template1' ORDER BY 1"); do
echo "<$name>"
psql -d "$name" <<'QUERY'
${query}
QUERY
done`;
  const { stdout } = await server.host.sh('cd / && runuser -u postgres -- sh -eu', {
    input: script,
    check: true,
  });
  const parts = stdout.split(/^<(\w+)>\n/m).slice(1);
  return parts.flatMap((name, at) => (at % 2 === 0 ? [[name, parts[at + 1] ?? ''] as [string, string]] : []));
}

/** Without the tables whose rows end with the role of a standby. */
export const logged = (sums: Checksums): Record<string, string> =>
  Object.fromEntries([...sums].filter(([name]) => !name.includes(': unlogged ')));

/** The value that each sequence gave last. A crash or a switch may skip some, but never goes back. */
export async function sequences(server: Server, database: string): Promise<Map<string, bigint>> {
  const rows = await sql(
    server,
    `SELECT schemaname || '.' || sequencename, coalesce(last_value, start_value - 1) FROM pg_sequences ORDER BY 1`,
    database,
  );
  const pairs = rows.split('\n').map((row) => row.split('|'));
  return new Map(pairs.map(([name = '', value = '0']) => [name, BigInt(value)]));
}
