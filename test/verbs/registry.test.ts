/** The registry of verbs as data, and what a verb reads of the command line. */
import { describe, expect, it } from 'vitest';
import { DiagnosticError } from '../../src/base/diagnostic.ts';
import { checkOptions } from '../../src/verbs/check-options.ts';
import type { OptionName } from '../../src/verbs/options.ts';
import { verbs } from '../../src/verbs/registry.ts';
import { argument, flagsOf, type Given, meaningOf, namedHosts, type Verb } from '../../src/verbs/verb.ts';

const given = (
  options: readonly (readonly [OptionName, true | string | readonly string[]])[],
  named: readonly (readonly [string, string])[] = [],
): Given => ({ options: new Map(options), arguments: new Map(named) });

function verbNamed(name: string): Verb {
  const verb = verbs.find((one) => one.name === name);
  if (!verb) throw new Error(`no verb ${name}`);
  return verb;
}

describe('the registry', () => {
  it('has each verb once, with a sentence that is none', () => {
    const names = verbs.map(({ name }) => name);
    expect([...new Set(names)]).toEqual(names);
    for (const { summary } of verbs) expect(summary).toMatch(/^[a-z].*[^.]$/);
  });

  it.each(verbs.map((verb) => [verb.name, verb] as const))('%s has options that go together', (_, verb) => {
    const names = verb.options.map(({ name }) => name);
    expect([...new Set(names)]).toEqual(names);
    for (const { excludes = [], takes, fallback } of verb.options) {
      expect(names).toEqual(expect.arrayContaining([...excludes]));
      if (takes.kind === 'word' && fallback !== undefined) expect(takes.words).toContain(fallback);
    }
  });

  it('shows an option as help does', () => {
    const shown = verbNamed('check').options.map((one) => `${flagsOf(one)}: ${meaningOf(one)}`);
    expect(shown).toContain('--json: one JSON document on stdout');
    expect(shown).toContainEqual(
      expect.stringMatching(/^-i, --inventory <file>: .* \(default: inventory\.yml\)$/),
    );
    expect(shown).toContainEqual(expect.stringMatching(/^--watch \[interval\]: /));
    expect(shown).toContainEqual(
      expect.stringMatching(
        /^--format <format>: .* \(default: text; one of: text, json, nagios, junit, prometheus\)$/,
      ),
    );
  });
});

describe('the hosts that a command names', () => {
  it('are those of its arguments and options that take one', () => {
    expect(namedHosts(verbNamed('rebuild'), given([], [['host', 'server2']]))).toEqual([
      { by: 'rebuild', host: 'server2' },
    ]);
    const options = given([
      ['keep', 'server1'],
      ['confirm', 'server9'],
    ]);
    expect(namedHosts(verbNamed('teardown'), options)).toEqual([{ by: '--keep', host: 'server1' }]);
    expect(namedHosts(verbNamed('provision'), given([]))).toEqual([]);
  });

  it('are a defect where a verb asks for an argument that it does not have', () => {
    expect(() => argument(given([]), 'host')).toThrow("the argument 'host'");
  });
});

describe('the options of a check', () => {
  it.each([
    [[], { inventories: ['inventory.yml'], format: 'text' }],
    [[['inventory', ['a.yml', 'b.yml', 'a.yml']]], { inventories: ['a.yml', 'b.yml'], format: 'text' }],
    [[['json', true]], { inventories: ['inventory.yml'], format: 'json' }],
    [[['format', 'nagios']], { inventories: ['inventory.yml'], format: 'nagios' }],
    [[['watch', true]], { inventories: ['inventory.yml'], format: 'text', everyMs: 60_000 }],
    [[['watch', '5']], { inventories: ['inventory.yml'], format: 'text', everyMs: 5000 }],
    [
      [
        ['watch', '2min'],
        ['login', 'anna'],
      ],
      { inventories: ['inventory.yml'], format: 'text', everyMs: 120_000, login: 'anna' },
    ],
  ] satisfies [[OptionName, true | string | string[]][], object][])('%j', (options, expected) => {
    expect(checkOptions(given(options))).toEqual(expected);
  });

  it.each([
    ['CLI004', [['watch', 'soon']]],
    ['CLI004', [['watch', '0']]],
    [
      'CLI003',
      [
        ['watch', true],
        ['format', 'junit'],
      ],
    ],
  ] satisfies [string, [OptionName, true | string][]][])('%s for %j', (code, options) => {
    const attempt = (): unknown => checkOptions(given(options));
    expect(attempt).toThrow(DiagnosticError);
    try {
      attempt();
    } catch (error) {
      expect(error instanceof DiagnosticError && error.diagnostics.map((one) => one.code)).toEqual([code]);
    }
  });
});
