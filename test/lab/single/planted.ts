/**
 * Things with the names of PostgreSQL's own, in a schema that comes first for everybody. Whoever resolves a name by the
 * search_path of its role meets one: it writes PLANTED to the server's log and fails. In: a primary. Out: how many there are.
 */
import { type Server, sql } from '../support/instance.ts';

/** Of each kind: a statement for each thing of pg_catalog; what cannot be copied, such as what takes "any", is left out. */
const copies = `
SELECT 'function', format('CREATE FUNCTION planted.%I(%s) RETURNS int LANGUAGE plpgsql AS %L', proname, oidvectortypes(proargtypes),
    format('BEGIN PERFORM planted.met(%L); RETURN 0; END', 'function ' || proname))
  FROM pg_proc WHERE pronamespace = 'pg_catalog'::regnamespace AND prokind = 'f'
UNION ALL SELECT DISTINCT 'operand', format('CREATE FUNCTION planted.operated(%s) RETURNS bool LANGUAGE plpgsql AS %L',
    concat_ws(', ', nullif(oprleft, 0)::regtype, oprright::regtype), 'BEGIN RETURN planted.met(''operator''); END')
  FROM pg_operator WHERE oprnamespace = 'pg_catalog'::regnamespace
UNION ALL SELECT 'operator', format('CREATE OPERATOR planted.%s (%s)', oprname,
    concat_ws(', ', 'LEFTARG = ' || nullif(oprleft, 0)::regtype, 'RIGHTARG = ' || oprright::regtype, 'FUNCTION = planted.operated'))
  FROM pg_operator WHERE oprnamespace = 'pg_catalog'::regnamespace
UNION ALL SELECT 'relation', format('CREATE VIEW planted.%I AS SELECT it.* FROM planted.meets(%L) LEFT JOIN pg_catalog.%1$I AS it ON true',
    relname, 'relation ' || relname)
  FROM pg_class WHERE relnamespace = 'pg_catalog'::regnamespace AND relkind IN ('r', 'v')
UNION ALL SELECT 'type', format('CREATE DOMAIN planted.%I AS pg_catalog.%1$I CHECK (planted.met(%L))', typname, 'type ' || typname)
  FROM pg_type WHERE typnamespace = 'pg_catalog'::regnamespace AND typtype = 'b' AND typname !~ '^_'`;

const plant = `
CREATE SCHEMA planted;
GRANT USAGE ON SCHEMA planted TO PUBLIC;
-- A session may have told the server to log nothing.
CREATE FUNCTION planted.met(what text) RETURNS bool LANGUAGE plpgsql AS $$ BEGIN
  PERFORM pg_catalog.set_config('log_min_messages', 'log', false);
  RAISE LOG 'PLANTED %', what;
  RAISE EXCEPTION 'PLANTED %', what;
END $$;
CREATE FUNCTION planted.meets(what text) RETURNS SETOF bool LANGUAGE plpgsql AS $$ BEGIN RETURN NEXT planted.met(what); END $$;
CREATE TEMPORARY TABLE made (kind text);
DO $$ DECLARE kind text; statement text; BEGIN
  FOR kind, statement IN ${copies} LOOP
    BEGIN EXECUTE statement; INSERT INTO pg_temp.made VALUES (kind); EXCEPTION WHEN OTHERS THEN NULL; END;
  END LOOP;
END $$;
SELECT format('ALTER ROLE %I SET search_path = planted, public, pg_catalog', rolname),
  format('ALTER ROLE %I IN DATABASE postgres SET search_path = planted, public, pg_catalog', rolname) FROM pg_roles WHERE rolname !~ '^pg_'
\\gexec
ALTER ROLE ALL SET search_path = planted, public, pg_catalog;
SELECT kind, count(*) FROM pg_temp.made GROUP BY kind ORDER BY kind;`;

/** A database for `sql` whose session means PostgreSQL's own names. */
export const safely = '"dbname=postgres options=-csearch_path=pg_catalog"';

/** Returns how many of each kind stand in the way now. */
export async function plantEverything(server: Server): Promise<ReadonlyMap<string, number>> {
  const rows = await sql(server, plant, safely);
  return new Map(
    rows.split('\n').map((row): [string, number] => [row.split('|')[0] ?? '', Number(row.split('|')[1])]),
  );
}
