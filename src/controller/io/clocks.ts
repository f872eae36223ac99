/** The clocks of this host, as every event carries them. */
import { readFileSync } from 'node:fs';
import { uptime } from 'node:os';
import type { Clocks } from '../core/event.ts';

/**
 * The time since boot (CLOCK_BOOTTIME) goes on while the host is suspended; the monotonic clock of Node.js does not. The file has
 * hundredths of a second, where some versions of Node.js have whole ones only.
 */
function sinceBoot(): number {
  try {
    const seconds = Number.parseFloat(readFileSync('/proc/uptime', 'utf8'));
    if (Number.isFinite(seconds)) return seconds;
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error;
  }
  return uptime();
}

export const clocks = (): Clocks => ({
  at: Math.round(performance.now()),
  wall: Date.now(),
  sinceBoot: Math.round(sinceBoot() * 1000),
});
