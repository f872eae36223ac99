/** What is in the server: databases, roles, extensions, tablespaces. */
import { single, type Trait, works } from '../trait.ts';

const space = (directory: string): string => `install -d -o postgres -g postgres -m 700 ${directory}`;

export const databases: readonly Trait[] = [
  {
    name: 'databases-with-odd-names',
    has: 'databases with spaces, quotes, signs and letters of other languages in their names',
    starts: single,
    sql: `CREATE DATABASE "my db"; CREATE DATABASE "it's ""odd""; drop"; CREATE DATABASE "host=x dbname=y"; CREATE DATABASE "-c\\q"; CREATE DATABASE "größe 日本";`,
    right: works,
  },
  {
    name: 'database-without-connections',
    has: 'databases that nobody can connect to, one of them half dropped',
    starts: single,
    sql: "CREATE DATABASE broken; CREATE DATABASE closed; UPDATE pg_database SET datconnlimit = -2 WHERE datname = 'broken'; ALTER DATABASE closed ALLOW_CONNECTIONS false;",
    foretold: /could look into the database 'closed'/,
    right: works,
  },
  {
    name: 'many-databases',
    has: 'twenty databases',
    starts: single,
    sql: Array.from({ length: 20 }, (_, at) => `CREATE DATABASE many_${at};`).join('\n'),
    right: works,
  },
  {
    name: 'large-table',
    has: 'a table of 80 MB',
    starts: single,
    sql: {
      stock:
        'CREATE TABLE large AS SELECT i, repeat(md5(i::text), 20) AS t FROM generate_series(1, 110000) i;',
    },
    right: works,
  },
  {
    name: 'many-tables',
    has: 'two thousand tables',
    starts: single,
    sql: {
      stock:
        "DO $$ BEGIN FOR i IN 1..2000 LOOP EXECUTE format('CREATE TABLE many_%s (id int)', i); END LOOP; END $$;",
    },
    topics: ['size'],
    right: works,
  },
  {
    name: 'contrib-extensions',
    has: 'a dozen extensions of contrib',
    starts: single,
    sql: {
      app: 'CREATE EXTENSION pgcrypto; CREATE EXTENSION hstore; CREATE EXTENSION postgres_fdw; CREATE EXTENSION btree_gist; CREATE EXTENSION "uuid-ossp"; CREATE EXTENSION unaccent;',
      stock:
        'CREATE EXTENSION pg_trgm; CREATE EXTENSION citext; CREATE EXTENSION dblink; CREATE EXTENSION file_fdw; CREATE EXTENSION ltree;',
    },
    right: works,
  },
  {
    name: 'extension-on-one-host',
    has: 'an extension that only the first host has',
    starts: single,
    places: ['primary'],
    shell: `cd /usr/share/postgresql/{version}/extension
printf "default_version = '1.0'\\ncomment = 'mine'\\n" >onlyhere.control; echo 'CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS $$SELECT 1$$;' >onlyhere--1.0.sql`,
    sql: { stock: 'CREATE EXTENSION onlyhere' },
    right: {
      kind: 'refused',
      by: 'plan',
      code: 'SAF031',
      names: /onlyhere/,
      fix: {
        elsewhere: `cd /usr/share/postgresql/{version}/extension
printf "default_version = '1.0'\\ncomment = 'mine'\\n" >onlyhere.control; echo 'CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS $$SELECT 1$$;' >onlyhere--1.0.sql`,
      },
    },
  },
  {
    name: 'tablespace',
    has: 'a tablespace with a table',
    starts: single,
    topics: ['tablespace'],
    shell: space('/space1'),
    sql: "CREATE TABLESPACE space1 LOCATION '/space1'; CREATE TABLE in_space (t text) TABLESPACE space1; INSERT INTO in_space VALUES ('here');",
    places: ['primary'],
    right: works,
  },
  {
    name: 'tablespace-taken',
    has: "somebody's files lie in the directory of a tablespace on the standby's host",
    starts: single,
    topics: ['tablespace'],
    places: ['primary'],
    shell: space('/space2'),
    elsewhere: 'install -d -o postgres -g postgres -m 700 /space2; echo mine >/space2/f',
    sql: "CREATE TABLESPACE space2 LOCATION '/space2'; CREATE TABLE in_space (t text) TABLESPACE space2;",
    right: {
      kind: 'refused',
      by: 'plan',
      code: 'SAF031',
      names: /\/space2/,
      fix: { elsewhere: 'mv /space2 /root/mine' },
    },
  },
  {
    name: 'roles-with-odd-names',
    has: 'roles with odd names, limits, and one for everything',
    starts: single,
    sql: `CREATE ROLE "O'Brien" LOGIN; CREATE ROLE "a b" SUPERUSER LOGIN; CREATE ROLE "replication" LOGIN; CREATE ROLE "mcarb"; CREATE ROLE pgduet LOGIN; ALTER ROLE "a b" CONNECTION LIMIT 1; CREATE ROLE old LOGIN VALID UNTIL '2001-01-01';`,
    right: works,
  },
  {
    name: 'template-with-objects',
    has: 'template1 has objects, and a template of its own is there',
    starts: single,
    sql: {
      template1: 'CREATE TABLE everywhere (id int); CREATE EXTENSION pgcrypto;',
      postgres: 'CREATE DATABASE tpl IS_TEMPLATE true',
    },
    right: works,
  },
  {
    name: 'prepared-transaction',
    has: 'a transaction is prepared and not yet committed',
    starts: single,
    stopped: 'printf "\\nmax_prepared_transactions = 5\\n" >>{conf}/postgresql.conf',
    started: `runuser -u postgres -- {bin}/psql -XqAt -p {port} -d stock -c "BEGIN; INSERT INTO items VALUES (9999, 'x'); PREPARE TRANSACTION 'left open'"`,
    right: works,
  },
  {
    name: 'event-trigger',
    has: 'an event trigger writes down every statement of DDL',
    starts: single,
    sql: "CREATE TABLE public.ddl_log (at timestamptz DEFAULT pg_catalog.now(), tag text); CREATE FUNCTION note_ddl() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO public.ddl_log (tag) VALUES (tg_tag); END'; CREATE EVENT TRIGGER note ON ddl_command_end EXECUTE FUNCTION note_ddl();",
    right: works,
  },
  {
    name: 'unlogged-and-temporary',
    has: 'unlogged tables and an unlogged sequence',
    starts: single,
    sql: {
      stock:
        'CREATE UNLOGGED TABLE cart (id serial, t text); INSERT INTO cart (t) SELECT md5(i::text) FROM generate_series(1, 1000) i;',
    },
    right: works,
  },
  {
    name: 'foreign-server-with-password',
    has: 'a foreign server with a password in a user mapping',
    starts: single,
    sql: {
      stock:
        "CREATE EXTENSION IF NOT EXISTS postgres_fdw; CREATE SERVER other FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '192.0.2.5'); CREATE USER MAPPING FOR postgres SERVER other OPTIONS (user 'x', password 'canary-mapping-1');",
    },
    right: works,
  },
  {
    name: 'timeline-of-a-restore',
    has: 'the server was restored once and is on a second timeline',
    starts: single,
    topics: ['recovery', 'wal level'],
    stopped: `install -o postgres -g postgres -m 600 /dev/null {data}/recovery.signal
echo "restore_command = 'false'" >>{data}/postgresql.auto.conf`,
    started: `until [ "$(runuser -u postgres -- {bin}/psql -XqAt -p {port} -d postgres -c 'SELECT pg_is_in_recovery()' 2>/dev/null)" = f ]; do sleep 0.05; done
runuser -u postgres -- {bin}/psql -XqAt -p {port} -d postgres -c 'ALTER SYSTEM RESET restore_command' -c 'SELECT pg_reload_conf()' >/dev/null`,
    right: works,
  },
];
