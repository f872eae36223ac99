/** How values are said in findings. */
import { expect, it } from 'vitest';
import { durationWords, settingWords, sizeWords } from '../../../src/check/audits/words.ts';

it.each([
  ['16384', '8kB', '128 MB'],
  ['4096', 'kB', '4 MB'],
  ['80', 'MB', '80 MB'],
  ['60000', 'ms', '1 min'],
  ['5400', 'ms', '5.4 s'],
  ['500', 'ms', '500 ms'],
  ['90', 's', '90 s'],
  ['1440', 'min', '1 d'],
  ['0', 'ms', '0'],
  ['-1', 'kB', '-1'],
  ['on', null, 'on'],
  ['100', null, '100'],
  ['', null, 'empty'],
])('%s in %s is %s', (value, unit, words) => {
  expect(settingWords('x', value, unit)).toBe(words);
});

it('sizes and durations are short', () => {
  expect([sizeWords(1536), sizeWords(16 * 1024 ** 2), sizeWords(0)]).toEqual(['1.5 kB', '16 MB', '0 B']);
  expect([durationWords(3_600_000), durationWords(1_500), durationWords(2)]).toEqual([
    '1 h',
    '1.5 s',
    '2 ms',
  ]);
});
