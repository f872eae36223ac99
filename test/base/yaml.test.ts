/** YAML as nodes that know their place, whatever is in the file. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nodeAt, parseYaml, plain } from '../../src/base/yaml.ts';

const codes = { syntax: 'PLY001', duplicateKey: 'PLY002' } as const;
const parse = (text: string) => parseYaml(text, 'f.yml', codes);

describe('parseYaml', () => {
  it('keeps the place, the tag and the written form of every value', () => {
    const parsed = parse('a:\n  b: [one, !secret two]\n  mode: 0600\n');
    expect(parsed.ok).toBe(true);
    if (!parsed.ok) return;
    expect(nodeAt(parsed.value, ['a', 'b', 1])).toMatchObject({
      value: 'two',
      tag: '!secret',
      at: { file: 'f.yml', line: 2, column: 20, text: '  b: [one, !secret two]' },
    });
    expect(nodeAt(parsed.value, ['a', 'mode'])).toMatchObject({ source: '0600' });
    expect(plain(parsed.value)).toMatchObject({ a: { b: ['one', 'two'] } });
    expect(nodeAt(parsed.value, ['a', 'nothing', 'here'])).toBeUndefined();
  });

  it('takes a key for the name that stands there', () => {
    const parsed = parse(
      '01: a\n1: b\n1e3: c\nyes: d\nnull: e\n~: f\n0x1F: g\n"07": h\n1.0: i\n2024-01-01: j\n',
    );
    expect(parsed.ok && parsed.value.kind === 'map' && parsed.value.entries.map(({ key }) => key)).toEqual([
      ...['01', '1', '1e3', 'yes', 'null', '~', '0x1F', '07', '1.0', '2024-01-01'],
    ]);
  });

  it.each([
    ['a key that stands twice', 'a: 1\nb: 2\na: 3\n', 'PLY002', '3:1'],
    ['a key that stands twice, once in quotes', '1: a\n"1": b\n', 'PLY002', '2:1'],
    ['a bracket that stays open', 'a: [1, 2\n', 'PLY001', /^[12]:/],
    ['a tab that indents', 'a:\n\tb: 1\n', 'PLY001', /^2:/],
    ['two documents', 'a: 1\n---\nb: 2\n', 'PLY001', /^/],
    ['an alias of itself', 'a: &x [*x]\n', 'PLY001', /^1:/],
    ['an alias of nothing', 'a: *nobody\n', 'PLY001', /^1:/],
  ])('says where there is %s', (_, text, code, at) => {
    const parsed = parse(text);
    const [problem] = parsed.ok ? [] : parsed.diagnostics;
    expect(problem?.code).toBe(code);
    expect(`${problem?.at?.line}:${problem?.at?.column}`).toMatch(at);
  });

  it('never throws, whatever the text is', () => {
    const bits = fc.constantFrom(
      'a',
      ':',
      ' ',
      '\n',
      '- ',
      '[',
      '{',
      '*a',
      '&a ',
      '!x ',
      '"',
      "'",
      '|',
      '\t',
      '#',
      '---',
      '?',
    );
    fc.assert(
      fc.property(fc.array(bits, { maxLength: 40 }), (parts) => {
        const parsed = parse(parts.join(''));
        for (const { at } of parsed.ok ? [] : parsed.diagnostics) expect(at?.line).toBeGreaterThan(0);
      }),
      { numRuns: 500 },
    );
  });
});
