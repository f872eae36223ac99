# The standby by bare commands: a base backup through the slot `copy`, then its start. Set before: PRIMARY, PASSWORD.
set -eu
cd /
bin=/usr/lib/postgresql/15/bin
data=/database/inst1
as() { runuser -u postgres -- "$@"; }
mkdir -p /database
install -d -o postgres -g postgres -m 0700 "$data"
( umask 077; echo "$PRIMARY:27500:replication:pgduet_repl:$PASSWORD" >/var/lib/postgresql/.pgpass )
chown postgres: /var/lib/postgresql/.pgpass
source="host=$PRIMARY port=27500 user=pgduet_repl passfile=/var/lib/postgresql/.pgpass"
as "$bin/pg_basebackup" -w -d "$source" -D "$data" -S copy -X stream --checkpoint=fast
cat >>"$data/postgresql.conf" <<EOF
primary_conninfo = '$source application_name=server2'
EOF
as touch "$data/standby.signal"
as "$bin/pg_ctl" start -s -w -D "$data" >/dev/null
