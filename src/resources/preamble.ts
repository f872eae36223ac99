/**
 * The shell functions that probes and steps may use, and how files reach a host. Pure text.
 * `put` takes the content as an argument of a shell function: that is no argv, so it shows up in no process list.
 */
import { quote, sh } from '../base/shell.ts';
import { binDirCandidates } from '../postgres/bindirs.ts';
import { chownWord, type Ownership } from './stat.ts';

export interface PreambleContext {
  readonly postgresVersion: number;
  readonly binDir?: string;
  readonly owner: string;
  readonly socketDir: string;
  readonly port: number;
  /** Absent: ~/.pgpass of the owner. */
  readonly passfile?: string;
}

/** Defines ME, PGBIN, OWNER_HOME, PASSFILE, `as`, `put`, `sql` and `listening`. Changes nothing on the host. */
export function preamble(context: PreambleContext): string {
  const candidates = context.binDir ? [context.binDir] : binDirCandidates(context.postgresVersion);
  return `
# Directories and files of others get the usual modes; what is ours says its own.
umask 022
ME=$(id -un)
PGBIN=
for d in ${candidates.map(quote).join(' ')}; do
  if [ -x "$d/postgres" ]; then PGBIN=$d; break; fi
done
OWNER_HOME=$(getent passwd ${quote(context.owner)} | cut -d: -f6)
PASSFILE=${context.passfile ? quote(context.passfile) : '"$OWNER_HOME/.pgpass"'}
as() {
  as_user=$1; shift
  if [ "$ME" = "$as_user" ]; then "$@"; else HOME="$OWNER_HOME" runuser -u "$as_user" -- "$@"; fi
}
put() {
  put_tmp="\${1%/*}/.\${1##*/}.pgduet-tmp"
  rm -f "$put_tmp"
  ( umask 077; printf '%s' "$4" > "$put_tmp" ) || { rm -f "$put_tmp"; return 1; }
  { chown "$3" "$put_tmp" && chmod "$2" "$put_tmp" && sync "$put_tmp" && mv -f "$put_tmp" "$1"; } || { rm -f "$put_tmp"; return 1; }
}
sql() {
  as ${quote(context.owner)} "$PGBIN/psql" -X -q -A -t -w -v ON_ERROR_STOP=1 -h ${quote(context.socketDir)} -p ${context.port} -d postgres
}
listening() {
  cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | awk -v port="$(printf ':%04X' "$1")" \\
    '$4 == "0A" && substr($2, length($2) - 4) == port { found = 1 } END { exit !found }'
}
`;
}

/** Writes a whole file: temporary name in its directory, synced, renamed. */
export function putFile(file: Ownership & { readonly path: string; readonly content: string }): string {
  return sh`put ${file.path} ${file.mode} ${chownWord(file)} ${file.content}`;
}
