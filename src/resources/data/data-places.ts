/** Shell that finds the places of a server's data, and tells what is in the way of emptying them. Pure text. */
import { quote } from '../../base/shell.ts';
import { type DataPlaces, makingFile, spacesFile } from './data-directory.ts';

/**
 * Defines `spaces`, the directories of its tablespaces, and `each_space COMMAND…`, which runs it with each; `wal`, the WAL directory
 * behind a word that says whether a link of the data directory leads there: without one it has to be empty; `lost`, the links "LINK//TARGET" of a finished data
 * directory that lead to no WAL or no tablespace, and a pg_wal without WAL; `others`, what is not PostgreSQL's in all of these, `tell_others`, both as lines for a probe, and `only_own`, which
 * ends the step if there is either. What cannot be looked at is a failure. `beside` or `only` has to be there.
 */
export const placeFunctions = (place: DataPlaces): string => `making=${quote(makingFile(place))}
spaces() {
  spaces_listed=
  if [ -e "$making" ] && { [ -e ${quote(spacesFile(place))} ] || [ -L ${quote(spacesFile(place))} ]; }; then
    spaces_listed=$(peek cat ${quote(spacesFile(place))}) || { echo ${quote(`${spacesFile(place)} cannot be read`)} >&2; return 1; }
  fi
  { for l in "$d"/pg_tblspc/*; do if [ -L "$l" ]; then readlink -f "$l" || readlink "$l"; fi; done
    printf '%s\\n' "$spaces_listed"
  } | sort -u | grep . || :
}
each_space() {
  spaces_seen=$(spaces) || return 1
  if [ -z "$spaces_seen" ]; then return 0; fi
  printf '%s\\n' "$spaces_seen" | while IFS= read -r s; do "$@" "$s" || exit 1; done
}
wal() {
  w=${quote(place.walDir ?? '')}; of=any
  if [ -L "$d/pg_wal" ]; then w=$(readlink -f "$d/pg_wal"); of=wal; fi
  if [ -n "$w" ] && [ -d "$w" ]; then printf '%s\\n' "$of $w"; fi
}
# With a line break in it, one place would be taken for two.
one_line() {
  for l in "$d"/pg_wal "$d"/pg_tblspc/*; do
    if [ -L "$l" ] && [ "$({ readlink -f "$l"; readlink "$l"; } | wc -l)" -gt 2 ]; then echo "$l leads to a path with a line break" >&2; return 1; fi
  done
}
lost() {
  if [ -e "$making" ] || [ ! -e "$d/PG_VERSION" ]; then return 0; fi
  for l in "$d"/pg_wal "$d"/pg_tblspc/*; do
    # WAL may be on a disk that is mounted right there.
    if [ ! -L "$l" ] && { [ "$l" != "$d/pg_wal" ] || [ ! -e "$l" ]; }; then continue; fi
    case $l in */pg_wal) own='[0-9A-F]{24}';; *) own='PG_${place.version}_[0-9]+';; esac
    if to=$(readlink -e "$l"); then
      names=$(peek ls -A "$to") || return 1
      if printf '%s\\n' "$names" | grep -qxE "$own"; then continue; fi
    fi
    printf '%s//%s\\n' "\${l#"$d"/}" "$(readlink "$l" || printf %s "$l")"
  done
}
# Where the primary has a tablespace, and this server had none.
new_spaces() {
  known=$(spaces) || return 1
  for new in ${(place.tablespaces ?? []).map(quote).join(' ')}; do
    if ! printf '%s\\n' "$known" | grep -qxF -e "$new" -e "$(readlink -f "$new")"; then "$1" any "$new" || return 1; fi
  done
}
others() {
  one_line || return 1
  if [ -e "$d/PG_VERSION" ] && [ ! -e "$making" ]; then beside data "$d" || return 1; fi
  if [ -d "$d" ] || [ -e "$making" ]; then wal | while IFS= read -r line; do of=\${line%% *}; p=\${line#* }; beside "$of" "$p" || exit 1; done || return 1; fi
  each_space beside tablespace || return 1
  new_spaces beside
}
tell_others() {
  for word in beside lost; do
    case $word in beside) seen=$(others);; *) seen=$(lost);; esac || exit 1
    if [ -n "$seen" ]; then printf '%s\\n' "$seen" | sed "s/^/$word /"; fi
  done
}
only_own() {
  one_line || exit 1
  only data "$d"
  wal | while IFS= read -r line; do of=\${line%% *}; p=\${line#* }; only "$of" "$p"; done || exit 1
  gone=$(lost) || exit 1
  if [ -n "$gone" ]; then printf '%s\\n' "what $d leads to is not there: is a disk not mounted?" "$gone" >&2; exit 1; fi
  each_space only tablespace || exit 1
  new_spaces only || exit 1
}`;
