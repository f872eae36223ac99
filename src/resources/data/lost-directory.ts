/**
 * Whether a management directory is lost: a server was in charge of this data, and nothing says so any more but root's own file of its service.
 * In: the place. Out: shell for the probe of the data directory, and for whoever looks again. Pure.
 */
import { initScriptFile, initScriptOf } from '../../base/service-managers.ts';
import { quote } from '../../base/shell.ts';
import { daemonWords } from '../contract/preamble.ts';
import type { DataDirectoryPlace } from './data-directory.ts';
import { findDropIns, formerMark } from './record.ts';

export interface LostPlace extends DataDirectoryPlace {
  readonly version: number;
  /** The unit of its controller, which only root can make or remove. */
  readonly unit?: string;
  /** The instance administrator. */
  readonly owner?: string;
}

/** Root's text about the service names this directory and this server, as the templates write it. */
const inCharge = (place: LostPlace & { readonly unit: string }): string => {
  const unit = quote(`/etc/systemd/system/${place.unit}.service`);
  const script = quote(initScriptFile(initScriptOf(place.unit)));
  return `in_charge() {
  if [ -f ${unit} ]; then
    while IFS= read -r line || [ -n "$line" ]; do case $line in ExecStart=*${quote(` ${daemonWords(place)}`)}) return 0;; esac; done < ${unit}
  fi
  [ -f ${script} ] && grep -qxF ${quote(`dir=${quote(place.managementDir)}`)} ${script} && grep -qxF ${quote(`id=${quote(place.id)}`)} ${script}
}`;
};

/** Mounts of /etc/fstab that are not there, of those that lead to a path of \`chain\`. */
const unmounted = String.raw`function place(path) { gsub(/\\040/, " ", path); if (length(path) > 1) sub(/\/$/, "", path); return path }
BEGIN { n = split(ENVIRON["chain"], paths, "\n"); for (i = 1; i <= n; i++) asked[paths[i]] }
FILENAME == "/proc/mounts" { mounted[place($2)]; next }
!/^[ \t]*#/ && place($2) in asked && !(place($2) in mounted) { print place($2); exit }`;

/** What systemd knows of them: such units are made of /etc/fstab, too. */
const inactive = String.raw`BEGIN { RS = ""; FS = "\n" }
/LoadState=loaded/ && !/ActiveState=(active|reloading)/ { for (i = 1; i <= NF; i++) if (sub(/^Where=/, "", $i)) { print $i; exit } }`;

/**
 * Shell: the first of its path that is a symbolic link into astray. Of those above the directory itself only one that leads nowhere counts. Nobody makes the
 * directory anew behind a link, which another user may have made.
 */
const astrayFunction = ({ managementDir }: LostPlace): string => `is_astray() {
  astray=${quote(managementDir)}
  while [ -n "$astray" ] && [ "$astray" != / ]; do
    if [ -L "$astray" ]; then
      if [ ! -e "$astray" ]; then away='that is not there'; return; fi
      if [ "$astray" = ${quote(managementDir)} ]; then away='nothing of this server is there'; return; fi
    fi
    astray=\${astray%/*}
  done
  return 1
}`;

/** Shell: why the directory may be on a file system that is not mounted, or behind a link, into away, which is empty else. What cannot be asked ends it. */
const awayFunction = ({ managementDir, owner }: LostPlace): string => `is_away() {
  away=$(readlink -m -- ${quote(managementDir)}) || return 1
  set --
  while [ -n "$away" ] && [ "$away" != / ]; do set -- "$@" "$away"; away=\${away%/*}; done
  if [ -d /run/systemd/system ]; then
    away=$(systemctl show -p Where,LoadState,ActiveState -- $(systemd-escape -p --suffix=mount -- "$@")) || return 1
    away=$(printf '%s\\n' "$away" | awk ${quote(inactive)}) || return 1
  elif [ -f /etc/fstab ]; then
    away=$(chain=$(printf '%s\\n' "$@") awk ${quote(unmounted)} /proc/mounts /etc/fstab) || return 1
  fi
  if [ -n "$away" ]; then away="nothing is mounted on $away"; return; fi
  if is_astray; then away="$astray is a symbolic link to $(readlink "$astray" | head -n 1), and $away"; return; fi
  astray=
${
  owner === undefined
    ? '  :'
    : `  if [ -d ${quote(managementDir)} ] && [ "$(stat -L -c %U -- ${quote(managementDir)})" != ${quote(owner)} ]; then
    away=${quote(`${managementDir} is there, and does not belong to ${owner}, as the place of a mount does not`)}
  fi`
}
}`;

/**
 * Shell, behind what the probe has found (\`making\`, \`recorded\`, \`version\`, the data directory in \`d\`): prints "directory lost", or "away" and
 * why; and the drop-ins by which root says that the server was there before pgduet. A directory into which the login may not look is neither.
 */
export const lostDirectory = (place: LostPlace): string => {
  const { unit } = place;
  if (unit === undefined) return ':';
  return `${inCharge({ ...place, unit })}
${astrayFunction(place)}
${awayFunction(place)}
astray=
if [ -z "$making$recorded" ] && [ "$version" = ${place.version} ] && [ -e "$d/postmaster.opts" ] && [ -s "$d/global/pg_control" ] && [ ! -e ${quote(formerMark(place))} ] && in_charge; then
  unseen ${quote(`${place.managementDir}/.`)}
  case $unseen in closed*) ;; *)
    is_away || { echo ${quote(`whether the file system of ${place.managementDir} is mounted cannot be told`)} >&2; exit 1; }
    if [ -n "$away" ]; then echo "away $away"; else echo 'directory lost'; fi
    if [ -n "$astray" ]; then echo "astray $astray"; fi
    ${findDropIns(place)} 2>/dev/null | sed 's/^/dropin /';;
  esac
fi`;
};
