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
  /** One line for each test that failed: its name and how its error begins. */
  readonly failures: readonly string[];
}

const root = join(import.meta.dirname, '..');

const firstLine = (text: string): string => text.split('\n', 1)[0] ?? '';

/** A file can fail outside of its tests: in a hook, or while it is loaded. */
function failuresOf(module: TestModule): string[] {
  const suites = [...module.children.allSuites()];
  const outside = [module, ...suites].flatMap((one) => one.errors());
  const tests = [...module.children.allTests('failed')].map((test) => {
    const [error] = test.result().errors ?? [];
    return `${test.fullName}: ${firstLine(error?.message ?? 'no error was told')}`;
  });
  return [...outside.map(({ message }) => `outside of its tests: ${firstLine(message)}`), ...tests];
}

function resultOf(module: TestModule): FileResult {
  const states = [...module.children.allTests()].map((test) => test.result().state);
  const count = (state: string): number => states.filter((one) => one === state).length;
  const { duration, collectDuration, setupDuration, prepareDuration } = module.diagnostic();
  const brokenOutside = module.state() === 'failed' && count('failed') === 0 ? 1 : 0;
  return {
    file: relative(root, module.moduleId),
    project: module.project.name,
    seconds: (duration + collectDuration + setupDuration + prepareDuration) / 1000,
    passed: count('passed'),
    failed: count('failed') + brokenOutside,
    skipped: count('skipped') + count('pending'),
    failures: failuresOf(module),
  };
}

export default class TimesReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const path = process.env.PGDUET_TEST_TIMES;
    if (path === undefined) throw new Error('PGDUET_TEST_TIMES names no file for the times');
    writeFileSync(path, JSON.stringify(modules.map(resultOf)));
  }
}
