/**
 * What systemd is told: ready, still alive, stopping. Node cannot send on a datagram socket of the Unix kind, so the
 * small program systemd-notify does it; the unit has NotifyAccess=all for that. Without NOTIFY_SOCKET nothing happens.
 */
import { startProgram } from './processes.ts';

function notify(...words: string[]): void {
  if (process.env.NOTIFY_SOCKET === undefined) return;
  startProgram('systemd-notify', words, { stdio: 'ignore' }, (error) =>
    process.stderr.write(`<4>systemd-notify cannot be run: ${error.message}\n`),
  );
}

export const notifyReady = (text: string): void => notify('--ready', `--status=${text}`);

/** Says "alive" from the main loop at a third of the watchdog's time, so that a hung loop is restarted. */
export function startWatchdog(): void {
  const limitUs = Number(process.env.WATCHDOG_USEC ?? 0);
  if (limitUs > 0) setInterval(() => notify('WATCHDOG=1'), limitUs / 3000).unref();
}
