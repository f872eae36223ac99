/** Whatever a file holds, parseInventory answers: with a cluster or with diagnostics, and never by throwing. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseInventory } from '../../src/inventory/load.ts';
import { diagnosticJson, renderDiagnostic } from '../../src/report/diagnostic.ts';
import { fakeLookups } from './lookups.ts';

const examples = join(import.meta.dirname, '../../inventories');
const texts = readdirSync(examples).map((name) => readFileSync(join(examples, name), 'utf8'));

async function answers(text: string): Promise<void> {
  const result = await parseInventory(text, 'inv.yml', fakeLookups());
  if (result.ok) {
    expect(result.value.cluster.hosts.length).toBeGreaterThanOrEqual(2);
    return;
  }
  expect(result.diagnostics.length).toBeGreaterThan(0);
  for (const one of result.diagnostics) {
    expect(one.code).not.toBe('BUG001');
    expect(one.at?.line).toBeGreaterThanOrEqual(1);
    expect(one.at?.column).toBeGreaterThanOrEqual(1);
    expect(renderDiagnostic(one, { color: false, width: 80 })).not.toContain('undefined');
    expect(JSON.stringify(diagnosticJson(one))).toContain(one.code);
  }
}

const scrap = fc.constantFrom(
  '',
  ' ',
  '\n',
  '\t',
  ':',
  '- ',
  '[',
  ']',
  '{',
  '}',
  '"',
  "'",
  '#',
  '&a',
  '*a',
  '!env X',
  '!file x',
  '!age |',
  '|',
  '>',
  '? ',
  '<<: ',
  'null',
  '~',
  'true',
  '-1',
  '0',
  '1e9',
  '.nan',
  '.inf',
  '0x1F',
  '2024-01-01',
  '---\n',
  '\u0000',
  '\u001b[31m',
  'é',
  '\u{1F600}',
  '__proto__',
  'constructor',
  'hosts:',
  'password: hunter2',
  '99999999999999999999',
  '192.0.2.100',
  '/database/inst1',
);

const mutated = fc
  .tuple(
    fc.constantFrom(...texts),
    fc.array(fc.tuple(fc.nat(), fc.nat(12), fc.oneof(scrap, fc.string({ maxLength: 6 }))), {
      minLength: 1,
      maxLength: 5,
    }),
  )
  .map(([text, cuts]) =>
    cuts.reduce((now, [at, length, put]) => {
      const start = at % (now.length + 1);
      return now.slice(0, start) + put + now.slice(start + length);
    }, text),
  );

/** A whole value replaced: this gets past YAML far more often than cutting letters does. */
const replaced = fc.tuple(fc.constantFrom(...texts), fc.nat(), scrap).map(([text, index, put]) => {
  const values = [...text.matchAll(/: ([^\s#{}[\],]+)/g)];
  const value = values[index % values.length];
  return value === undefined
    ? text
    : `${text.slice(0, value.index + 2)}${put}${text.slice(value.index + value[0].length)}`;
});

const renamed = fc.tuple(fc.constantFrom(...texts), fc.nat(), scrap).map(([text, index, put]) => {
  const keys = [...text.matchAll(/(\w+):/g)];
  const key = keys[index % keys.length];
  return key === undefined
    ? text
    : `${text.slice(0, key.index)}${put}${text.slice(key.index + key[0].length - 1)}`;
});

describe('parseInventory never throws', () => {
  it('on mutated inventories', async () => {
    await fc.assert(fc.asyncProperty(mutated, answers), { numRuns: 600 });
  });
  it('on inventories with another value', async () => {
    await fc.assert(fc.asyncProperty(replaced, answers), { numRuns: 600 });
  });
  it('on inventories with another key', async () => {
    await fc.assert(fc.asyncProperty(renamed, answers), { numRuns: 400 });
  });
  it('on any text', async () => {
    await fc.assert(fc.asyncProperty(fc.string({ unit: 'binary' }), answers), { numRuns: 200 });
  });
  it('on any value', async () => {
    await fc.assert(fc.asyncProperty(fc.json(), answers), { numRuns: 200 });
  });
  const extremes: [string, string][] = [
    ['brackets without end', '['.repeat(20_000)],
    ['maps in maps', '{a: '.repeat(5_000)],
    ...[300, 1000, 2000, 4000].map((depth): [string, string] => [
      `lists ${depth} deep`,
      `hosts: ${'['.repeat(depth)}${']'.repeat(depth)}`,
    ]),
    ['an alias of itself', 'cluster: &a [*a]\n'],
    [
      'aliases of aliases',
      `a: &a [x,x,x,x,x,x,x,x,x]\n${[...'bcdefgh'].map((name, index) => `${name}: &${name} [${Array(9).fill(`*${'abcdefgh'[index]}`).join(',')}]`).join('\n')}\n`,
    ],
  ];

  it.each(extremes)('on %s', async (_, text) => {
    await answers(text);
  });
});
