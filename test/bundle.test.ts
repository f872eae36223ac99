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

it('the controller makes Node load nothing that is there for the web', async () => {
  const { controllerText } = (await import(
    pathToFileURL(join(import.meta.dirname, '../scripts/bundle.mjs')).href
  )) as { controllerText(): Promise<string> };
  // Node loads all of it at the first touch of one of these names: 60 ms of each start, and memory for good.
  expect(await controllerText()).not.toMatch(
    /\b(?:new|typeof) (?:Response|Request|Headers|FormData|WebSocket)\b|\bfetch\(/,
  );
});
