/** How a running server gets from one control group into another. Pure text. */
import { quote } from '../../base/shell.ts';

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
