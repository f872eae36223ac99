/** Values of settings as people write them against those that the server shows. */
import { describe, expect, it } from 'vitest';
import { certainlyDiffers, sameValue, sameWords, wordsDiffer } from '../../src/postgres/setting-value.ts';

const shown = (type: string, value: string, raw = value, unit: string | null = null) => ({
  type,
  value,
  raw,
  unit,
});

describe('a value as written and as shown', () => {
  it.each([
    ['1GB', shown('integer', '1GB', '131072', '8kB')],
    ['131072', shown('integer', '1GB', '131072', '8kB')],
    ['5400', shown('integer', '5400ms', '5400', 'ms')],
    ['15min', shown('integer', '15min', '900', 's')],
    ['true', shown('bool', 'on')],
    ['0600', shown('integer', '0600')],
    ['-1', shown('integer', '-1', '-1', 'kB')],
  ])('%s is the same', (wanted, seen) => {
    expect(sameValue(wanted, seen)).toBe(true);
    expect(certainlyDiffers(wanted, seen)).toBe(false);
  });

  it.each([
    ['1GB', shown('integer', '2GB', '262144', '8kB')],
    ['on', shown('bool', 'off')],
    ['0.5', shown('real', '0.9')],
  ])('%s is certainly another one', (wanted, seen) => {
    expect(certainlyDiffers(wanted, seen)).toBe(true);
  });

  it.each([
    ['100kB', shown('integer', '96kB', '12', '8kB')],
    ['0x10', shown('integer', '16')],
    ['t', shown('bool', 'off')],
    ['a', shown('string', 'b')],
  ])('of %s nothing is certain', (wanted, seen) => {
    expect(certainlyDiffers(wanted, seen)).toBe(false);
  });

  it('two texts of files mean the same in any unit', () => {
    expect(sameWords('1GB', '1024MB', '8kB')).toBe(true);
    expect(sameWords('1s', '1000', 'ms')).toBe(true);
    expect(sameWords('1GB', '1', undefined)).toBe(false);
  });

  it('words differ, but not by spaces or by a form that the server has for itself', () => {
    expect(wordsDiffer('log_line_prefix', '%m ', shown('string', '%t '), true)).toBe(true);
    expect(wordsDiffer('log_destination', 'stderr,syslog', shown('string', 'stderr, syslog'), true)).toBe(
      false,
    );
    expect(wordsDiffer('log_directory', '/log/', shown('string', '/log'), true)).toBe(false);
    expect(wordsDiffer('timezone', 'utc', shown('string', 'Etc/UTC'), true)).toBe(false);
    expect(wordsDiffer('wal_compression', 'on', shown('enum', 'pglz'), true)).toBe(false);
    expect(wordsDiffer('wal_compression', 'on', shown('enum', 'off'), false)).toBe(true);
  });
});
