/**
 * Runs the disk helper beside the controller and passes its reports on. In: data directory and times. Out: reports.
 * A helper that ends is started again; one that says nothing at all is a failure of the data directory. One that cannot be started, for
 * want of memory or of processes, says nothing about any disk.
 */
import type { ChildProcess } from 'node:child_process';
import type { ServerConf } from '../config.ts';
import type { DiskReport } from './disk-helper.ts';
import { sendSignal, startProgram } from './processes.ts';
import { timerMs } from './timer.ts';

export interface DiskEvents {
  report(report: DiskReport): void;
  /** Why nobody watches the disks; null when they are watched again. */
  unwatched(why: string | null): void;
}

const againAfterMs = 1000;

export class DiskWatch {
  readonly #conf: ServerConf;
  readonly #events: DiskEvents;
  readonly #bundle: string;
  #child: ChildProcess | null = null;
  #closed = false;
  #watch: NodeJS.Timeout | null = null;
  #isUnwatched = false;

  constructor(bundle: string, conf: ServerConf, events: DiskEvents) {
    this.#bundle = bundle;
    this.#conf = conf;
    this.#events = events;
    // The start of the instance goes first: nobody waits for the first check.
    this.#watch = setTimeout(() => this.#start(), timerMs(conf.diskCheckIntervalMs));
  }

  #start(): void {
    const { dbInstance, diskCheckIntervalMs, diskCheckTimeoutMs } = this.#conf;
    const times = [String(diskCheckIntervalMs), String(diskCheckTimeoutMs)];
    const child = startProgram(
      process.execPath,
      ['--max-old-space-size=32', this.#bundle, 'disk-helper', dbInstance, ...times],
      // Every directory whose check hangs holds one thread; the others must still find one.
      { stdio: ['pipe', 'pipe', 'inherit'], env: { ...process.env, UV_THREADPOOL_SIZE: '16' } },
      (error) => this.#notStarted(error),
    );
    this.#child = child ?? null;
    let rest = '';
    child?.stdout?.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) this.#heard(line);
    });
    child?.on('exit', () => this.#again());
    child?.stdin?.on('error', () => child.pid !== undefined && sendSignal(child.pid, 'SIGKILL'));
    this.#expect();
  }

  #notStarted({ message }: Error): void {
    if (this.#closed) return;
    if (this.#watch) clearTimeout(this.#watch);
    if (!this.#isUnwatched) this.#events.unwatched(message);
    this.#isUnwatched = true;
    this.#again();
  }

  #again(): void {
    if (!this.#closed) setTimeout(() => this.#closed || this.#start(), againAfterMs).unref();
  }

  #heard(line: string): void {
    this.#expect();
    if (this.#isUnwatched) this.#events.unwatched(null);
    this.#isUnwatched = false;
    this.#events.report(JSON.parse(line) as DiskReport);
  }

  #failed(error: string): void {
    this.#events.report({ part: 'data', ok: false, freeBytes: null, error });
  }

  /** Silence for longer than a hung check could explain means that the helper itself is stuck. */
  #expect(): void {
    if (this.#watch) clearTimeout(this.#watch);
    const { diskCheckIntervalMs, diskCheckTimeoutMs } = this.#conf;
    this.#watch = setTimeout(
      () => {
        this.#failed('the disk helper does not answer');
        this.#expect();
      },
      timerMs(diskCheckTimeoutMs + 3 * diskCheckIntervalMs + 2000),
    );
    this.#watch.unref();
  }

  /** Ends the helper; one that hangs with its disk is left behind, it does no harm. */
  close(): void {
    this.#closed = true;
    if (this.#watch) clearTimeout(this.#watch);
    this.#child?.stdin?.end();
    if (this.#child?.pid !== undefined) sendSignal(this.#child.pid, 'SIGTERM');
    this.#child?.unref();
  }
}
