/**
 * Gives one host a wrong clock. The kernel has one real-time clock for all hosts of a machine, and
 * time namespaces move only the monotonic clocks, so the shift is made by libfaketime, which the
 * host's dynamic loader puts into every program that starts from then on.
 * In: the host's root directory, the offset in seconds. Out: files in the host.
 * It must never move the machine's own clock.
 */
import { copyFileSync, existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const LIBRARY = '/usr/local/lib/libfaketime.so.1';

/**
 * Timeouts stay true because the monotonic clocks are left alone. A program that is already under
 * the library asks for the offset again after one second.
 */
export const CLOCK_ENVIRONMENT: readonly string[] = [
  'FAKETIME_DONT_FAKE_MONOTONIC=1',
  'FAKETIME_CACHE_DURATION=1',
];

export function shiftClock(root: string, library: string, offsetSeconds: number): void {
  if (!Number.isInteger(offsetSeconds)) throw new Error('the offset is a whole number of seconds');
  const sign = offsetSeconds < 0 ? '' : '+';
  writeFileSync(join(root, 'etc/faketimerc'), `${sign}${offsetSeconds}\n`);
  if (existsSync(join(root, LIBRARY))) return;
  copyFileSync(library, join(root, LIBRARY));
  // Sessions over ssh take their environment from this file.
  writeFileSync(join(root, 'etc/environment'), `${CLOCK_ENVIRONMENT.join('\n')}\n`);
  writeFileSync(join(root, 'etc/ld.so.preload'), `${LIBRARY}\n`);
}

/** Before a start: systemd itself does not run well under the library, so a reboot ends the shift. */
export function resetClock(root: string): void {
  if (!existsSync(join(root, LIBRARY))) return;
  for (const path of ['etc/ld.so.preload', 'etc/environment', 'etc/faketimerc', LIBRARY]) {
    rmSync(join(root, path), { force: true });
  }
}
