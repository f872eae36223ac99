// Compiles the shipped templates while pgduet is built, with the library that would do it at each start. In: templates/ and
// playbooks/. Out: a plugin for esbuild that fills src/playbook/precompiled.ts.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Handlebars from 'handlebars';
import { parse } from 'yaml';
import { loadTypeScript } from './typescript.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Every text that Handlebars is asked about when a shipped playbook is run. */
export function shippedTexts() {
  const read = (folder, ending) =>
    readdirSync(join(root, folder), { recursive: true })
      .filter((name) => name.endsWith(ending))
      .sort()
      .map((name) => readFileSync(join(root, folder, name), 'utf8'));
  const inPlaybooks = read('playbooks', '.yml').flatMap((text) =>
    stringsIn(parse(text, { logLevel: 'error' })),
  );
  return [...new Set([...read('templates', '.hbs'), ...inPlaybooks])].filter((text) => text.includes('{{'));
}

function stringsIn(value) {
  if (typeof value === 'string') return [value];
  return value !== null && typeof value === 'object' ? Object.values(value).flatMap(stringsIn) : [];
}

/** Source text of the module: a map from each text to what Handlebars makes of it. */
export async function precompiledSource() {
  const { compileOptions, isPlain } = await loadTypeScript('src/playbook/render.ts');
  const entries = shippedTexts()
    .filter((text) => !isPlain(text))
    .map((text) => `[${JSON.stringify(text)}, ${Handlebars.precompile(text, compileOptions)}]`);
  return `export const precompiled = new Map([${entries.join(',\n')}]);`;
}

export const precompiled = {
  name: 'precompiled templates',
  setup: ({ onLoad }) =>
    onLoad({ filter: /[/\\]src[/\\]playbook[/\\]precompiled\.ts$/ }, async () => ({
      contents: await precompiledSource(),
      loader: 'js',
    })),
};
