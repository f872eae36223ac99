/** Run events as plain lines with times: for logs, pipes and --verbose. Goes to stderr; data goes to stdout elsewhere. */
import type { RunEvent } from '../apply/event.ts';
import { formatBytes, formatDuration } from '../base/units.ts';
import type { Progress } from '../resources/contract/kind.ts';
import { shownScript } from './script.ts';
import { shown } from './shown.ts';

export interface PlainOptions {
  readonly verbose: boolean;
  /** Milliseconds since the run began. */
  elapsed(): number;
  write(line: string): void;
}

/** One progress line per this many milliseconds and step is enough in a log. */
const progressEveryMs = 2000;

const isEnd = (progress: Progress): boolean =>
  'doneBytes' in progress && progress.doneBytes >= progress.totalBytes;

const amount = (progress: Progress): string =>
  'doneBytes' in progress
    ? `${formatBytes(progress.doneBytes)} of ${formatBytes(progress.totalBytes)}`
    : progress.meanwhile;

export function plainReport(options: PlainOptions): (event: RunEvent) => void {
  let lastProgress = Number.NEGATIVE_INFINITY;
  const say = (host: string, text: string): void =>
    options.write(`${(options.elapsed() / 1000).toFixed(2).padStart(7)} s  ${shown(host)}: ${shown(text)}`);
  return (event) => {
    switch (event.kind) {
      case 'opening':
        if (options.verbose) say(event.host, `connecting to ${event.address}`);
        return;
      case 'opened':
        if (options.verbose) say(event.host, `connected in ${formatDuration(event.ms)}`);
        return;
      case 'locked':
        if (options.verbose && event.reply.held) say(event.host, 'holds the lock');
        return;
      case 'observed':
        if (options.verbose)
          say(event.host, `looked at ${event.probes} things in ${formatDuration(event.ms)}`);
        return;
      case 'step':
        if (event.state !== 'started')
          say(
            event.host,
            `${event.title} ${event.state === 'done' ? `(${formatDuration(event.ms)})` : 'FAILED'}`,
          );
        else if (options.verbose) say(event.host, `${event.title} …`);
        return;
      case 'progress':
        if (options.elapsed() - lastProgress < progressEveryMs && !isEnd(event.progress)) return;
        lastProgress = options.elapsed();
        say(event.host, `${event.title}: ${amount(event.progress)}`);
        return;
      case 'script':
        if (options.verbose) options.write(shownScript(event.script));
        return;
      case 'verified':
        options.write(`${event.changes} changes made and proven in ${formatDuration(event.ms)}`);
        return;
      case 'batch':
      case 'planned':
        return;
    }
  };
}
