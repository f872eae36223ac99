/**
 * The shell functions that write on a host. The way to a path decides who acts: where nobody but root could have made a name on
 * it, the login does; anything else is done as the user whom it shall belong to, so that the kernel refuses what is not that
 * user's (ADR 12). Text comes by standard input, so it shows up in no process list. Pure text.
 */
import { quote } from '../../base/shell.ts';

/**
 * Defined for the login and, by `acting`, for the user who acts. `received` takes text from standard input, whole or not at
 * all, into `text`, and goes on with what it is given; `place PATH MODE OWNER` writes it, with the time of a fourth argument;
 * `keep PATH MODE OWNER` gives a file its owner and mode and leaves content and time; `made PATH MODE OWNER` makes a
 * directory, `begun` one that has to be missing, `tie PATH TARGET OWNER` a link.
 */
const writing = `# Where \`place\` writes before it renames: a power cut in between leaves this.
unfinished() { temporary "$1"; printf '%s' "$place_tmp"; }
temporary() { place_tmp=\${1%/*}/.\${1##*/}.pgduet-tmp; }
received() {
  text_end=$(printf '\\004')
  text=$(cat) || return 1
  case $text in *"$text_end") text=\${text%"$text_end"};; *) echo 'the text of a file did not arrive as a whole' >&2; return 1;; esac
  "$@"
}
place() {
  temporary "$1"
  if [ -e "$place_tmp" ] || [ -L "$place_tmp" ]; then rm -f "$place_tmp"; fi
  ( umask 077; set -C; printf '%s' "$text" > "$place_tmp" ) || { rm -f "$place_tmp"; return 1; }
  { chown -h "$3" "$place_tmp" && chmod "$2" "$place_tmp" && { [ -z "\${4-}" ] || touch -r "$4" "$place_tmp"; } &&
    sync "$place_tmp" && mv -fT "$place_tmp" "$1"; } || { rm -f "$place_tmp"; return 1; }
}
# One that somebody else owns is written anew, in its own directory, with the time that it had.
keep() {
  if [ -L "$1" ]; then echo "$1 has become a symbolic link" >&2; return 1; fi
  if [ -n "$ROOT" ] || [ -O "$1" ]; then chown -h "$3" "$1" && chmod "$2" "$1"; return; fi
  if [ -r "$1" ]; then text=$(timeout 20 cat "$1" && printf .) || return 1; text=\${text%.}
  elif [ -z "$text" ]; then echo "$1 cannot be read" >&2; return 1; fi
  place "$1" "$2" "$3" "$1"
}
made() {
  if [ -L "$1" ]; then echo "$1 has become a symbolic link" >&2; return 1; fi
  if [ ! -d "$1" ]; then
    { [ -d "\${1%/*}/" ] || ( umask 022; mkdir -p "\${1%/*}/" ); } && mkdir -m 0700 "$1" ||
      { echo "root alone has not made the way to $1; if it is right: install -d -o \${3%%:*} -m $2 $1" >&2; return 1; }
  fi
  if [ -z "$ROOT" ] && [ ! -O "$1" ]; then
    echo "$1 is not \${3%%:*}'s, and root alone has not made the way to it; if it shall be: chown \${3%%:*}: $1" >&2; return 1
  fi
  chown -h "$3" "$1" && chmod "$2" "$1"
}
# Who acts does so already.
acting() { shift 2; "$@"; }
# A directory that is not there yet; one that is there stays as it is, and is none.
begun() { { [ -d "\${1%/*}/" ] || ( umask 022; mkdir -p "\${1%/*}/" ); } && mkdir -m 0700 "$1" && chown -h "$3" "$1" && chmod "$2" "$1"; }
tie() { ln -sT "$2" "$1" && chown -h "$3" "$1"; }
`;

/**
 * Defines ROOT, what stands above, `keeper`, `acting`, `put`, `own` and `directory`. `acting PATH OWNER COMMAND…` runs a
 * command or a function of ours on that path; without an owner it acts as whoever keeps the directory. `acting_as USER` does so in any case.
 */
export const writingFunctions = `if [ "$ME" = root ] || [ "$(id -u)" = 0 ]; then ROOT=yes; else ROOT=; fi
writing=${quote(writing)}
eval "$writing"
# Whether a group that may write is as good as root. Debian says so of staff, on hosts where it gives it /usr/local; its number is the host's.
trusted_group() {
  if [ "$1" = 0 ]; then return 0; fi
  [ -e /etc/staff-group-for-usr-local ] && trusted=$(getent group staff) && trusted=\${trusted#*:*:} && [ "\${trusted%%:*}" = "$1" ]
}
# Whether the rights of the group are those of a list, which may name anybody.
listed() { case $(ls -ld -- "$1") in ??????????+*) return 0;; esac; return 1; }
# Who besides root could have made a name on the way to this directory, as far as it is there: into keeper and keeper_place.
# Empty: nobody; a question mark: anybody. Each link on the way is followed here, step by step.
keeper() {
  keeper_left=$1; keeper_at=; keeper_all=$1
  set -- /
  while [ -n "$keeper_left" ] && [ $# -le 200 ]; do
    keeper_name=\${keeper_left%%/*}
    case $keeper_left in */*) keeper_left=\${keeper_left#*/};; *) keeper_left=;; esac
    case $keeper_name in '' | .) continue;; ..) keeper_at=\${keeper_at%/*}; continue;; esac
    if [ -L "$keeper_at/$keeper_name" ]; then
      set -- "$@" "$keeper_at/$keeper_name"
      keeper_to=$(readlink "$keeper_at/$keeper_name")
      case $keeper_to in /*) keeper_at=;; esac
      keeper_left=$keeper_to/$keeper_left
    elif [ -d "$keeper_at/$keeper_name" ]; then
      keeper_at=$keeper_at/$keeper_name
      set -- "$@" "$keeper_at"
    else
      keeper_left=
    fi
  done
  if [ -n "$keeper_left" ]; then keeper='?'; keeper_place=$1; return; fi
  keeper_seen=$(stat -c '%u %g %a %f %U %n' -- "$@") || { keeper='?'; keeper_place=$keeper_all; return; }
  keeper=; keeper_place=
  while [ -n "$keeper_seen" ]; do
    keeper_line=\${keeper_seen%%"$line_end"*}
    keeper_seen=\${keeper_seen#"$keeper_line"}; keeper_seen=\${keeper_seen#"$line_end"}
    # User, group, mode, type and name of the user; the place may hold anything.
    set -f; set -- $keeper_line; set +f
    keeper_place=\${keeper_line#* * * * * }
    if [ "$1" != 0 ]; then keeper=\${5:-?}; return; fi
    # In a sticky directory nobody replaces what root has made.
    case $4 in a*) continue;; esac
    case $3 in
      [1357]???) ;;
      *[2367]) keeper='?'; return;;
      *[2367]?) if ! trusted_group "$2" || listed "$keeper_place"; then keeper='?'; return; fi;;
    esac
  done
}
# Who acts on a path, as \`acting\` says it, into acting_user, which is empty where this shell does.
actor() {
  acting_user=\${2%%:*}
  keeper=
  if [ -n "$ROOT" ]; then keeper "\${1%/*}"; fi
  if [ -z "$keeper" ]; then acting_user=; return; fi
  acting_user=\${acting_user:-$keeper}
  case $acting_user in
    root | "$ME" | '?') echo "root does nothing by the names in $keeper_place, where others than root may write" >&2; return 1;;
  esac
}
acting() {
  actor "$1" "$2" || return
  shift 2
  if [ -z "$acting_user" ]; then "$@"; else acting_as "$acting_user" "$@"; fi
}
acting_as() {
  acting_user=$1
  shift
  set -- sh -ec "PGBIN=\\$1 ME=\\$2 PASSFILE=\\$3 ROOT=; shift 3
$writing
"'"$@"' sh "$PGBIN" "$acting_user" "$PASSFILE" "$@"
  if [ "$acting_user" = "\${OWNER_ENTRY%%:*}" ]; then reader "$@"; else as "$acting_user" "$@"; fi
}
# put PATH MODE OWNER TEXT: a whole file. own: owner and mode of a file whose content is right; what reads it would take a file that is written anew for newer.
put() {
  actor "$1" "$3" || return
  # This shell has the text already.
  if [ -z "$acting_user" ]; then text=$4; place "$1" "$2" "$3"; return; fi
  printf '%s\\004' "$4" | acting_as "$acting_user" received place "$1" "$2" "$3"
}
own() {
  actor "$1" "$3" || return
  if [ -z "$acting_user" ]; then text=$4; keep "$1" "$2" "$3"; return; fi
  printf '%s\\004' "$4" | acting_as "$acting_user" received keep "$1" "$2" "$3"
}
directory() { acting "$1" "$3" made "$1" "$2" "$3"; }
`;
