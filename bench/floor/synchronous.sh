# The last part on the primary: commits wait for the standby, and the slot of the copy goes. One statement knows the names as
# they were when it began, and its sync_state with them; the priority is that of the WAL sender itself.
set -eu
cd /
bin=/usr/lib/postgresql/15/bin
data=/database/inst1
as() { runuser -u postgres -- "$@"; }
echo "synchronous_standby_names = 'server2'" >>"$data/postgresql.conf"
as "$bin/psql" -X -q -v ON_ERROR_STOP=1 -p 27500 -d postgres >/dev/null <<'EOF'
SELECT pg_reload_conf();
SELECT pg_drop_replication_slot('copy');
DO $$ BEGIN
FOR i IN 1..1000 LOOP
  IF EXISTS (SELECT FROM pg_stat_replication WHERE state = 'streaming' AND sync_priority > 0) THEN RETURN; END IF;
  PERFORM pg_stat_clear_snapshot(); PERFORM pg_sleep(0.02);
END LOOP;
RAISE EXCEPTION 'the standby did not become synchronous';
END $$;
EOF
