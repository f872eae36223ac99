/**
 * Runs the disk helper beside the controller and passes its reports on. In: data directory and times. Out: reports.
 * A helper that ends is started again; one that says nothing at all is a failure of the data directory.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import type { ServerConf } from '../config.ts';
import type { DiskReport } from './disk-helper.ts';
import { timerMs } from './timer.ts';

export class DiskWatch {
  readonly #conf: ServerConf;
  readonly #onReport: (report: DiskReport) => void;
  readonly #bundle: string;
  #child: ChildProcess | null = null;
  #closed = false;
  #watch: NodeJS.Timeout | null = null;

  constructor(bundle: string, conf: ServerConf, onReport: (report: DiskReport) => void) {
    this.#bundle = bundle;
    this.#conf = conf;
    this.#onReport = onReport;
    // The start of the instance goes first: nobody waits for the first check.
    this.#watch = setTimeout(() => this.#start(), timerMs(conf.diskCheckIntervalMs));
  }

  #start(): void {
    const { dbInstance, diskCheckIntervalMs, diskCheckTimeoutMs } = this.#conf;
    const times = [String(diskCheckIntervalMs), String(diskCheckTimeoutMs)];
    const child = spawn(
      process.execPath,
      ['--max-old-space-size=32', this.#bundle, 'disk-helper', dbInstance, ...times],
      // Every directory whose check hangs holds one thread; the others must still find one.
      { stdio: ['pipe', 'pipe', 'inherit'], env: { ...process.env, UV_THREADPOOL_SIZE: '16' } },
    );
    this.#child = child;
    let rest = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) this.#heard(line);
    });
    child.on('error', (error) => this.#failed(`the disk helper cannot be started: ${error.message}`));
    child.on('exit', () => {
      if (!this.#closed) setTimeout(() => this.#closed || this.#start(), 1000).unref();
    });
    child.stdin?.on('error', () => child.kill('SIGKILL'));
    this.#expect();
  }

  #heard(line: string): void {
    this.#expect();
    this.#onReport(JSON.parse(line) as DiskReport);
  }

  #failed(error: string): void {
    this.#onReport({ part: 'data', ok: false, freeBytes: null, error });
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
    this.#child?.kill('SIGTERM');
    this.#child?.unref();
  }
}
