/**
 * The words that the shell of a mutation knows, and the names in its texts. In: a server, the one beside it, a script.
 * Out: a script for that host, or a text with the names put in.
 */
import type { Server } from '../../support/instance.ts';

const names = (server: Server, peer: Server): Readonly<Record<string, string>> => ({
  PEER_ADDRESS: peer.address,
  PEER: peer.id,
  ADDRESS: server.address,
  UNIT: server.unit,
  ID: server.id,
  D: server.dataDir,
  M: server.managementDir,
});

export const scriptFor = (server: Server, peer: Server, script: string): string => `set -eu
cd /
${Object.entries(names(server, peer))
  .map(([name, value]) => `${name}='${value}'`)
  .join('\n')}
PORT=${server.port}
BIN=/usr/lib/postgresql/15/bin
as_postgres() { runuser -u postgres -- "$@"; }
# sql TEXT [DATABASE]
sql() { as_postgres $BIN/psql -h /var/run/postgresql -p $PORT -d "\${2:-postgres}" -XqAt -v ON_ERROR_STOP=1 -c "$1"; }
reload() { as_postgres $BIN/pg_ctl reload -D $D >/dev/null; }
pgctl() { as_postgres $BIN/pg_ctl -D $D "$@"; }
mc() { as_postgres mc_ctl "$@" -M $M; }
wait_until() { waited=0; until eval "$1"; do waited=$((waited + 1)); [ $waited -lt 300 ] || { echo "in vain: $1" >&2; exit 1; }; sleep 0.1; done; }
is_in_force() { [ "$(sql "show $1")" = "$2" ]; }
in_force() { wait_until "is_in_force $1 $2"; }
is_pending() { [ "$(sql "select pending_restart from pg_settings where name = '$1'")" = t ]; }
pending() { wait_until "is_pending $1"; }
switchable() { wait_until '[ "$(mc status 2>/dev/null | sed -n 3p)" = switchable ]'; }
${script}
`;

/** Puts the names into what is expected. */
export const textFor = (server: Server, peer: Server, text: string): string =>
  text.replace(/\$([A-Z_]+)/g, (whole, name: string) => names(server, peer)[name] ?? whole);
