/** Slots, publications, subscriptions and receivers of others. */
import { single, type Trait, works } from '../trait.ts';

const logical = 'printf "\\nwal_level = logical\\n" >>{conf}/postgresql.conf';
const slots = { topics: ['wal level'] as const, starts: single, stopped: logical, right: works };
const psql = (database: string, text: string): string =>
  `runuser -u postgres -- {bin}/psql -XqAt -p {port} -d ${database} -v ON_ERROR_STOP=1 -c "${text}" >/dev/null`;

export const replication: readonly Trait[] = [
  {
    name: 'slot-of-a-backup-tool',
    has: 'a physical slot that nobody uses at the moment',
    starts: single,
    topics: ['wal level'],
    sql: "SELECT pg_create_physical_replication_slot('backup_tool', true);",
    tells: ['SLT002'],
    right: works,
  },
  {
    name: 'logical-slot',
    has: 'a logical slot that nobody reads',
    ...slots,
    started: psql('stock', "SELECT pg_create_logical_replication_slot('reports', 'pgoutput')"),
    tells: ['SLT002'],
  },
  {
    name: 'publication',
    has: 'publications of tables and of everything',
    ...slots,
    started: psql(
      'stock',
      'CREATE PUBLICATION one FOR TABLE items; CREATE PUBLICATION everything FOR ALL TABLES',
    ),
  },
  {
    name: 'subscription',
    has: 'a subscription to a server that is gone, disabled, with a password',
    starts: single,
    sql: {
      stock:
        "CREATE SUBSCRIPTION gone CONNECTION 'host=192.0.2.5 dbname=x user=y password=canary-subscription-1' PUBLICATION p WITH (connect = false);",
    },
    right: works,
  },
  {
    name: 'subscription-that-tries',
    has: 'a subscription tries all the time to reach a server that is gone',
    starts: single,
    sql: {
      stock:
        "CREATE SUBSCRIPTION tries CONNECTION 'host=192.0.2.5 connect_timeout=2 dbname=x user=y password=canary-subscription-2' PUBLICATION p WITH (connect = false, slot_name = 'tries'); ALTER SUBSCRIPTION tries ENABLE;",
    },
    right: works,
  },
  {
    name: 'receiver-of-wal',
    has: 'a backup tool receives WAL on the host of the server all the time',
    lives: ['/received'],
    starts: single,
    topics: ['wal level', 'local rules'],
    sql: 'CREATE ROLE archiver REPLICATION LOGIN;',
    stopped: `sed -i '1i local replication archiver trust' {conf}/pg_hba.conf`,
    started: `install -d -o postgres -g postgres /received
systemd-run --quiet --unit=receiver -p User=postgres -p Restart=always -p RestartSec=1 {bin}/pg_receivewal -D /received -h /var/run/postgresql -p {port} -U archiver --no-loop`,
    tells: ['HBA002'],
    foretold: /receive WAL from it already.*role archiver/,
    right: works,
  },
  {
    name: 'reader-of-changes',
    has: 'a consumer reads changes from a logical slot',
    ...slots,
    topics: ['wal level', 'local rules'],
    sql: 'CREATE ROLE cdc REPLICATION LOGIN;',
    stopped: `${logical}
sed -i '1i local stock cdc trust' {conf}/pg_hba.conf`,
    started: `${psql('stock', "SELECT pg_create_logical_replication_slot('cdc', 'test_decoding')")}
systemd-run --quiet --unit=reader -p User=postgres -p Restart=always -p RestartSec=1 {bin}/pg_recvlogical -d stock -h /var/run/postgresql -p {port} -U cdc --slot cdc --start -f /dev/null --no-loop`,
    tells: ['HBA002', 'SLT002'],
    foretold: /receive WAL from it already.*role cdc/,
  },
];
