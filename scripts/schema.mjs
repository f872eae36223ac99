/**
 * Writes the JSON schemas that are generated: from the zod definitions of the inventory `schema/inventory.json` and the tables
 * of `docs/inventory.md`; from `scripts/check-schema.ts` and the tables of codes `schema/check.json`; from the fields of the kinds
 * `schema/playbook.json`.
 * Tests check that all are up to date. Run: node scripts/schema.mjs
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadTypeScript } from './typescript.mjs';

const root = join(import.meta.dirname, '..');
const { schemaText, withReference } = await loadTypeScript('src/inventory/reference.ts');
await writeFile(join(root, 'schema/inventory.json'), schemaText());
const docs = join(root, 'docs/inventory.md');
await writeFile(docs, withReference(await readFile(docs, 'utf8')));
const { checkSchemaText } = await loadTypeScript('scripts/check-schema.ts');
await writeFile(join(root, 'schema/check.json'), checkSchemaText());
const { playbookSchemaText } = await loadTypeScript('scripts/playbook-schema.ts');
await writeFile(join(root, 'schema/playbook.json'), playbookSchemaText());
