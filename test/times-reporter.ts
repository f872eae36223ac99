/**
 * A reporter of the test runner: how long each file took and what came of its tests. In: the modules of a run. Out: a JSON
 * array in the file that PGDUET_TEST_TIMES names. The seconds are those of a worker: imports, hooks and tests.
 */
import { writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { Reporter, TestModule } from 'vitest/node';

/** scripts/test-summary.mjs reads it. */
interface FileResult {
  readonly file: string;
  readonly project: string;
  readonly seconds: number;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

const root = join(import.meta.dirname, '..');

function resultOf(module: TestModule): FileResult {
  const states = [...module.children.allTests()].map((test) => test.result().state);
  const count = (state: string): number => states.filter((one) => one === state).length;
  const { duration, collectDuration, setupDuration, prepareDuration } = module.diagnostic();
  // A file can fail outside of its tests: in a hook, or while it is loaded.
  const brokenOutside = module.state() === 'failed' && count('failed') === 0 ? 1 : 0;
  return {
    file: relative(root, module.moduleId),
    project: module.project.name,
    seconds: (duration + collectDuration + setupDuration + prepareDuration) / 1000,
    passed: count('passed'),
    failed: count('failed') + brokenOutside,
    skipped: count('skipped') + count('pending'),
  };
}

export default class TimesReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const path = process.env.PGDUET_TEST_TIMES;
    if (path === undefined) throw new Error('PGDUET_TEST_TIMES names no file for the times');
    writeFileSync(path, JSON.stringify(modules.map(resultOf)));
  }
}
