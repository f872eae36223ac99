/**
 * Many scenarios on all cores, from a seed on. Every seed that fails is kept in a file at once, with its plan; an interruption
 * costs some seconds, and the same command goes on behind them. In: a bundle and a range. Out: the failures, and the sums.
 */
import { appendFileSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { describePlan } from './plan.ts';
import { type Range, runSeeds } from './pool.ts';
import { type Progress, ProgressFile } from './progress.ts';
import type { Found, Report } from './worker.ts';

export interface Wanted {
  readonly bundle: string;
  readonly range: Range;
  /** Where failures are kept, and where it is noted how far the run has come. */
  readonly failures: string;
  readonly folder: string;
  /** Batches that are under way when this becomes true are brought to their end. */
  readonly stopped: () => boolean;
}

export interface Outcome extends Progress {
  /** Those of this run; what an interrupted one has found stands in the file. */
  readonly reports: readonly Report[];
  readonly interrupted: boolean;
}

const nothing = { scenarios: 0, failed: 0, promotions: 0, acknowledged: 0, ms: 0 };

export async function runMany({ bundle, range, failures, folder, stopped }: Wanted): Promise<Outcome> {
  const file = new ProgressFile(folder, range, bundle);
  const begun = file.read() ?? { next: range.from, ...nothing };
  const reports: Report[] = [];
  const begin = performance.now();
  let progress: Progress = begun;
  const end = range.from + range.count;
  await runSeeds(bundle, { ...range, from: begun.next, count: end - begun.next }, (found) => {
    keep(failures, found.failed);
    reports.push(...found.failed);
    progress = further(progress, found, begun.ms + performance.now() - begin);
    file.write(progress);
    return !stopped();
  });
  const interrupted = progress.next < end;
  if (!interrupted) file.remove();
  return { ...progress, reports, interrupted };
}

const further = (before: Progress, found: Found, ms: number): Progress => ({
  next: found.from + found.seeds,
  scenarios: before.scenarios + found.scenarios,
  failed: before.failed + found.failed.length,
  promotions: before.promotions + found.promotions,
  acknowledged: before.acknowledged + found.acknowledged,
  ms,
});

/** One line of JSON for each, for programs; the plan outlives what its seed means. */
function keep(file: string, failed: readonly Report[]): void {
  if (failed.length === 0) return;
  mkdirSync(dirname(file), { recursive: true });
  for (const { plan, violations } of failed) {
    const line = { seed: plan.settings.seed, scenario: describePlan(plan), violations, plan };
    appendFileSync(file, `${JSON.stringify(line)}\n`);
  }
}
