/** The order of test files by the times that were measured. */
import { expect, it } from 'vitest';
import { longestFirst } from './longest-first.ts';

it('the longest file comes first, files without a time before all others, each of them by name', () => {
  const times = { 'a.test.ts': 2, 'b.test.ts': 30, 'c.test.ts': 2 };
  const files = ['c.test.ts', 'a.test.ts', 'new.test.ts', 'b.test.ts', 'also-new.test.ts'];
  expect(longestFirst(files, times)).toEqual([
    'also-new.test.ts',
    'new.test.ts',
    'b.test.ts',
    'a.test.ts',
    'c.test.ts',
  ]);
});
