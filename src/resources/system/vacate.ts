/** Shell for taking directories away that nobody needs any more. Only ever an empty one goes. Pure text. */
import { platforms } from '../../base/platform.ts';

/**
 * Defines `vacant PATH` (may it go, once it is empty?), `vacate PATH` (it goes if it is empty) and `vacate_above PATH` (its
 * parents, as far as they are root's). None of them touches a mount point, a directory of a package, or one of those that
 * every system has.
 */
export const vacating = `of_package() { ${platforms.map(({ manager }) => `{ command -v ${manager.query} >/dev/null && ${manager.owns}; }`).join(' || ')}; }
vacant() {
  case $1 in
    /usr/local/lib/?*) ;;
    ''|/|/usr|/usr/*|/srv|/opt|/home|/mnt|/media|/etc|/tmp|/run|/root|/var|/var/lib|/var/log|/var/spool|/var/tmp|/var/run) return 1;;
  esac
  [ -d "$1" ] && ! [ -L "$1" ] && ! mountpoint -q "$1" && ! of_package "$1"
}
vacate() { if vacant "$1"; then acting "$1" '' rmdir "$1" 2>/dev/null || :; fi; }
# Whether the parent of something that is gone stayed behind when a run was killed.
orphan() { up=\${1%/*}; [ ! -e "$1" ] && [ "$(stat -c %U "$up" 2>/dev/null)" = root ] && vacant "$up" && [ -z "$(ls -A "$up")" ]; }
vacate_above() {
  up=\${1%/*}
  while [ -n "$up" ] && [ "$(stat -c %U "$up" 2>/dev/null)" = root ] && vacant "$up" && acting "$up" root rmdir "$up" 2>/dev/null; do up=\${up%/*}; done
  :
}`;
