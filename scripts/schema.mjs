/**
 * Writes the JSON schemas that are generated: from the zod definitions of the inventory `schema/inventory.json` and the tables
 * of `docs/inventory.md`; from `scripts/check-schema.ts` and the tables of codes `schema/check.json`; from the fields of the kinds
 * `schema/playbook.json`.
 * Tests check that all are up to date. Run: node scripts/schema.mjs
 */
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { scratch } from './scratch.mjs';

const root = join(import.meta.dirname, '..');

/** Node 20 reads no TypeScript, so the definitions are bundled; zod stays where it is, hence a file in the project. */
async function load(entry) {
  const bundle = join(scratch, `schema-${process.pid}.mjs`);
  await build({
    entryPoints: [join(root, entry)],
    outfile: bundle,
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    logLevel: 'error',
  });
  try {
    return await import(`${pathToFileURL(bundle).href}?${entry}`);
  } finally {
    await rm(bundle, { force: true });
  }
}

const { schemaText, withReference } = await load('src/inventory/reference.ts');
await writeFile(join(root, 'schema/inventory.json'), schemaText());
const docs = join(root, 'docs/inventory.md');
await writeFile(docs, withReference(await readFile(docs, 'utf8')));
const { checkSchemaText } = await load('scripts/check-schema.ts');
await writeFile(join(root, 'schema/check.json'), checkSchemaText());
const { playbookSchemaText } = await load('scripts/playbook-schema.ts');
await writeFile(join(root, 'schema/playbook.json'), playbookSchemaText());
