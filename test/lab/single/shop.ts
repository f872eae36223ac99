/**
 * The data that every single server of these tests holds: a shop with its roles, as SQL. In: what a form adds, such as a
 * tablespace. Out: scripts for psql. It must make the same rows each time, so that checksums can be compared.
 */

/** What a client of the shop logs in with. */
export const appLogin = { user: 'app', password: 'app-Secret-1', database: 'app' };

export interface ShopWish {
  /** The readings stand in this tablespace. */
  readonly tablespace?: string;
  readonly statements?: boolean;
  /** A slot for a backup tool, a logical one, and a publication; needs wal_level = logical. */
  readonly slots?: boolean;
}

/** Roles and databases; for the database postgres. */
export const roles = ({ tablespace }: ShopWish): string => `
SET password_encryption = 'scram-sha-256';
CREATE ROLE app LOGIN PASSWORD '${appLogin.password}' CONNECTION LIMIT 40;
CREATE ROLE auditors NOLOGIN;
CREATE ROLE anna LOGIN IN ROLE auditors;
CREATE ROLE reporting LOGIN PASSWORD 'reporting-Secret-1';
ALTER ROLE reporting SET statement_timeout = '90s';
CREATE DATABASE app OWNER app;
CREATE DATABASE stock;
${tablespace === undefined ? '' : `CREATE TABLESPACE space1 LOCATION '${tablespace}';`}
`;

/** What the shop sells and what it measures; for the database app. */
export const shop = (wish: ShopWish): string => `
SELECT setseed(0.5);
CREATE SCHEMA shop AUTHORIZATION app;
CREATE TABLE shop.customers (
  id bigserial PRIMARY KEY, name text NOT NULL, born date, balance numeric(12,2) DEFAULT 0,
  tags text[], doc jsonb, active boolean, seen timestamptz);
INSERT INTO shop.customers (name, born, balance, tags, doc, active, seen)
  SELECT 'Frau ' || repeat(chr(252), i % 5) || ' ' || i, date '1950-01-01' + i, i * 1.01, array['a', 'b' || i],
    jsonb_build_object('n', i, 'text', md5(i::text)), i % 3 = 0, timestamptz '2020-02-29 12:00:00+00' + i * interval '1 minute'
  FROM generate_series(1, 2000) i;
INSERT INTO shop.customers (name) VALUES (E'with\\ttab, newline\\n, quote '' and nothing else');
CREATE INDEX customers_name ON shop.customers (lower(name));
CREATE INDEX customers_doc ON shop.customers USING gin (doc);
CREATE TABLE shop.readings (sensor int, at timestamptz, value double precision, raw bytea)
  ${wish.tablespace === undefined ? '' : 'TABLESPACE space1'};
INSERT INTO shop.readings
  SELECT i % 7, timestamptz '2024-01-01 00:00:00+00' + i * interval '1 second', random(), decode(md5(i::text), 'hex')
  FROM generate_series(1, 20000) i;
CREATE INDEX readings_at ON shop.readings (at) ${wish.tablespace === undefined ? '' : 'TABLESPACE space1'};
CREATE UNLOGGED TABLE shop.sessions (id int PRIMARY KEY, token text);
INSERT INTO shop.sessions SELECT i, md5(i::text) FROM generate_series(1, 100) i;
CREATE SEQUENCE shop.invoice START 1000 INCREMENT 10;
SELECT nextval('shop.invoice') FROM generate_series(1, 5);
CREATE MATERIALIZED VIEW shop.totals AS SELECT active, sum(balance) FROM shop.customers GROUP BY active;
SELECT lo_from_bytea(0, decode(repeat('c0ffee', 3000), 'hex'));
GRANT USAGE ON SCHEMA shop TO auditors;
GRANT SELECT ON shop.customers TO auditors;
CREATE TABLE written (who text, id bigint);
GRANT ALL ON written TO app;
${wish.statements ? 'CREATE EXTENSION pg_stat_statements;' : ''}
${wish.slots ? logicalOnes : ''}
`;

const logicalOnes = `
CREATE PUBLICATION reports FOR TABLE shop.customers;
SELECT pg_create_physical_replication_slot('backup_tool', true);
SELECT pg_create_logical_replication_slot('reports', 'pgoutput');
`;

/** For the database stock. */
export const stock = `
CREATE TABLE items (id int PRIMARY KEY, name text);
INSERT INTO items SELECT i, 'item ' || i FROM generate_series(1, 300) i;
`;
