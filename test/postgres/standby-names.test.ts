/** Names in synchronous_standby_names, there and back. */
import { describe, expect, it } from 'vitest';
import { isAny, nameInList, parseNames } from '../../src/postgres/standby-names.ts';

/** Those that an inventory takes, and some that others take. */
const names = [
  'server2',
  'any',
  'ANY',
  'first',
  'First',
  'any1',
  '1',
  '01',
  'a-b',
  'PG.One',
  'a b',
  'x"y',
  '(',
  'any (',
];

describe('a name in synchronous_standby_names', () => {
  it.each(names)('is read back as it is: %s', (name) => {
    expect(parseNames(nameInList(name))).toEqual({ needed: 1, ids: [name] });
    for (const method of ['FIRST', 'ANY', ''])
      expect(parseNames(`${method} 2 (${nameInList(name)}, ${nameInList('other')})`)).toEqual({
        needed: 2,
        ids: [name, 'other'],
      });
  });

  it('is in quotes where the server would take it for something else', () => {
    expect(['any', 'first', 'Server', '1a', 'a-b'].map(nameInList)).toEqual([
      '"any"',
      '"first"',
      '"Server"',
      '"1a"',
      '"a-b"',
    ]);
    expect(['server_2', 'any1', 'firsts', 'select'].map(nameInList)).toEqual([
      'server_2',
      'any1',
      'firsts',
      'select',
    ]);
  });

  it('is no method', () => {
    expect(['ANY 1 (a, b)', ' any 2(a,b,c)'].every(isAny)).toBe(true);
    expect(['any1, b', '"any"', 'FIRST 1 (any1, b)', 'any1', '1 (a)'].some(isAny)).toBe(false);
  });
});
