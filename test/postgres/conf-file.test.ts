/** postgresql.conf as text: what counts in it, and that an edit changes what was asked for and nothing else. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  confLine,
  disableConf,
  editConf,
  effectiveConf,
  flattenConf,
  namesInBlock,
  parseConf,
  releaseConf,
  withoutOurs,
} from '../../src/postgres/conf-file.ts';

const heading = '# ours';
const values = (text: string): Record<string, string> =>
  Object.fromEntries([...effectiveConf(text)].map(([name, line]) => [name, line.value]));

describe('parseConf', () => {
  it.each([
    ['port = 5432', { port: '5432' }],
    ['port 5432', { port: '5432' }],
    ['port=5432#x', { port: '5432' }],
    ["  Port\t= '5432'  # comment", { port: '5432' }],
    ["a = 'it''s'", { a: "it's" }],
    ["a = 'back\\\\slash \\' quote'", { a: "back\\slash ' quote" }],
    ["a = 'has # inside'", { a: 'has # inside' }],
    ["a = ''", { a: '' }],
    ['auto_explain.log_min_duration = 1s', { 'auto_explain.log_min_duration': '1s' }],
    ['port = 1\r\nb = 2\r', { port: '1', b: '2' }],
    ['port = 1\nport = 2', { port: '2' }],
    ['#port = 1', {}],
    ["include 'other.conf'", {}],
    ["include_dir = 'conf.d'", {}],
    ['port =', {}],
    ["a = 'open", {}],
    ['', {}],
  ])('reads %j', (text, found) => {
    expect(values(text)).toEqual(found);
  });
});

const name = fc.constantFrom('port', 'wal_level', 'listen_addresses', 'app.x', 'Max_Connections');
const value = fc.oneof(
  fc.constantFrom(
    '',
    '0',
    '-1',
    '1.5',
    'on',
    '256MB',
    '*',
    "it's",
    'a\\b',
    "'",
    '\\',
    "\\'",
    '#',
    ' x ',
    'ä🐘',
  ),
  fc.string({ unit: 'grapheme' }).filter((text) => !/[\r\n\u0085\u2028\u2029]/.test(text)),
);
const foreign = fc.constantFrom(
  '',
  '   ',
  '# comment',
  '#port = 1',
  "include 'x'",
  'nonsense !',
  "a = 'open",
  heading,
  '\t',
);
const line = fc.oneof(
  foreign,
  fc.tuple(name, value).map(([left, right]) => confLine(left, right)),
  fc.tuple(name, fc.nat()).map(([left, right]) => `  ${left}\t${right}  # by hand`),
);
const text = fc
  .tuple(fc.array(line), fc.boolean())
  .map(([lines, ends]) => lines.join('\n') + (ends ? '\n' : ''));
const wishes = fc.dictionary(
  fc.constantFrom('port', 'wal_level', 'new_one', 'app.x'),
  fc.option(value, { nil: undefined }),
);

/** Are all of these found in that order among those? */
function within(some: readonly string[], all: readonly string[]): boolean {
  let at = 0;
  for (const one of all) if (some[at] === one) at += 1;
  return at === some.length;
}

/** As an editor writes it that ends lines in two characters. */
const crlf = (lines: string): string => lines.replaceAll('\n', '\r\n');

describe('line ends of other systems', () => {
  it('change neither what counts nor what is written', () => {
    fc.assert(
      fc.property(text, wishes, (before, asked) => {
        expect(values(crlf(before))).toEqual(values(before));
        expect(values(editConf(crlf(before), asked, heading))).toEqual(
          values(editConf(before, asked, heading)),
        );
        // Also where the editor has gone over what we wrote.
        const ours = crlf(editConf(before, asked, heading));
        expect(namesInBlock(ours, heading)).toEqual(namesInBlock(editConf(before, asked, heading), heading));
        // A file may end in a block, and in no line end behind it.
        const [left, same] = [
          withoutOurs(ours, heading),
          withoutOurs(editConf(before, asked, heading), heading),
        ];
        expect(left.replace(/\r$/, '')).toBe(crlf(same));
      }),
      { numRuns: 300 },
    );
  });

  it('are those of the file in the lines that are added to it', () => {
    const after = editConf('a = 1 # x\r\nb = 2\r\n', { a: '3' }, heading);
    expect(after).toBe('#pgduet: a = 1 # x\r\nb = 2\r\n\r\n# ours\r\na = 3\r\n\r\n');
    expect(withoutOurs(after, heading)).toBe('a = 1 # x\r\nb = 2\r\n');
    expect(disableConf("hba_file = '/x' # y\r\n", ['hba_file'])).toBe("#pgduet: hba_file = '/x' # y\r\n");
  });
});

describe('editConf', () => {
  it('puts in force exactly what was asked for', () => {
    fc.assert(
      fc.property(text, wishes, (before, asked) => {
        const after = values(editConf(before, asked, heading));
        for (const [key, wanted] of Object.entries(asked)) expect(after[key]).toBe(wanted);
        for (const [key, stood] of Object.entries(values(before)))
          if (!(key in asked)) expect(after[key]).toBe(stood);
      }),
      { numRuns: 500 },
    );
  });

  it('keeps every other line byte for byte, in its order', () => {
    fc.assert(
      fc.property(text, wishes, (before, asked) => {
        const mine = new Set(
          parseConf(before)
            .filter((found) => found.name in asked)
            .map((found) => found.index),
        );
        const others = before.split('\n').filter((_, index) => !mine.has(index));
        // The end of the last line is no line of its own.
        if (others.at(-1) === '') others.pop();
        expect(within(others, editConf(before, asked, heading).split('\n'))).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it('changes nothing the second time', () => {
    fc.assert(
      fc.property(text, wishes, (before, asked) => {
        const once = editConf(before, asked, heading);
        expect(values(editConf(once, asked, heading))).toEqual(values(once));
        const set = Object.fromEntries(Object.entries(asked).filter(([, wanted]) => wanted !== undefined));
        const made = editConf(before, set, heading);
        expect(editConf(made, set, heading)).toBe(made);
      }),
    );
  });

  it('keeps the lines of others behind a mark and sets its own at the end', () => {
    const before = 'port = 1 # a\n# note\nport = 2 # b\nx = 1\n';
    const after = '#pgduet: port = 1 # a\n# note\n#pgduet: port = 2 # b\nx = 1\n\n# ours\nport = 3\n\n';
    expect(editConf(before, { port: '3' }, heading)).toBe(after);
    expect(editConf(after, { port: '4' }, heading)).toBe(after.replace('\nport = 3', '\nport = 4'));
  });

  it('gathers what is new under one heading', () => {
    const once = editConf('x = 1', { a: '1' }, heading);
    expect(once).toBe('x = 1\n\n# ours\na = 1\n\n');
    expect(editConf(once, { b: "o'clock" }, heading)).toBe("x = 1\n\n# ours\na = 1\nb = 'o''clock'\n\n");
  });

  it('comments out what shall not be set', () => {
    expect(editConf('a = 1\nb = 2\n', { a: undefined, c: undefined }, heading)).toBe('#a = 1\nb = 2\n');
  });
});

describe('releaseConf', () => {
  const others = text.filter((one) => !one.includes(heading));

  it('brings back what counted before', () => {
    fc.assert(
      fc.property(others, wishes, (before, asked) => {
        const set = Object.fromEntries(Object.entries(asked).filter(([, wanted]) => wanted !== undefined));
        const after = editConf(before, set, heading);
        expect([...namesInBlock(after, heading)].sort()).toEqual(Object.keys(set).sort());
        const released = releaseConf(after, Object.keys(set), heading);
        expect(values(released)).toEqual(values(before));
        expect(within(before.split('\n').slice(0, -1), released.split('\n'))).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  it('leaves the settings alone that it is not told of', () => {
    const after = editConf('a = 1\nb = 1\n', { a: '2', b: '2' }, heading);
    expect(values(releaseConf(after, ['a'], heading))).toEqual({ a: '1', b: '2' });
  });
});

describe('flattenConf and withoutOurs', () => {
  const files: Record<string, { path: string; text: string }[]> = {
    'conf.d': [
      { path: '/etc/conf.d/a.conf', text: "work_mem = 8MB\ninclude 'more.conf'\n" },
      { path: '/etc/conf.d/b.conf', text: 'port = 5433' },
    ],
    'more.conf': [{ path: '/etc/more.conf', text: 'geqo = off\n' }],
    'none.conf': [],
  };
  const included = (_directive: string, path: string) => files[path];
  const original = "port = 5432\ninclude_dir = 'conf.d'\ninclude_if_exists 'none.conf'\n\nfsync = on\n";

  it('what is included stands in its place, in force as before', () => {
    const flat = flattenConf({ path: '/etc/postgresql.conf', text: original }, included);
    expect(values(flat)).toEqual({ port: '5433', work_mem: '8MB', geqo: 'off', fsync: 'on' });
    expect(parseConf(flat).map(({ name }) => name)).toEqual(['port', 'work_mem', 'geqo', 'port', 'fsync']);
    expect(flat).not.toMatch(/^\s*include/m);
  });

  it('an include that cannot be followed stays', () => {
    expect(flattenConf({ path: '/a', text: "include 'elsewhere.conf'\n" }, included)).toBe(
      "include 'elsewhere.conf'\n",
    );
  });

  it('the way back is exact, byte for byte, whatever stood there', () => {
    const line = fc.constantFrom(
      '',
      'port = 1',
      '#port = 2',
      "include_dir 'conf.d'",
      'fsync = off # why',
      '# text',
      "listen_addresses = 'localhost'",
    );
    const wanted = fc.dictionary(
      fc.constantFrom('port', 'fsync', 'geqo', 'listen_addresses'),
      fc.constantFrom('1', 'x y'),
    );
    fc.assert(
      fc.property(fc.array(line), wanted, wanted, (lines, first, second) => {
        const text = `${lines.join('\n')}\n`;
        const flat = disableConf(flattenConf({ path: '/a', text }, included), ['fsync']);
        const edited = editConf(editConf(flat, first, heading), second, heading);
        expect(withoutOurs(edited, heading)).toBe(text);
      }),
    );
  });

  it('a line of the controller goes wherever it stands', () => {
    const line = "synchronous_standby_names = 's' # by the Mirroring Controller";
    expect(withoutOurs(`${original}${line}\n`, heading)).toBe(original);
    const edited = editConf(original, { geqo: 'on' }, heading).replace('geqo = on', `geqo = on\n#${line}`);
    expect(withoutOurs(edited, heading)).toBe(original);
  });

  it('what somebody added meanwhile stays', () => {
    const edited = editConf(
      flattenConf({ path: '/etc/postgresql.conf', text: original }, included),
      { geqo: 'on' },
      heading,
    );
    expect(withoutOurs(`${edited}autovacuum = off\n`, heading)).toBe(`${original}autovacuum = off\n`);
  });
});
