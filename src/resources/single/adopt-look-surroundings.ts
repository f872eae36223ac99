/**
 * The surroundings of a single server: the unit that started it or the command line, and where its standard error goes. In: the
 * shell functions of the probe in adopt-observation.ts. Out: its part of that probe, and what the answer means. Pure.
 */

import { fromBase64, type ReplyLines, textsOf } from '../contract/replies.ts';
import { formerShell, readFormer, type SeenFormer } from './adopt-look-former.ts';

export interface SeenSurroundings extends SeenFormer {
  /** The systemd unit whose main process the postmaster is. */
  readonly unit: { readonly name: string; readonly enabled: string } | undefined;
  /** The directory of a cluster that Debian's init script starts at boot; only where there is no systemd. */
  readonly atBoot: string | undefined;
  /** The command line behind the program's name. */
  readonly options: string;
  /** The file that its standard error goes to. */
  readonly log: string | undefined;
  /** What its program says of itself: "postgres (PostgreSQL) 15.4 (Debian 15.4-1)". */
  readonly build: string;
  /** The directory that it was started from, if that is not where its programs are looked for. */
  readonly elsewhere: string | undefined;
  /** Programs of others that switch servers and look after this one. */
  readonly watchers: readonly Watcher[];
}

export const watchers = ['repmgrd', 'patroni', 'pg_autoctl'] as const;
export type Watcher = (typeof watchers)[number];

/**
 * Each is told by its process and by what it leaves at the server that it looks after: several of them may run on one host, for several servers.
 * pg_autoctl is a parent of the postmaster. repmgrd needs its library, which the server says.
 */
const watcherShell = `runs() { pgrep -u "$(stat -c %u "/proc/$pid")" -x "$1" >/dev/null || pgrep -u "$(stat -c %u "/proc/$pid")" -f "(^|/)$1( |$)" >/dev/null; }
if runs repmgrd; then echo 'watcher repmgrd'; fi
if [ -e "$d/patroni.dynamic.json" ] && runs patroni; then echo 'watcher patroni'; fi
up=$(sed -n 's/^PPid:[[:space:]]*//p' "/proc/$pid/status")
if [ "$(cat "/proc/$up/comm" 2>/dev/null)" = pg_autoctl ]; then echo 'watcher pg_autoctl'; fi`;

/** Needs `$d`, `$pid`, `told` and `peek`; the server runs. */
export const surroundingsShell = `if [ -f "$d/postmaster.opts" ]; then echo "options $(peek sed '1s/^[^ ]* *//' "$d/postmaster.opts" | b64)"; fi
log=$(readlink "/proc/$pid/fd/2")
if [ -f "$log" ]; then told log "$log"; fi
told build "$(peek "/proc/$pid/exe" --version 2>/dev/null)"
exe=$(readlink "/proc/$pid/exe")
exe=\${exe% (deleted)}
if [ -n "$exe" ] && ! [ "\${exe%/*}" -ef "$PGBIN" ]; then told elsewhere "\${exe%/*}"; fi
unit=$(sed -n 's|.*/\\([^/]*\\.service\\)$|\\1|p' "/proc/$pid/cgroup" | tail -n 1)
if [ -n "$unit" ] && [ "$(systemctl show -p MainPID --value -- "$unit" 2>/dev/null)" = "$pid" ]; then
  printf 'unit %s\\n' "$unit $(systemctl is-enabled -- "$unit" 2>/dev/null | head -n 1)"
else unit=
fi
if [ ! -d /run/systemd/system ] && [ -x /etc/init.d/postgresql ]; then
  c=$(peek sed -n 's|.*config_file=\\(/etc/postgresql/[^/ "]*/[^/ "]*\\)/postgresql\\.conf.*|\\1|p' "$d/postmaster.opts")
  if [ -n "$c" ] && ! grep -qsE '^[[:space:]]*(manual|disabled)' "$c/start.conf"; then told atboot "$c"; fi
fi
${watcherShell}
${formerShell}`;

export function readSurroundings(lines: ReplyLines): SeenSurroundings {
  const [name, enabled] = (lines.first('unit') ?? '').trim().split(' ');
  return {
    unit: name ? { name, enabled: enabled ?? 'unknown' } : undefined,
    atBoot: textsOf(lines, 'atboot')[0],
    options: fromBase64(lines.first('options') ?? '').trim(),
    log: textsOf(lines, 'log')[0],
    build: textsOf(lines, 'build')[0] ?? '',
    elsewhere: textsOf(lines, 'elsewhere')[0],
    watchers: watchers.filter((name) => lines.all('watcher').some((line) => line.trim() === name)),
    ...readFormer(lines, name !== undefined && name !== ''),
  };
}
