/**
 * The steps of a batch while they run. In: lines of stderr, with the marks that the batch's script writes. Out: events, and
 * what has become of the steps so far.
 */
import { outdated } from '../resources/contract/kind.ts';
import { type NumberedStep, readMark } from './batch-script.ts';
import type { Emit } from './event.ts';

interface Watched {
  running?: NumberedStep | undefined;
  failed?: { readonly step: NumberedStep; readonly status: number };
  /** It found that what it builds on has changed; nothing behind it was done. */
  putOff?: NumberedStep;
  /** How many steps have ended. */
  finished: number;
}

export interface StepWatch {
  readonly seen: Readonly<Watched>;
  onLine(line: string): void;
}

/** What a watch needs of the world. */
interface WatchPorts {
  readonly emit: Emit;
  now(): number;
}

export function watchSteps(
  ports: WatchPorts,
  host: string,
  steps: readonly NumberedStep[],
  nonce: string,
): StepWatch {
  const seen: Watched = { finished: 0 };
  let began = ports.now();
  const tell = (title: string, state: 'started' | 'done' | 'failed'): void =>
    ports.emit({ kind: 'step', host, title, state, ms: ports.now() - began });
  const begin = (step: NumberedStep): void => {
    seen.running = step;
    began = ports.now();
    tell(step.title, 'started');
  };
  const end = (step: NumberedStep, status: number): void => {
    seen.running = undefined;
    seen.finished += 1;
    if (status === outdated && step.outdated !== undefined) {
      seen.putOff = step;
      tell(`${step.title}: put off, ${step.outdated}`, 'done');
    } else {
      if (status !== 0) seen.failed = { step, status };
      tell(step.title, status === 0 ? 'done' : 'failed');
    }
  };
  const onOutput = (line: string): void => {
    const { running } = seen;
    const progress = running?.progress?.(line);
    if (running && progress) ports.emit({ kind: 'progress', host, title: running.title, progress });
  };
  const onLine = (line: string): void => {
    const mark = readMark(line, nonce);
    const step = mark && steps[mark.number];
    if (!mark || !step) onOutput(line);
    else if (mark.state === 'begin') begin(step);
    else end(step, mark.status);
  };
  return { seen, onLine };
}
