/**
 * Writes what is generated from the zod definitions of the inventory: `schema/inventory.json` and the tables
 * of `docs/inventory.md`. A test checks that both are up to date. Run: node scripts/schema.mjs
 */
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const root = join(import.meta.dirname, '..');
// Node 20 reads no TypeScript, so the definitions are bundled; zod stays where it is, hence a file in the project.
const bundle = join(root, 'dist', `.schema-${process.pid}.mjs`);
await build({
  entryPoints: [join(root, 'src/inventory/reference.ts')],
  outfile: bundle,
  bundle: true,
  packages: 'external',
  platform: 'node',
  format: 'esm',
  logLevel: 'error',
});
try {
  const { schemaText, withReference } = await import(pathToFileURL(bundle).href);
  await writeFile(join(root, 'schema/inventory.json'), schemaText());
  const docs = join(root, 'docs/inventory.md');
  await writeFile(docs, withReference(await readFile(docs, 'utf8')));
} finally {
  await rm(bundle, { force: true });
}
