/**
 * What a server that is to be rebuilt knows and the primary does not: its WAL is read from where the primary left its last timeline.
 * "Nothing" needs the proof that the reading came to the end of the WAL. Pure.
 */
import { quote } from '../../base/shell.ts';

/** What its WAL holds that the primary's history does not. Unknown counts as much. */
export type Beyond =
  | { readonly kind: 'none' }
  | { readonly kind: 'commits'; readonly count: number }
  | { readonly kind: 'unknown'; readonly reason: string };

export function readBeyond(text: string): Beyond {
  const commits = /^commits (\d+)$/.exec(text);
  if (commits) return { kind: 'commits', count: Number(commits[1]) };
  return text === 'none' ? { kind: 'none' } : { kind: 'unknown', reason: text.replace(/^unknown /, '') };
}

/**
 * Shell: where pg_waldump stopped is the end of the WAL only if the rest of that page is empty, and no later page was ever written: each
 * page begins with its own address. `ends_at` says where it stopped, from its words; `goes_on` says what stands behind.
 */
const endOfWal = `lsn() { echo $(( (0x\${1%/*} << 32) + 0x\${1#*/} )); }
segment_at() { printf '%s%08X%08X' "$last" $(($1 / bytes / (4294967296 / bytes))) $(($1 / bytes % (4294967296 / bytes))); }
start_of() { echo $(( (0x$(printf %s "$1" | cut -c9-16) * (4294967296 / bytes) + 0x$(printf %s "$1" | cut -c17-24)) * bytes )); }
ends_at() {
  stop=$(printf '%s\\n' "$1" | sed -nE 's#.*record length at ([0-9A-F]+/[0-9A-F]+):.*#\\1#p;s#.*could not find a valid record after ([0-9A-F]+/[0-9A-F]+).*#\\1#p' | tail -n 1)
  if [ -n "$stop" ]; then lsn "$stop"; return; fi
  stop=$(printf '%s\\n' "$1" | sed -nE 's/.*(unexpected pageaddr|invalid magic number 0000).*segment ([0-9A-F]{24}),.*offset ([0-9]*).*/\\2 \\3/p;s/.*could not find file "([0-9A-F]{24})".*/\\1 0/p' | tail -n 1)
  if [ -n "$stop" ]; then echo $(($(start_of "\${stop% *}") + \${stop#* })); fi
}
# As text: taken for numbers, such names have more digits than awk compares.
later_than() { peek ls "$w" | grep -E "^$last[0-9A-F]{16}$" | awk -v s="$1" '($0 "") > (s "")'; }
part() { reader timeout 600 dd if="$1" iflag=nonblock,nofollow,skip_bytes,count_bytes bs=1M skip="$2" \${3:+"count=$3"} status=none; }
addresses() { part "$@" | od -An -v -tx8 -w"$block" | awk '{ print $2 }'; }
goes_on() {
  at=$(segment_at "$1"); off=$(($1 % bytes)); page=$(( (off + block - 1) / block * block ))
  if [ -e "$w/$at" ]; then
    if [ $page -gt $off ] && [ "$(part "$w/$at" $off $((page - off)) | tr -d '\\000' | wc -c)" != 0 ]; then echo "the rest of its page is not empty"; return; fi
    want=$(($1 - off + page))
    if [ $page -lt $bytes ]; then addresses "$w/$at" $page | while read -r address; do
      if [ $((0x$address)) -eq $want ]; then echo "a later page of $at was written"; break; fi
      want=$((want + block))
    done; fi
  fi
  later_than "$at" | while read -r later; do
    if [ $((0x0$(addresses "$w/$later" 0 16))) -eq $(start_of "$later") ]; then echo "$later was written"; break; fi
  done
}`;

/**
 * Prints a line "beyond …". Its variables: d, w, its WAL, `now` and `history`, the timeline of the primary and how that came to be, and `said`, what it has answered;
 * empty where it was not asked.
 */
export const beyondFunction = ({ owner }: { readonly owner: string }): string => `${endOfWal}
control() { printf '%s\n' "$data" | sed -n "s/^$1: *//p"; }
look_beyond() {
unsure() { echo "beyond unknown $1"; }
last=$(peek ls "$w" | grep -E '^[0-9A-F]{24}$' | cut -c1-8 | sort | tail -n 1)
if [ -z "$last" ]; then unsure 'it has no WAL'; return; fi
mine=$((0x$last))
data=$(peek "$PGBIN/pg_controldata" -D "$d") || { unsure 'its control file cannot be read'; return; }
bytes=$(control 'Bytes per WAL segment'); block=$(control 'WAL block size')
if [ -z "$bytes" ] || [ -z "$block" ]; then unsure 'its control file cannot be read'; return; fi
named=$(lsn "$(control 'Latest checkpoint location')")
if [ "$mine" = "$now" ]; then
  own=$(peek grep -E '^[0-9]+[[:space:]]' "$w/$last.history" 2>/dev/null)
  if [ "$own" != "$history" ] && [ "$now" != 1 ]; then unsure "its timeline $mine is not the one of the primary"; return; fi
  if [ ! -e "$d/standby.signal" ]; then unsure "it was primary on timeline $mine, as the primary is"; return; fi
  reached=$(lsn "$(control 'Minimum recovery ending location')"); there=$(echo "$said" | cut -d'|' -f3)
  if [ -n "$there" ] && { [ $reached -gt $(lsn "$there") ] || [ $named -gt $(lsn "$there") ]; }; then unsure "it ends after $there, where the primary is"; return; fi
  echo 'beyond none'; return
fi
fork=$(printf '%s\n' "$history" | awk -v t="$mine" '$1 == t { print $2 }')
if [ -z "$fork" ]; then unsure "its timeline $mine is no part of the primary's history"; return; fi
from=$(lsn "$fork"); segment=$(segment_at "$from")
if [ ! -e "$w/$segment" ]; then
  later=$(later_than "$segment")
  if [ -z "$later" ] && [ "$named" -lt "$from" ]; then echo 'beyond none'; else unsure "its WAL file $segment is gone"; fi
  return
fi
errors=$(mktemp) || { unsure 'no temporary file could be made'; return; }
exec 7<> "$errors"; rm -f "$errors"
commits=$(as ${quote(owner)} "$PGBIN/pg_waldump" -p "$w" -t "$mine" -s "$fork" -r Transaction 2>&7 7>&- | grep -cE 'desc: (COMMIT|PREPARE)')
errors=$(cat /dev/fd/7); exec 7>&-
if [ "$commits" -gt 0 ]; then echo "beyond commits $commits"; return; fi
end=$(ends_at "$errors")
if [ -z "$end" ]; then unsure "pg_waldump did not come to the end of its WAL: $(printf '%s' "$errors" | tail -n 1 | tail -c 200)"; return; fi
if [ "$named" -ge "$from" ] && [ "$end" -le "$named" ]; then unsure 'pg_waldump stopped before its last checkpoint'; return; fi
more=$(goes_on "$end")
if [ -n "$more" ]; then unsure "pg_waldump stopped where its WAL goes on: $more"; return; fi
echo 'beyond none'
}`;
