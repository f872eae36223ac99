/** Shell that waits a little while the controllers are just coming together, before one of them stops. Pure text. */
import { quote } from '../../base/shell.ts';

const settledSeconds = 15;

/**
 * For example behind a reboot. A standby that stops before the primary has taken it in leaves a primary that would wait for its word at the
 * next start. The process of the controller is in mc.
 */
export const untilSettled = ({
  managementDir,
  id,
  dataDir,
}: {
  readonly managementDir: string;
  readonly id: string;
  readonly dataDir: string;
}): string => `shown=${quote(`${managementDir}/${id}.status.json`)}
n=0
while [ -n "$mc" ] && [ -f ${quote(`${dataDir}/standby.signal`)} ] && [ $n -lt ${settledSeconds * 10} ] && ! { [ -f "$shown" ] && contents "$shown" | grep -qE '"mirroring_status":"(switchable|failover-disabled)"| is in maintenance '; }; do n=$((n + 1)); sleep 0.1; done`;
