// Reads the shipped playbooks and compiles the shipped templates while pgduet is built, with the libraries that would do it at each
// start. In: templates/ and playbooks/. Out: a plugin for esbuild that fills src/playbook/precompiled.ts and preparsed.ts.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Handlebars from 'handlebars';
import { parse } from 'yaml';
import { loadTypeScript } from './typescript.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

const read = (folder, ending) =>
  readdirSync(join(root, folder), { recursive: true })
    .filter((name) => name.endsWith(ending))
    .sort()
    .map((name) => readFileSync(join(root, folder, name), 'utf8'));

export const shippedPlaybooks = () => read('playbooks', '.yml');

/** Every text that Handlebars is asked about when a shipped playbook is run. */
export function shippedTexts() {
  const inPlaybooks = shippedPlaybooks().flatMap((text) => stringsIn(parse(text, { logLevel: 'error' })));
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

/** Source text of the module: a map from each text to its nodes. A playbook that cannot be read ends the build. */
export async function preparsedSource() {
  const [{ parseYaml }, { pack }] = await Promise.all(
    ['src/base/yaml.ts', 'src/base/packed-yaml.ts'].map((path) => loadTypeScript(path)),
  );
  const entries = shippedPlaybooks().map((text) => {
    const parsed = parseYaml(text, '', { syntax: 'PLY001', duplicateKey: 'PLY002' });
    if (!parsed.ok)
      throw new Error(`a shipped playbook cannot be read: ${JSON.stringify(parsed.diagnostics)}`);
    return `[${JSON.stringify(text)}, ${JSON.stringify(JSON.stringify(pack(parsed.value)))}]`;
  });
  return `export const preparsed = new Map([${entries.join(',\n')}]);`;
}

export const precompiled = {
  name: 'precompiled templates and playbooks',
  setup: ({ onLoad }) => {
    const fill = (filter, source) =>
      onLoad({ filter }, async () => ({ contents: await source(), loader: 'js' }));
    fill(/[/\\]src[/\\]playbook[/\\]precompiled\.ts$/, precompiledSource);
    fill(/[/\\]src[/\\]playbook[/\\]preparsed\.ts$/, preparsedSource);
  },
};
