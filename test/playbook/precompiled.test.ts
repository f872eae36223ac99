/** What the build makes of the shipped templates says the same as Handlebars does at a start. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import Handlebars from 'handlebars';
import { expect, it } from 'vitest';
import { compileOptions, isPlain } from '../../src/playbook/render.ts';

const { precompiledSource, shippedTexts } = (await import(
  pathToFileURL(join(import.meta.dirname, '../../scripts/precompiled.mjs')).href
)) as { precompiledSource(): Promise<string>; shippedTexts(): readonly string[] };
const source = await precompiledSource();
const { precompiled } = (await import(`data:text/javascript,${encodeURIComponent(source)}`)) as {
  readonly precompiled: ReadonlyMap<string, TemplateSpecification>;
};

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
