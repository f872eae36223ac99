/**
 * Whether the record that stands in a management directory is that of the controller which runs, where no pid file names this one. In: where it is. Out:
 * shell, and the way on. It must never take another record for its own. Pure.
 */
import { quote } from '../../base/shell.ts';

interface Place {
  readonly managementDir: string;
  /** The server identifier. */
  readonly id: string;
}

/**
 * Shell, with the process of a controller in stray: since when it runs, in seconds since 1970, into since; empty where nobody says. The unit is that
 * of systemd which runs it.
 */
export const runsSince = (unit: string | undefined): string =>
  unit
    ? `since=$(TZ=UTC systemctl show -p ExecMainStartTimestamp --value ${quote(`${unit}.service`)}) && [ -n "$since" ] && since=$(TZ=UTC date -d "$since" +%s) || since=`
    : `started() { shift 19; since=$(($(date +%s) - \${up%%.*} + $1 / $(getconf CLK_TCK))); }
if lines "/proc/$stray/stat" ticks && lines /proc/uptime up; then started \${ticks##*) }; else since=; fi`;

export const recordFile = ({ managementDir, id }: Place): string => `${managementDir}/${id}.state.json`;

/**
 * Shell condition, behind runsSince: a record stands there that is not known to be that of the controller that runs. It is older and came there later, as
 * from a backup; or this controller has written nothing there, where it shows its status at every heartbeat: another file system was mounted over it.
 */
export const foreignRecord = (place: Place): string => {
  const record = quote(recordFile(place));
  const shown = quote(`${place.managementDir}/${place.id}.status.json`);
  return `{ [ -e ${record} ] && { [ -z "$since" ] || ! times=$(stat -c '%Y %Z' ${record}) || { [ "\${times% *}" -lt "$since" ] &&
  { [ "\${times#* }" -gt "$since" ] || ! shown=$(stat -c %Y ${shown} 2>/dev/null) || [ "$shown" -lt "$since" ]; }; }; }; }`;
};

/** What is done about such a record: nothing of it is believed. */
export const foreignWay = (place: Place): string =>
  `If a file system was mounted over ${place.managementDir}, unmount it. Else, as the instance administrator: mv ${quote(recordFile(place))} ${quote(`${recordFile(place)}.torn`)}. Then run the same command again.`;
