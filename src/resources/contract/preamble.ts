/**
 * The shell functions that probes and steps may use, and how files reach a host. Pure text.
 * `put` takes the content as an argument of a shell function: that is no argv, so it shows up in no process list.
 */
import { quote, sh } from '../../base/shell.ts';
import { binDirCandidates } from '../../postgres/bindirs.ts';
import type { Instance } from './context.ts';
import { chownWord, type Ownership, statFormat } from './stat.ts';

export interface PreambleContext {
  readonly postgresVersion: number;
  readonly binDir?: string;
  readonly owner: string;
  readonly socketDir: string;
  readonly port: number;
  /** Absent: ~/.pgpass of the owner. */
  readonly passfile?: string;
}

const asFunction = `as() {
  as_user=$1; shift
  if [ "$ME" = "$as_user" ]; then "$@"; else HOME="$OWNER_HOME" runuser -u "$as_user" -- "$@"; fi
}`;

/**
 * A part of a step that must come to its end although the connection is lost in the middle, such as a stop and the start
 * behind it: in a session of its own, which nobody ends. It knows PGBIN and `as`, and what it says is said at its end.
 */
export const unbroken = (script: string): string => `said=$(mktemp)
exec 8<> "$said"
rm -f "$said"
status=0
ME=$ME PGBIN=$PGBIN OWNER_HOME=$OWNER_HOME setsid sh -c ${quote(`set -e\n${asFunction}\n${script}`)} </dev/null >&8 2>&1 8>&- || status=$?
cat /dev/fd/8 >&2
exec 8>&-
if [ $status -ne 0 ]; then exit $status; fi`;

/**
 * As `as OWNER`, for what only looks: runuser would open a PAM session, which is written to the journal. Busybox has a setpriv
 * that knows no users.
 */
const readerFunction = (owner: string): string => `reader() {
  if [ "$ME" = ${quote(owner)} ]; then "$@"; return; fi
  reader_path=$(command -v setpriv)
  if [ -z "$reader_path" ] || [ "$reader_path" -ef /bin/busybox ]; then as ${quote(owner)} "$@"; return; fi
  reader_group=\${OWNER_ENTRY#*:*:*:}
  HOME="$OWNER_HOME" setpriv --reuid ${quote(owner)} --regid "\${reader_group%%:*}" --init-groups -- "$@"
}`;

/** Where the server of the host is, and who owns it: PGBIN, OWNER_ENTRY, OWNER_HOME, PASSFILE, `reader` and `sql`. */
function serverPart(context: PreambleContext | undefined): string {
  if (context === undefined) return 'PGBIN= OWNER_ENTRY= OWNER_HOME= PASSFILE=';
  const candidates = context.binDir ? [context.binDir] : binDirCandidates(context.postgresVersion);
  return `PGBIN=
for d in ${candidates.map(quote).join(' ')}; do
  if [ -x "$d/postgres" ]; then PGBIN=$d; break; fi
done
OWNER_ENTRY=$(getent passwd ${quote(context.owner)})
OWNER_HOME=\${OWNER_ENTRY%:*}
OWNER_HOME=\${OWNER_HOME##*:}
PASSFILE=${context.passfile ? quote(context.passfile) : '"$OWNER_HOME/.pgpass"'}
${readerFunction(context.owner)}
sql() {
  as ${quote(context.owner)} "$PGBIN/psql" -X -q -A -t -w -v ON_ERROR_STOP=1 -h ${quote(context.socketDir)} -p ${context.port} -d postgres
}`;
}

/**
 * Defines ME, `as`, `lines`, `postmaster`, `serving`, `controller`, `observation`, `put`, `own`, `unfinished` and `listening`, and what concerns
 * the server of the host; without a server those names are empty. Changes nothing on the host.
 */
export function preamble(context: PreambleContext | undefined): string {
  return `
# Directories and files of others get the usual modes; what is ours says its own.
umask 022
ME=$(id -un)
${asFunction}
${serverPart(context)}
# Why a path is not seen, in unseen: "absent", or "closed" and the directory that this login may not look into.
unseen() {
  unseen=$1
  until [ -d "$unseen" ]; do
    case $unseen in */*) unseen=\${unseen%/*};; *) unseen=.;; esac
    unseen=\${unseen:-/}
  done
  if [ -x "$unseen" ]; then unseen=absent; else unseen="closed $unseen"; fi
}
# What \`stat\` says of a path, or why it is not seen.
observation() {
  if [ -e "$1" ] || [ -L "$1" ]; then stat -c ${quote(statFormat)} "$1"; return; fi
  unseen "$1"
  echo "$unseen"
}
# The first lines of a file into variables, without a process: \`lines FILE a b\`.
lines() {
  for lines_name in "$@"; do case $lines_name in */*) ;; *) eval "$lines_name=";; esac; done
  lines_file=$1; shift
  [ -r "$lines_file" ] || return 1
  { for lines_name in "$@"; do IFS= read -r "$lines_name" || break; done; } 2>/dev/null < "$lines_file"
}
# Whether a server runs in this data directory; its process is in pid, which is empty otherwise. A pid file that a power cut
# has left may name a process of somebody else: the postmaster is the one that works in the directory.
postmaster() {
  if lines "$1/postmaster.pid" pid && [ -n "$pid" ]; then
    if [ "/proc/$pid/cwd" -ef "$1" ]; then return; fi
    # Root without the right to trace others, as in many containers, cannot see where a process works: a postgres is ours then.
    if lines "/proc/$pid/comm" pid_name && [ "$pid_name" = postgres ] && ! readlink "/proc/$pid/cwd" >/dev/null 2>&1; then return; fi
  fi
  pid=
  return 1
}
# Whether it takes connections, as its file says; asking it would cost a process here and one there.
serving() { postmaster "$1" && lines "$1/postmaster.pid" x x x x x x x word && [ "\${word%% *}" = ready ]; }
# Whether the controller that keeps this pid file runs; its process is in mc, which is empty otherwise. The file holds the
# process, its start in clock ticks (field 22 of /proc/PID/stat) and the boot; the three together name one process only. The
# boot is read as the process sees it: in a container, a unit that is kept from /proc/sys sees another one than a login does.
controller() {
  if lines "$1" mc mc_started mc_boot && [ -n "$mc" ] && lines "/proc/$mc/stat" mc_stat; then
    # Another login may not see it so, and takes its own.
    lines "/proc/$mc/root/proc/sys/kernel/random/boot_id" mc_here || lines /proc/sys/kernel/random/boot_id mc_here
    set -- "$mc_started" \${mc_stat##*) }
    if [ "$mc_here" = "$mc_boot" ] && [ "$2" != Z ] && [ "\${21}" = "$1" ]; then return; fi
  fi
  mc=
  return 1
}
# Where \`put\` writes before it renames: a power cut in between leaves this.
unfinished() { printf '%s' "\${1%/*}/.\${1##*/}.pgduet-tmp"; }
put() {
  put_tmp=$(unfinished "$1")
  rm -f "$put_tmp"
  ( umask 077; printf '%s' "$4" > "$put_tmp" ) || { rm -f "$put_tmp"; return 1; }
  { chown "$3" "$put_tmp" && chmod "$2" "$put_tmp" && sync "$put_tmp" && mv -f "$put_tmp" "$1"; } || { rm -f "$put_tmp"; return 1; }
}
# Owner and mode of a file whose content is right. It is not written anew: what reads it would take it for newer.
own() {
  if [ -L "$1" ]; then echo "$1 has become a symbolic link" >&2; return 1; fi
  chown -h "$3" "$1" && chmod "$2" "$1"
}
listening() {
  grep -qsE "^ *[0-9]+: [0-9A-F]+:$(printf '%04X' "$1") [0-9A-F]+:0000 0A " /proc/net/tcp /proc/net/tcp6
}
`;
}

/** The controller keeps this file as long as it runs; shell function `controller` reads it. */
export const controllerPidFile = (place: { readonly managementDir: string; readonly id: string }): string =>
  `${place.managementDir}/${place.id}.pid`;

/** Shell: whether the server takes connections. It is asked only once its own file says so. */
export const answers = ({ dataDir, socketDir, port }: Instance): string =>
  `{ serving ${quote(dataDir)} && "$PGBIN/pg_isready" -q -h ${quote(socketDir)} -p ${port}; }`;

/**
 * Shell: waits until the controller, whose process is in mc, is gone. It answers a stop before that, and systemd sees the end later
 * still; until then a start would find it running and do nothing, and it would start an instance that is stopped behind its back.
 */
export const untilGone = (unit: string | undefined, seconds = 60): string => `n=0
while { [ -n "$mc" ] && lines "/proc/$mc/stat" mc_stat && case \${mc_stat##*) } in Z*) false;; esac; }${unit ? sh` || systemctl --quiet is-active ${unit}` : ''}; do
  n=$((n + 1)); if [ $n -gt ${seconds * 20} ]; then echo "the controller (process $mc) did not end within ${seconds} s" >&2; exit 1; fi
  sleep 0.05
done`;

/** Gives a file that is right otherwise its owner and mode. */
export function ownFile(file: Ownership & { readonly path: string }): string {
  return sh`own ${file.path} ${file.mode} ${chownWord(file)}`;
}

/** Writes a whole file: temporary name in its directory, synced, renamed. */
export function putFile(file: Ownership & { readonly path: string; readonly content: string }): string {
  return sh`put ${file.path} ${file.mode} ${chownWord(file)} ${file.content}`;
}
