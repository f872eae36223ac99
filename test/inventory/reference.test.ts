/** What is generated from the definitions is up to date, and the documentation is true. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseInventory } from '../../src/inventory/load.ts';
import { ownedSettings } from '../../src/inventory/owned-settings.ts';
import { schemaText, withReference } from '../../src/inventory/reference.ts';
import { inventoryJsonSchema, type JsonSchema } from '../../src/inventory/schema.ts';
import { controlledSettings } from '../../src/postgres/controlled-settings.ts';
import { fakeLookups } from './lookups.ts';

const root = join(import.meta.dirname, '../..');
const document = readFileSync(join(root, 'docs/inventory.md'), 'utf8');

/** Every schema of a key, with its path. */
function keys(schema: JsonSchema, path = ''): [string, JsonSchema][] {
  const named = typeof schema.additionalProperties === 'object' ? { NAME: schema.additionalProperties } : {};
  const item = schema.items ? { item: schema.items } : {};
  return Object.entries({ ...schema.properties, ...named, ...item }).flatMap(([key, child]) => [
    [`${path}.${key}`, child] as [string, JsonSchema],
    ...keys(child, `${path}.${key}`),
  ]);
}

describe('generated texts', () => {
  it('schema/inventory.json is up to date (node scripts/schema.mjs)', () => {
    expect(readFileSync(join(root, 'schema/inventory.json'), 'utf8')).toBe(schemaText());
  });

  it('the tables of docs/inventory.md are up to date (node scripts/schema.mjs)', () => {
    expect(withReference(document)).toBe(document);
  });

  it('every key has a description', () => {
    for (const [path, schema] of keys(inventoryJsonSchema())) expect(schema.description, path).toBeTruthy();
  });

  it('every owned setting has a way out', () => {
    for (const [name, { why, fix }] of Object.entries(ownedSettings)) {
      expect(why, name).toBeTruthy();
      expect(fix, name).toMatch(/\.$/);
    }
  });

  it('no inventory gives a setting that the controller edits', () => {
    expect(controlledSettings.filter((name) => !(name in ownedSettings))).toEqual([]);
  });
});

describe('docs/inventory.md', () => {
  const blocks = [...document.matchAll(/```yaml\n([\s\S]*?)```/g)].map((match) => match[1] ?? '');

  it.each(blocks.map((text, index) => [index + 1, text] as const))('example %i loads', async (_, text) => {
    const files = { '/work/docs/replication.secret': { text: 'a secret', mode: 0o600 } };
    const lookups = fakeLookups(files, { DEPLOY_SUDO: 'another' });
    const result = await parseInventory(text, 'docs/inventory.md', lookups);
    expect(result.ok ? [] : result.diagnostics).toEqual([]);
  });
});
