/**
 * The shell functions that probes and steps may use, and how files and directories reach a host. Pure text.
 */
import { quote, sh } from '../../base/shell.ts';
import { binDirCandidates } from '../../postgres/bindirs.ts';
import { administration } from '../../postgres/session.ts';
import type { Instance } from './context.ts';
import { chownWord, type Ownership, statFormat } from './stat.ts';
import { writingFunctions } from './writing.ts';

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

/** Terms of `find`: a directory that whoever looks may not look into. It is nobody's to delete, whatever it is called. */
export const closedDirectory = '-type d \\( ! -readable -o ! -executable \\) -prune';

/**
 * Defines `looker USER COMMAND…`: as `as`, for what only looks, since runuser would open a PAM session, which is written to the journal; busybox has a
 * setpriv that knows no users. And `walks PLACE [USER]`: by whose rights that directory is gone through, into walker, which stands in
 * front of a command and is empty for the login's own; without USER the instance administrator's.
 */
const lookerFunctions = `setpriv_path=$(command -v setpriv || :)
if [ "$setpriv_path" -ef /bin/busybox ]; then setpriv_path=; fi
looker() {
  looker_user=$1; shift
  if [ "$ME" = "$looker_user" ]; then "$@"; return; fi
  if [ -z "$setpriv_path" ]; then as "$looker_user" "$@"; return; fi
  looker_group=$(id -g "$looker_user") || return 1
  "$setpriv_path" --reuid "$looker_user" --regid "$looker_group" --init-groups -- "$@"
}
# The names of files tell no less than what is in them. Root goes only where nobody else could have made a link on the way.
walks() {
  walker=
  if [ -z "$ROOT" ]; then return 0; fi
  keeper=he
  if [ -O "$1" ]; then keeper "$1"; fi
  if [ -n "$keeper" ]; then walker=\${2:+looker $2}; walker=\${walker:-reader}; fi
}`;

/**
 * As `as OWNER`, for what needs no session of PAM: looks, files and psql. The session costs two processes and an entry of the journal; its limits
 * (limits.conf) are meant for what goes on running.
 */
const readerFunction = (owner: string): string => `reader() {
  if [ "$ME" = ${quote(owner)} ]; then "$@"; return; fi
  if [ -z "$setpriv_path" ]; then as ${quote(owner)} "$@"; return; fi
  reader_group=\${OWNER_ENTRY#*:*:*:}
  HOME="$OWNER_HOME" "$setpriv_path" --reuid ${quote(owner)} --regid "\${reader_group%%:*}" --init-groups -- "$@"
}
# Reads what lies where the administrator could have made a link to something of root's, or runs a program that he could have
# made: with no more rights than he has, and not for ever, since it may be a pipe that nobody writes to.
peek() { if [ -n "$ROOT" ]; then reader timeout 20 "$@"; else "$@"; fi; }
# As peek, for what has its own limit of time.
glimpse() { if [ -n "$ROOT" ]; then reader "$@"; else "$@"; fi; }
# The text of such a file, whole.
text_of() { if glanced "$1"; then printf %s "$glance_text"; else peek cat "$1"; fi; }
# Of a file that is written all the time (when last: what stat says with three decimals): what was read before that is none of what it says.
fresh_text() { if [ -n "$glance_began" ] && [ "\${2%.*}\${2#*.}" -lt "$((glance_began - 50))" ]; then text_of "$1"; else peek cat "$1"; fi; }
# Of a file that is written anew from what is read: \`own_text FILE CTIME SIZE\`, as stat says them. Nobody can set the former; by the latter it shows where a
# byte was lost that no shell can keep.
own_text() {
  if glanced "$1" && [ "$(LC_ALL=C; echo "\${#glance_text}")" = "$3" ]; then fresh_text "$1" "$2"; else peek cat "$1"; fi
}
# Whether he may make files in a directory.
writes_in() { if glanced "may $1"; then case $glance_text in yes*) ;; *) return 1;; esac; else peek test -w "$1" -a -x "$1"; fi; }
# The names in a directory of his, and the control file of a data directory.
listing() { if glanced "ls $1"; then printf %s "$glance_text"; else peek ls -A "$1"; fi; }
controldata() { if glanced "control $1"; then printf %s "$glance_text"; else peek "$PGBIN/pg_controldata" -D "$1" 2>&1; fi; }`;

/** Where the server of the host is, and who owns it: PGBIN, OWNER_ENTRY, OWNER_HOME, PASSFILE, `reader`, `peek` and `sql`. */
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
${glanceFunction}
sql() {
  reader "$PGBIN/psql" -X -q -A -t -w -v ON_ERROR_STOP=1 -h ${quote(context.socketDir)} -p ${context.port} -d ${quote(administration)}
}`;
}

/** Between two files of a glance. All of them are the administrator's, who could only lie about what is his. */
const glanceEnd = '\x1d';

/** What is larger is read by whoever asks for it. */
const glanceBytes = 65_536;

/** A file is one record, so that its last line may have an end or none. */
const glancedFiles = `BEGIN {
  RS = "\\035"
  for (i = 1; i < ARGC; i++) {
    text = ""
    got = (getline text < ARGV[i])
    if (got == 1) got = (getline more < ARGV[i])
    if (got == 0 && length(text) < ${glanceBytes}) printf "%s\\n%s\\035\\n", ARGV[i], text
    close(ARGV[i])
  }
}`;

const glanceProgram = `LC_ALL=C; export LC_ALL
data=$1 sockets=$2 programs=$3; shift 3
awk ${quote(glancedFiles)} "$@" || exit
# Names may hold anything: what would end a part early is not told.
part() { case $2 in *${glanceEnd}*) ;; *) if [ \${#2} -lt ${glanceBytes} ]; then printf '%s\\n%s\\n\\035\\n' "$1" "$2"; fi;; esac; }
if [ -d "$data" ]; then
  if said=$(ls -A "$data"); then part "ls $data" "$said"; fi
  if [ -n "$programs" ]; then part "control $data" "$("$programs/pg_controldata" -D "$data" 2>&1)"; fi
fi
if [ -d "$sockets" ]; then if [ -w "$sockets" ] && [ -x "$sockets" ]; then part "may $sockets" yes; else part "may $sockets" no; fi; fi
printf .`;

const glanceFunction = `# What most of a look is about, and only the administrator may see, is read once, by one program: \`glance DATA_DIRECTORY SOCKET_DIRECTORY FILE...\`:
# these files, what is in the data directory, what its control file says, and whether he may make sockets there. What cannot be read so, or is large, is left
# to whoever asks for it.
glance() {
  glance_count=0
  glance_data=$1 glance_sockets=$2
  shift 2
  glance_names="ls $glance_data\${line_end}control $glance_data\${line_end}may $glance_sockets$line_end"
  for glance_name; do
    shift
    if [ -f "$glance_name" ] && [ ! -L "$glance_name" ]; then
      set -- "$@" "$glance_name"
      glance_names=$glance_names$glance_name$line_end
    fi
  done
  if [ $# -eq 0 ]; then return; fi
  # That of busybox ends one process of several.
  if [ "$(command -v timeout)" -ef /bin/busybox ]; then return; fi
  glance_began=$(date +%s%3N)
  now=\${glance_began%???}
  glance_all=$(glimpse timeout 5 sh -c ${quote(glanceProgram)} sh "$glance_data" "$glance_sockets" "$PGBIN" "$@" 2>/dev/null) || return 0
  # One part for each file and three more, whatever the administrator has made of what was said as him; and none for another path.
  glance_left=$(($# + 3))
  set -f; IFS=${quote(glanceEnd)}
  set -- $glance_all
  set +f; unset IFS
  # What no end was said of may have been cut off.
  while [ $# -gt 1 ] && [ $glance_left -gt 0 ]; do
    glance_left=$((glance_left - 1))
    glance_part=\${1#"$line_end"}
    shift
    glance_name=\${glance_part%%"$line_end"*}
    case $line_end$glance_names in *"$line_end$glance_name$line_end"*) ;; *) continue;; esac
    glance_count=$((glance_count + 1))
    eval "glance_name_$glance_count=\\$glance_name glance_text_$glance_count=\\\${glance_part#*\\"\\$line_end\\"}"
  done
}`;

/**
 * Defines ME, `as`, `looker`, `walks`, `contents`, `glance`, `glanced`, `lines`, `numbered`, `postmaster`, `serving`, `controller`, `observation` and `listening`, those of
 * `writing.ts`, and what concerns the server of the host; without a server those names are empty. Changes nothing on the host.
 */
export function preamble(context: PreambleContext | undefined): string {
  return `
# Directories and files of others get the usual modes; what is ours says its own.
umask 022
# What libpq takes from the environment of a login, such as PGUSER in /etc/environment, is meant for others.
line_end='
'
IFS=$line_end
for name in $(export -p); do
  name=\${name#export }; name=\${name%%=*}
  case $name in PGDUET_* | *[!A-Z_]*) ;; PG*) unset "$name";; esac
done
unset IFS
ME=$(id -un)
${asFunction}
${lookerFunctions}
${serverPart(context)}
${writingFunctions}
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
# Prints a file that somebody else may replace at any moment: a pipe that has come in its place holds nothing up, and the last name is
# no link. Where dd knows no such words, what is a file now is read, and not for ever.
contents() {
  dd if="$1" iflag=nonblock,nofollow bs=64k \${2:+"count=$2"} status=none 2>/dev/null ||
    { [ ! -p "$1" ] && [ ! -L "$1" ] && timeout 20 cat "$1"; }
}
# The same into a variable, by one process in place of two: \`content FILE [BLOCKS]\`.
content() {
  content=$(dd if="$1" iflag=nonblock,nofollow bs=64k \${2:+"count=$2"} status=none 2>/dev/null) || content=$(contents "$@")
}
glance_count=0
now=
glance_began=
# Whether a look has read it already; the text is in glance_text then.
glanced() {
  glance_at=0
  while [ $glance_at -lt $glance_count ]; do
    glance_at=$((glance_at + 1))
    eval "glance_name=\\$glance_name_$glance_at"
    if [ "$glance_name" = "$1" ]; then eval "glance_text=\\$glance_text_$glance_at"; return; fi
  done
  return 1
}
# The first lines of a file into variables: \`lines FILE a b\`. What the kernel shows is read without a process.
lines() {
  lines_file=$1; shift
  for lines_name in "$@"; do eval "$lines_name="; done
  [ -f "$lines_file" ] && [ -r "$lines_file" ] || return 1
  case $lines_file in /proc/*)
    { for lines_name in "$@"; do IFS= read -r "$lines_name" || break; done; } 2>/dev/null < "$lines_file"
    return;;
  esac
  if glanced "$lines_file"; then lines_left=$glance_text; else
    { content "$lines_file" 1; } 2>/dev/null || return 1
    lines_left=$content
  fi
  for lines_name in "$@"; do
    lines_line=\${lines_left%%"$line_end"*}
    eval "$lines_name=\\$lines_line"
    case $lines_left in *"$line_end"*) lines_left=\${lines_left#*"$line_end"};; *) break;; esac
  done
}
# Whether a word of a pid file is the number of one process; 0, a group ("-1") and a path are none.
numbered() { case $1 in '' | 0* | *[!0-9]*) return 1;; esac; }
# Whether a server runs in this data directory; its process is in pid, which is empty otherwise, and what its file says of it in
# pid_state. A pid file that a power cut has left may name a process of somebody else: the postmaster is the one that works in the directory.
postmaster() {
  if lines "$1/postmaster.pid" pid x x x x x x pid_state && numbered "$pid"; then
    if [ "/proc/$pid/cwd" -ef "$1" ]; then return; fi
    # Root without the right to trace others, as in many containers, cannot see where a process works: a postgres is ours then.
    if lines "/proc/$pid/comm" pid_name && [ "$pid_name" = postgres ] && ! readlink "/proc/$pid/cwd" >/dev/null 2>&1; then return; fi
  fi
  pid=
  return 1
}
# Whether it takes connections, as its file says; asking it would cost a process here and one there.
serving() { postmaster "$1" && [ "\${pid_state%% *}" = ready ]; }
# Whether the controller that keeps this pid file runs; its process is in mc, which is empty otherwise. The file holds the
# process, its start in clock ticks (field 22 of /proc/PID/stat) and the boot; the three together name one process only. The
# boot is read as the process sees it: in a container, a unit that is kept from /proc/sys sees another one than a login does.
controller() {
  if lines "$1" mc mc_started mc_boot && numbered "$mc" && lines "/proc/$mc/stat" mc_stat; then
    # Another login may not see it so, and takes its own.
    lines "/proc/$mc/root/proc/sys/kernel/random/boot_id" mc_here || lines /proc/sys/kernel/random/boot_id mc_here
    set -- "$mc_started" \${mc_stat##*) }
    if [ "$mc_here" = "$mc_boot" ] && [ "$2" != Z ] && [ "\${21}" = "$1" ]; then return; fi
  fi
  mc=
  return 1
}
listening() {
  grep -qsE "^ *[0-9]+: [0-9A-F]+:$(printf '%04X' "$1") [0-9A-F]+:0000 0A " /proc/net/tcp /proc/net/tcp6
}
`;
}

/** The last words of a command that runs a controller, as the unit and the list of processes have them. */
export const daemonWords = (place: { readonly managementDir: string; readonly id: string }): string =>
  `daemon -M ${place.managementDir} --local-server ${place.id}`;

/** Shell condition: a controller that starts finds a record, or the mark that there is none to be trusted; without both it would take itself for a new one. */
export const tellsNext = (place: { readonly managementDir: string; readonly id: string }): string => {
  const record = `${place.managementDir}/${place.id}.state.json`;
  return `{ [ -f ${quote(record)} ] || [ -f ${quote(`${record}.torn`)} ]; }`;
};

/** Where a controller keeps its files, and whose they are. */
interface ControllerPlace {
  readonly managementDir: string;
  readonly id: string;
  readonly owner: string;
}

/** As a pattern, with what `mc_ctl start` may add. */
function controllerWords(place: ControllerPlace): string {
  const words = `*${quote(`${daemonWords(place)} `)}`;
  return [words, `${words}-[fF]' '`, `${words}'--mc-only '`, `${words}'--mc-only '-[fF]' '`].join(' | ');
}

/**
 * Shell: the process that runs the controller of this place into stray; empty where there is none. Its words tell it, which everybody can give a
 * process of his own: by whom it was begun the kernel says. Nobody but the administrator can run one, and what root runs may only be the begin of another
 * user's process (`sudo`). Every start asks, so that one process looks at all of them.
 */
export const strayController = (place: ControllerPlace): string =>
  `stray=
if ours=$(id -u ${quote(place.owner)} 2>/dev/null); then
for c in $(grep -lzxF -e ${quote(place.managementDir)} /proc/[0-9]*/cmdline 2>/dev/null); do
  case "$(tr '\\0' ' ' 2>/dev/null <"$c")" in ${controllerWords(place)})
    c=\${c%/*}
    if [ "$(sed -n 's/^Uid:[[:space:]]*\\([0-9]*\\).*/\\1/p' "$c/status" 2>/dev/null)" = "$ours" ]; then stray=\${c#/proc/}; break; fi;;
  esac
done
fi`;

/** Shell: the main process of a unit that is up into main; empty where it is starting, stopping or down. */
export const mainProcess = (unit: string): string =>
  `main=; if systemctl --quiet is-active ${quote(`${unit}.service`)}; then main=$(systemctl show -p MainPID --value ${quote(`${unit}.service`)}); fi; if ! numbered "$main"; then main=; fi`;

/** The controller keeps this file as long as it runs; shell function `controller` reads it. */
export const controllerPidFile = (place: { readonly managementDir: string; readonly id: string }): string =>
  `${place.managementDir}/${place.id}.pid`;

/** Shell: whether the server takes connections. It is asked only once its own file says so. */
export const answers = ({ dataDir, socketDir, port }: Instance): string =>
  `{ serving ${quote(dataDir)} && peek "$PGBIN/pg_isready" -q -h ${quote(socketDir)} -p ${port}; }`;

/**
 * As the administrator, who reads his own file without a process for each look: until it says that the server takes connections, or for
 * a second, which is told.
 */
const untilSaid = `n=0
while [ $n -lt 50 ]; do
  state=
  if [ -f "$1" ]; then { for line in 1 2 3 4 5 6 7 8; do IFS= read -r state || break; done; } 2>/dev/null < "$1"; fi
  case $state in ready*) exit;; esac
  n=$((n + 1)); sleep 0.02
done
echo second`;

/** Shell: waits until the server answers; `eachSecond` is what is looked at meanwhile. It ends the wait by `exit`. */
export const untilAnswers = (instance: Instance, eachSecond: string): string => `n=0
until ${answers(instance)}; do
  sleep 0.02
  n=$((n + 1))
  if [ "$(peek sh -c ${quote(untilSaid)} sh ${quote(`${instance.dataDir}/postmaster.pid`)})" = second ]; then n=50; fi
  if [ $n -ge 50 ]; then
    n=0
${eachSecond}
  fi
done`;

/**
 * Shell: waits until the controller, whose process is in mc, is gone. It answers a stop before that, and systemd sees the end later
 * still; until then a start would find it running and do nothing, and it would start an instance that is stopped behind its back.
 */
export const untilGone = (unit: string | undefined, seconds = 60): string => `n=0
while { [ -n "$mc" ] && lines "/proc/$mc/stat" mc_stat && case \${mc_stat##*) } in Z*) false;; esac; }${unit ? sh` || systemctl --quiet is-active ${unit}` : ''}; do
  n=$((n + 1)); if [ $n -gt ${seconds * 20} ]; then echo "the controller (process $mc) did not end within ${seconds} s" >&2; exit 1; fi
  sleep 0.05
done`;

/** Gives a file that is right otherwise its owner and mode; the content is for a file that its owner cannot read. */
export function ownFile(file: Ownership & { readonly path: string; readonly content: string }): string {
  return sh`own ${file.path} ${file.mode} ${chownWord(file)} ${file.content}`;
}

/** Writes a whole file: temporary name in its directory, synced, renamed. */
export function putFile(file: Ownership & { readonly path: string; readonly content: string }): string {
  return sh`put ${file.path} ${file.mode} ${chownWord(file)} ${file.content}`;
}

/** Makes a directory, if it is missing, and gives it its owner and mode. */
export function makeDirectory(place: Ownership & { readonly path: string }): string {
  return sh`directory ${place.path} ${place.mode} ${chownWord(place)}`;
}
