# The primary by bare commands. Set before: PRIMARY, STANDBY (addresses), PASSWORD. Needs root and an empty host.
set -eu
cd /
bin=/usr/lib/postgresql/15/bin
data=/database/inst1
as() { runuser -u postgres -- "$@"; }
mkdir -p /database
install -d -o postgres -g postgres -m 0700 "$data"
as "$bin/initdb" -D "$data" --data-checksums --auth-local=peer --auth-host=scram-sha-256 --encoding=UTF8 --locale=C.UTF-8 >/dev/null
cat >>"$data/postgresql.conf" <<EOF
listen_addresses = '*'
port = 27500
unix_socket_directories = '/var/run/postgresql'
wal_log_hints = on
wal_keep_size = '1024MB'
max_connections = 50
shared_buffers = '16MB'
logging_collector = on
EOF
echo "host replication pgduet_repl $STANDBY/32 scram-sha-256" >>"$data/pg_hba.conf"
as "$bin/pg_ctl" start -s -w -D "$data" >/dev/null
as "$bin/psql" -X -q -p 27500 -d postgres >/dev/null <<EOF
CREATE ROLE pgduet_repl LOGIN REPLICATION PASSWORD '$PASSWORD';
SELECT pg_create_physical_replication_slot('copy', true);
EOF
