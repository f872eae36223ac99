/** What `npm test` says at its end, and what it takes over into test/times.json and docs/lab.md. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';

interface FileResult {
  readonly file: string;
  readonly project: string;
  readonly seconds: number;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly failures: readonly string[];
}
interface Summary {
  readonly files: readonly FileResult[];
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly labSkipped: number;
}
interface Module {
  summaryOf(files: readonly FileResult[], run: object): Summary;
  tableOf(summary: Summary): string;
  closingLine(summary: Summary): string;
  failuresOf(summary: Summary): string[];
  mergedTimes(
    before: Record<string, number>,
    summary: Summary,
    exists: (file: string) => boolean,
  ): Record<string, number>;
  documentWithTimes(document: string, summary: Summary, cores: number): string;
}

// Node 20 runs the scripts without a step between, so they are JavaScript, and their types are told here.
const path = join(import.meta.dirname, '../scripts/test-summary.mjs');
const summaries = (await import(pathToFileURL(path).href)) as Module;

const fileOf = (file: string, seconds: number, counts: Partial<FileResult> = {}): FileResult => ({
  file,
  project: 'unit',
  seconds,
  passed: 0,
  failed: 0,
  skipped: 0,
  failures: [],
  ...counts,
});

const summary = summaries.summaryOf(
  [
    fileOf('short.test.ts', 1.26, { passed: 3, skipped: 1 }),
    fileOf('lab.test.ts', 61, {
      project: 'lab',
      passed: 2,
      failed: 1,
      skipped: 2,
      failures: ['a pair > stands: no host'],
    }),
  ],
  { seconds: 40, boots: 7, everything: true },
);

it('the table has the longest file first and ends with the whole', () => {
  expect(summaries.tableOf(summary).split('\n')).toEqual([
    'file           seconds  tests',
    'lab.test.ts       61.0      5',
    'short.test.ts      1.3      4',
    '9 tests in 2 files: 62 s of work in 40 s; lab hosts were booted 7 times',
  ]);
});

it('the closing line counts what passed, failed and was skipped, and names skipped tests only where there are some', () => {
  expect(summaries.closingLine(summary)).toBe('5 passed, 1 failed, 3 skipped');
  expect(summaries.closingLine({ ...summary, skipped: 0 })).toBe('5 passed, 1 failed');
  expect(summary.labSkipped).toBe(2);
});

it('what failed is told a line each', () => {
  expect(summaries.failuresOf(summary)).toEqual(['failed: lab.test.ts > a pair > stands: no host']);
});

it('times of this run replace older ones; a file that was not run keeps its time, a removed one does not', () => {
  const before = { 'short.test.ts': 9, 'other.test.ts': 5, 'removed.test.ts': 4 };
  expect(summaries.mergedTimes(before, summary, (file) => file !== 'removed.test.ts')).toEqual({
    'lab.test.ts': 61,
    'other.test.ts': 5,
    'short.test.ts': 1,
  });
});

it('the table of the document is between its marks, and the rest of the document stays', () => {
  const begin = '<!-- times: made by scripts/test-times.mjs, do not edit -->';
  const document = `before\n${begin}\nold\n<!-- end of times -->\nafter\n`;
  const made = summaries.documentWithTimes(document, summary, 2);
  expect(made.split('\n')).toEqual([
    'before',
    begin,
    '',
    '| File | Seconds | Tests |',
    '| --- | --- | --- |',
    '| `lab.test.ts` | 61 | 5 |',
    '| 1 others | 1 | 4 |',
    '',
    '9 tests in 2 files: 62 s of work in 40 s; lab hosts were booted 7 times, on 2 cores.',
    '',
    '<!-- end of times -->',
    'after',
    '',
  ]);
  expect(summaries.documentWithTimes(made, summary, 2)).toBe(made);
  expect(() => summaries.documentWithTimes('no marks', summary, 2)).toThrow('lacks the marks');
});
