/** Run events as a live tree on a terminal: a branch per host, the step at work, bytes of a base backup moving. The one home of listr2. */
import {
  type DefaultRenderer,
  Listr,
  ListrLogger,
  type ListrTaskWrapper,
  ProcessOutput,
  type SimpleRenderer,
} from 'listr2';
import type { RunEvent } from '../apply/event.ts';
import { formatBytes, formatDuration } from '../base/units.ts';
import { shown } from './shown.ts';

export interface LiveTree {
  emit(event: RunEvent): void;
  /** Takes the tree to its end; the branches stand as they are. */
  finish(failed: boolean): Promise<void>;
}

type Task = ListrTaskWrapper<unknown, typeof DefaultRenderer, typeof SimpleRenderer>;

interface Branch {
  readonly host: string;
  task?: Task;
  steps: number;
  readonly end: Promise<void>;
  readonly done: () => void;
  readonly fail: (error: Error) => void;
}

const barWidth = 24;

const stderrLogger = (): ListrLogger =>
  new ListrLogger({ processOutput: new ProcessOutput(process.stderr, process.stderr) });

function bar(done: number, total: number): string {
  const filled = total > 0 ? Math.min(barWidth, Math.round((done / total) * barWidth)) : 0;
  return `${'█'.repeat(filled)}${'░'.repeat(barWidth - filled)} ${formatBytes(done)} of ${formatBytes(total)}`;
}

function makeBranch(host: string): Branch {
  let done = (): void => undefined;
  let fail = (_error: Error): void => undefined;
  const end = new Promise<void>((resolve, reject) => {
    done = resolve;
    fail = reject;
  });
  return { host, steps: 0, end, done, fail };
}

export function liveTree(hosts: readonly string[]): LiveTree {
  const branches = new Map(hosts.map((host) => [host, makeBranch(host)]));
  let running: Promise<unknown> | undefined;
  const failedHosts = new Set<string>();
  const start = (): void => {
    running ??= new Listr(
      [...branches.values()].map((branch) => ({
        title: shown(branch.host),
        task: (_context: unknown, task: Task) => {
          branch.task = task;
          return branch.end;
        },
      })),
      {
        concurrent: true,
        exitOnError: false,
        registerSignalListeners: false,
        renderer: 'default',
        // Progress goes to stderr, as everything that is not data.
        rendererOptions: { collapseErrors: false, logger: stderrLogger() },
      },
    ).run();
  };
  const show = (host: string, text: string): void => {
    const task = branches.get(host)?.task;
    if (task) task.output = shown(text);
  };
  return {
    emit(event) {
      if (event.kind === 'batch') start();
      if (event.kind === 'progress')
        show(
          event.host,
          'doneBytes' in event.progress
            ? `${event.title}  ${bar(event.progress.doneBytes, event.progress.totalBytes)}`
            : `${event.title}: ${event.progress.meanwhile}`,
        );
      if (event.kind !== 'step') return;
      const branch = branches.get(event.host);
      if (event.state === 'failed') failedHosts.add(event.host);
      if (event.state === 'started') show(event.host, event.title);
      if (event.state === 'done' && branch) {
        branch.steps += 1;
        if (branch.task)
          branch.task.title = shown(
            `${event.host}  ${branch.steps} steps done, last: ${event.title} (${formatDuration(event.ms)})`,
          );
      }
    },
    async finish(failed) {
      for (const branch of branches.values()) {
        if (failed && failedHosts.has(branch.host)) branch.fail(new Error('failed'));
        else branch.done();
      }
      await running?.catch(() => undefined);
    },
  };
}
