/** Units, nearest words, shell quoting, the table of codes: the words that everyone uses. */
import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { codes } from '../../src/base/codes.ts';
import { exitCode } from '../../src/base/exit-codes.ts';
import { nearest } from '../../src/base/nearest.ts';
import { quote, sh } from '../../src/base/shell.ts';
import { formatBytes, formatDuration, parseDurationMs, parseSizeBytes } from '../../src/base/units.ts';

describe('units', () => {
  it.each([
    ['800ms', 800],
    ['1s', 1000],
    ['1.5 s', 1500],
    ['500us', 0.5],
    ['2min', 120_000],
    ['1h', 3_600_000],
    ['1d', 86_400_000],
    ['0s', 0],
  ])('reads the time %s', (text, ms) => {
    expect(parseDurationMs(text)).toBe(ms);
  });

  it.each(['', '5', 's', '-1s', '1 m', '1S', '1s2', 'one s', '1,5s'])(
    'does not take %j for a time',
    (text) => {
      expect(parseDurationMs(text)).toBeUndefined();
    },
  );

  it.each([
    ['256MB', 268_435_456],
    ['1kB', 1024],
    ['3 GB', 3_221_225_472],
    ['1TB', 1_099_511_627_776],
    ['7B', 7],
  ])('reads the size %s', (text, bytes) => {
    expect(parseSizeBytes(text)).toBe(bytes);
  });

  it.each(['1mb', '1KB', '1G', '10', 'toString'])('does not take %j for a size', (text) => {
    expect(parseSizeBytes(text)).toBeUndefined();
  });

  it.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [1536, '1.5 kB'],
    [104_857_600, '100 MB'],
    [5 * 1024 ** 4, '5.0 TB'],
    [2048 * 1024 ** 4, '2048 TB'],
  ])('shows %i bytes', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });

  it.each([
    [0, '0.0 s'],
    [940, '0.9 s'],
    [59_949, '59.9 s'],
    [59_950, '1 min 0 s'],
    [75_000, '1 min 15 s'],
    [3_599_900, '60 min 0 s'],
  ])('shows %i milliseconds', (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });
});

describe('nearest', () => {
  const known = ['primary', 'standbys', 'all'];
  it.each([
    ['primry', 'primary'],
    ['PRIMARY', 'primary'],
    ['standby', 'standbys'],
    ['al', 'all'],
    ['zebra', undefined],
    ['', undefined],
  ])('finds for %j %j', (word, found) => {
    expect(nearest(word, known)).toBe(found);
  });

  it('finds nothing where nothing is known', () => {
    expect(nearest('a', [])).toBeUndefined();
  });
});

describe('shell quoting', () => {
  const words = fc.array(
    fc.string({ unit: 'binary' }).filter((one) => !one.includes('\0')),
    {
      minLength: 1,
      maxLength: 40,
    },
  );
  const echoed = (script: string): string[] =>
    execFileSync('/bin/sh', [], { input: script, encoding: 'utf8' }).split('\0').slice(0, -1);

  it('gives a real shell back exactly what was put in', () => {
    fc.assert(
      fc.property(words, (given) => {
        expect(echoed(`printf '%s\\0' ${given.map(quote).join(' ')}`)).toEqual(given);
      }),
      { numRuns: 40 },
    );
  });

  it('makes several words of a list and one of anything else', () => {
    const list = ['', 'a b', '$(id)', "it's", '-n', '*', '~', '\n', '\\'];
    expect(echoed(sh`printf '%s\\0' ${list} ${'x y'} ${5}`)).toEqual([...list, 'x y', '5']);
  });

  it('keeps plain words readable and refuses what no shell can hold', () => {
    expect(quote('/database/inst1')).toBe('/database/inst1');
    expect(() => quote('a\0b')).toThrow('NUL');
  });
});

describe('codes', () => {
  it('have a title each, and an exit status that the command line knows', () => {
    const statuses: readonly number[] = Object.values(exitCode);
    for (const [code, { title, exit }] of Object.entries(codes)) {
      expect(code).toMatch(/^[A-Z]{3}\d{3}$/);
      expect(title, code).toMatch(/^\S.*[^.]$/);
      expect(statuses, code).toContain(exit);
      expect(exit, code).not.toBe(exitCode.done);
    }
  });

  it('have titles that tell them apart', () => {
    const titles = Object.values(codes).map(({ title }) => title);
    expect(new Set(titles).size).toBe(titles.length);
  });
});
