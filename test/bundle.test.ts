/** Bundles that scripts make of TypeScript: a module in it knows where it comes from. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';

interface Loader {
  loadTypeScript(path: string): Promise<Readonly<Record<string, unknown>>>;
}

it('a bundled module looks for files beside itself', async () => {
  const loader = (await import(
    pathToFileURL(join(import.meta.dirname, '../scripts/typescript.mjs')).href
  )) as Loader;
  const dir = mkdtempSync(join(tmpdir(), 'pgduet-bundle-'));
  try {
    const path = join(dir, 'here.ts');
    writeFileSync(
      path,
      `export const url: string = import.meta.url;\nexport const text = 'import.meta.url';\n`,
    );
    const { url, text } = await loader.loadTypeScript(path);
    expect([url, text]).toEqual([pathToFileURL(path).href, 'import.meta.url']);
  } finally {
    rmSync(dir, { recursive: true });
  }
});
