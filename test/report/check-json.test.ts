/** The document of `pgduet check --json` and its schema: what is printed is what is promised, and no more. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkSchemaText } from '../../scripts/check-schema.ts';
import { severities } from '../../src/base/findings/rule.ts';
import { changeJson, changesOf } from '../../src/report/check-change.ts';
import { checkJson } from '../../src/report/check-json.ts';
import { diagnosticJson } from '../../src/report/diagnostic.ts';
import { clean, cluster, fileDrift, hostile, mixed, refusal, report, several } from './check-samples.ts';
import { wrongWithCheck } from './check-schema.ts';
import { expectGolden } from './golden.ts';

/** As another program gets it. */
const printed = (document: object): Record<string, unknown> => JSON.parse(JSON.stringify(document));

describe('checkJson', () => {
  it.each([
    ['nothing', clean],
    ['one of everything', mixed],
    ['texts of hosts that mean harm', hostile],
    ['several clusters and a host that does not answer', several],
    ['a refusal', report(cluster([refusal], { primary: null }))],
  ])('of %s is as the schema says', (_, told) => {
    expect(wrongWithCheck(printed(checkJson(told)), 'report')).toEqual([]);
    expect(wrongWithCheck(printed(checkJson(told)))).toEqual([]);
  });

  it('is this document', () => {
    expectGolden('check-several.json', `${JSON.stringify(checkJson(several), null, 2)}\n`);
  });

  it('counts every severity, also those of which there is none', () => {
    const [first] = printed(checkJson(mixed)).clusters as { counts: object; hosts: { counts: object }[] }[];
    expect(Object.keys(first?.counts ?? {})).toEqual([...severities]);
    expect(first?.counts).toEqual({ danger: 1, degraded: 1, drift: 4, unknown: 1, note: 1 });
    expect(first?.hosts[1]?.counts).toEqual({ danger: 0, degraded: 0, drift: 1, unknown: 1, note: 0 });
  });

  it('keeps what a host says as it is', () => {
    const text = JSON.stringify(checkJson(hostile));
    expect(text).not.toMatch(/[\u0000-\u001f]/);
    expect(text).toContain('\\u001b[31m');
  });
});

describe('schema/check.json', () => {
  it('is up to date (node scripts/schema.mjs)', () => {
    const file = readFileSync(join(import.meta.dirname, '../../schema/check.json'), 'utf8');
    expect(file).toBe(checkSchemaText());
  });

  it('describes every key', () => {
    const schema = JSON.parse(checkSchemaText()) as { $defs: Record<string, { properties: object }> };
    const bare = Object.entries(schema.$defs).flatMap(([name, { properties }]) =>
      Object.entries(properties)
        .filter(([, value]) => !('description' in value) && !('$ref' in value))
        .map(([key]) => `${name}.${key}`),
    );
    expect(bare).toEqual([]);
  });

  it('knows a run that took no look', () => {
    const { severity: _, ...rest } = { severity: 0, code: 'INV004', what: 'a', why: 'b', fix: 'c' } as const;
    const at = { file: 'f', line: 1, column: 2, length: 3, text: 'x' };
    const diagnostics = [rest, { ...rest, at, host: 'server1', evidence: ['e'] }].map(diagnosticJson);
    const document = printed({ schema: 1, verb: 'check', exit: 3, diagnostics });
    expect(wrongWithCheck(document, 'failure')).toEqual([]);
    expect(wrongWithCheck(document, 'report')).not.toEqual([]);
  });

  it('knows what --watch prints', () => {
    const [change] = changesOf(clean, mixed);
    expect(change && wrongWithCheck(printed(changeJson(change)), 'change')).toEqual([]);
  });

  const first = (document: Record<string, unknown>) =>
    (document.clusters as Record<string, unknown>[])[0] ?? {};
  const firstFinding = (document: Record<string, unknown>) =>
    (first(document).findings as Record<string, unknown>[])[0] ?? {};
  type Spoil = (document: Record<string, unknown>) => void;
  const spoils: readonly [string, Spoil][] = [
    ['an unknown key', (document) => Object.assign(document, { extra: 1 })],
    ['an unknown key of a cluster', (document) => Object.assign(first(document), { extra: 1 })],
    ['an unknown key of a finding', (document) => Object.assign(firstFinding(document), { extra: 1 })],
    ['a missing key', (document) => Reflect.deleteProperty(document, 'exit')],
    ['a missing key of a finding', (document) => Reflect.deleteProperty(firstFinding(document), 'since')],
    ['an unknown code', (document) => Object.assign(firstFinding(document), { code: 'FIL999' })],
    ['an unknown severity', (document) => Object.assign(firstFinding(document), { severity: 'grave' })],
    ['a time that is none', (document) => Object.assign(firstFinding(document), { since: 'yesterday' })],
    ['another schema', (document) => Object.assign(document, { schema: 2 })],
    ['another verb', (document) => Object.assign(document, { verb: 'provision' })],
    ['an exit status that does not exist', (document) => Object.assign(document, { exit: 7 })],
    ['a diff as one text', (document) => Object.assign(firstFinding(document), { diff: 'a\nb' })],
    ['counts without notes', (document) => Reflect.deleteProperty(first(document).counts as object, 'note')],
  ];
  it.each(spoils)('refuses %s', (_, spoil) => {
    const document = printed(checkJson(report(cluster([fileDrift]))));
    expect(wrongWithCheck(document)).toEqual([]);
    spoil(document);
    expect(wrongWithCheck(document)).not.toEqual([]);
  });
});
