/** How a running server gets from one control group into another; which one stands for a controller's unit. Pure text. */
import { quote } from '../../base/shell.ts';

const scopeOf = (unit: string): string => `${unit}-pgduet.scope`;

/** Shell: whether the process in `$pid` belongs to this unit, or to the scope that stands for it. */
export const isOfUnit = (unit: string): string =>
  `{ [ -n "$pid" ] && grep -q -e ${quote(`/${unit}.service$`)} -e ${quote(`/${scopeOf(unit)}$`)} "/proc/$pid/cgroup"; }`;

/**
 * Shell: the running server moves to where the controller's unit is in charge of it. One that its former unit has told where to report
 * (NOTIFY_SOCKET, Type=notify) says at its end that it is stopping, and systemd would take that for the word of the controller's unit, which
 * would be `deactivating` from then on, and killed 15 minutes later. Such a server gets a scope of its own, whose words nobody hears. It ends
 * with the server, and is stopped behind the unit when the host goes down. The next instance is the controller's own child.
 */
export const moveUnder = (
  unit: string,
  server: { readonly dataDir: string; readonly owner: string },
): string =>
  `postmaster ${quote(server.dataDir)} || :
holder=
if [ -n "$pid" ] && tr '\\0' '\\n' <"/proc/$pid/environ" 2>/dev/null | grep -q '^NOTIFY_SOCKET='; then
  systemd-run --quiet --collect --scope --slice=system.slice --unit=${quote(scopeOf(unit))} --property=${quote(`Before=${unit}.service`)} -- sleep 60 </dev/null >/dev/null 2>&1 & holder=$!
  n=0; group=
  until [ -n "$group" ] || [ $n -gt 100 ]; do sleep 0.05; n=$((n + 1)); group=$(systemctl show -p ControlGroup --value ${quote(scopeOf(unit))}); done
else group=$(systemctl show -p ControlGroup --value ${quote(unit)}); fi
${moveInto(server)}
if [ -n "$holder" ]; then kill "$holder" 2>/dev/null || :; fi`;

/**
 * Shell: the processes of the server move into the control group in `group`; nothing where that is empty. The file that names the
 * postmaster belongs to the instance administrator: what does not run as that user stays where it is. Those that the postmaster
 * starts meanwhile come with a second round.
 */
export const moveInto = ({ dataDir, owner }: { readonly dataDir: string; readonly owner: string }): string =>
  `move() { for p in "$@"; do if [ "$(stat -c %U "/proc/$p" 2>/dev/null)" = ${quote(owner)} ]; then echo "$p" > "/sys/fs/cgroup$group/cgroup.procs" 2>/dev/null || :; fi; done; }
if [ -n "$group" ] && [ -w "/sys/fs/cgroup$group/cgroup.procs" ] && postmaster ${quote(dataDir)}; then
  move "$pid" $(pgrep -P "$pid")
  move $(pgrep -P "$pid")
fi`;
