/** What the build makes of the shipped templates and playbooks says the same as the libraries do at a start. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import Handlebars from 'handlebars';
import { expect, it } from 'vitest';
import { ok } from '../../src/base/diagnostic.ts';
import { type Packed, pack, unpack } from '../../src/base/packed-yaml.ts';
import { nodeAt, parseYaml } from '../../src/base/yaml.ts';
import { compileOptions, isPlain } from '../../src/playbook/render.ts';

const { precompiledSource, preparsedSource, shippedPlaybooks, shippedTexts } = (await import(
  pathToFileURL(join(import.meta.dirname, '../../scripts/precompiled.mjs')).href
)) as {
  precompiledSource(): Promise<string>;
  preparsedSource(): Promise<string>;
  shippedPlaybooks(): readonly string[];
  shippedTexts(): readonly string[];
};
const moduleOf = async (source: string): Promise<unknown> =>
  import(`data:text/javascript,${encodeURIComponent(source)}`);
const { precompiled } = (await moduleOf(await precompiledSource())) as {
  readonly precompiled: ReadonlyMap<string, TemplateSpecification>;
};
const { preparsed } = (await moduleOf(await preparsedSource())) as {
  readonly preparsed: ReadonlyMap<string, string>;
};
const yamlCodes = { syntax: 'PLY001', duplicateKey: 'PLY002' } as const;

const handlebars = Handlebars.create();
for (const name of ['setting', 'shell', 'concat', 'eq'])
  handlebars.registerHelper(name, (...all: unknown[]) => `${name}(${all.slice(0, -1).join()})`);

/** The text, or what is wrong with it. */
function said(template: HandlebarsTemplateDelegate, variables: object): string {
  try {
    return template(variables);
  } catch (error) {
    return `error: ${String(error)}`;
  }
}

/** Every name means something, and the first `known` of them are met. */
function variables(names: readonly string[], known: number): object {
  const all: Record<string, unknown> = {};
  for (const name of names.slice(0, known)) {
    const [first = '', second] = name.split('.');
    if (second === undefined) all[first] = `<${first}>`;
    else all[first] = { ...(all[first] as object), [second]: `<${name}>` };
  }
  return all;
}

it('every template is among them, and every text of a playbook that is more than variables', () => {
  const folder = join(import.meta.dirname, '../../templates');
  const templates = readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8'));
  const rendered = templates.filter((text) => text.includes('{{') && !isPlain(text));
  expect(rendered.length).toBeGreaterThan(5);
  expect([...precompiled.keys()]).toEqual(expect.arrayContaining(rendered));
  expect(precompiled.has("{{eq adopted.phase ''}}")).toBe(true);
  expect([...precompiled.keys()].filter(isPlain)).toEqual([]);
});

it.each(shippedTexts().filter((text) => !isPlain(text)))('says the same of %j', (text) => {
  const specification = precompiled.get(text);
  if (!specification) throw new Error('it was not compiled');
  const [ours, theirs] = [handlebars.template(specification), handlebars.compile(text, compileOptions)];
  const names = [...text.matchAll(/\{\{[^}]*?([A-Za-z_][\w.]*)[^A-Za-z}]*\}\}/g)].map(
    ([, name = '']) => name,
  );
  for (const known of [0, 1, Math.floor(names.length / 2), names.length]) {
    const given = variables(names, known);
    expect(said(ours, given)).toBe(said(theirs, given));
  }
});

it.each(shippedPlaybooks())('knows the nodes of a playbook and their places: %j', (text) => {
  const packed = JSON.parse(preparsed.get(text) ?? 'null') as Packed;
  const nodes = unpack(packed, text, 'its name');
  expect(ok(nodes)).toEqual(parseYaml(text, 'its name', yamlCodes));
  expect(nodeAt(nodes, ['title'])).toMatchObject({ kind: 'scalar', at: { file: 'its name' } });
});

it('packs whatever a playbook may hold', () => {
  const text = `a: [1, 07, 1e3, ~, '', "b\\n", true]\r\nb: !secret c\nd: {}\n? e\n: &f { g: [] }\nh: *f\ni: |\n  j\n\n  k\nl:\n`;
  const parsed = parseYaml(text, 'file', yamlCodes);
  if (!parsed.ok) throw new Error('it cannot be read');
  const kept = JSON.parse(JSON.stringify(pack(parsed.value))) as Packed;
  expect(unpack(kept, text, 'file')).toEqual(parsed.value);
});
