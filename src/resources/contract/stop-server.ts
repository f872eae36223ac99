/**
 * Shell that ends a server by a fast shutdown and waits for the process that ran when it began. `pg_ctl stop -w` waits as long as
 * any server runs in the directory: one that a controller or systemd starts again right behind the stop is waited for without end.
 */
import { sh } from '../../base/shell.ts';

/** For the instance administrator. Arguments: pg_ctl, the data directory, the patience in seconds. Nothing to do where nothing runs. */
export const haltProgram = `dir=$2
named() { { read -r now <"$dir/postmaster.pid"; } 2>/dev/null && echo "$now"; }
pid=$(named) || exit 0
case $pid in '' | *[!0-9]*) exec "$1" stop -s -m fast -D "$dir";; esac
runs() { [ "$(named)" = "$pid" ] && kill -0 "$pid" 2>/dev/null; }
"$1" stop -s -W -m fast -D "$dir" || ! runs || exit 1
n=0
while runs; do
  n=$((n + 1)); if [ $n -gt $(($3 * 20)) ]; then echo "the server (process $pid) did not stop within $3 s" >&2; exit 1; fi
  sleep 0.05
done`;

/** It knows PGBIN and `as`, also within a part of a step that is not broken off. */
export const stopServer = (owner: string, dataDir: string, seconds: number): string =>
  `${sh`as ${owner} sh -c ${haltProgram} sh "$PGBIN/pg_ctl" ${dataDir} ${String(seconds)}`} >&2`;
