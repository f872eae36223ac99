/**
 * Whether a switch is possible, as a controller shows it in the file that it keeps: renewed at every heartbeat, and at once
 * when the mirroring status changes. Reading it starts no program. Pure text.
 */
import { quote } from '../../base/shell.ts';

/** Automatic switching may have been turned off on purpose; the pair is whole all the same. */
const whole: readonly string[] = ['switchable', 'failover-disabled'];

export const isWhole = (status: string): boolean => whole.includes(status);

/** Shell: `whole PROCESS` succeeds where the controller with this process shows that a switch is possible. */
export const wholeFunction = (place: { readonly managementDir: string; readonly id: string }): string =>
  `shown=${quote(`${place.managementDir}/${place.id}.status.json`)}
whole() {
  [ -f "$shown" ] && content "$shown" || return 1
  case $content in *'"controller_pid":'"$1,"*) ;; *) return 1;; esac
  case $content in ${whole.map((status) => `*'"mirroring_status":"${status}"'*`).join(' | ')}) ;; *) return 1;; esac
}`;
