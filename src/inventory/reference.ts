/**
 * The generated texts: `schema/inventory.json`, and the tables of keys in `docs/inventory.md`, both made from
 * the zod definitions. Used by `scripts/schema.mjs` and by the test that compares. Pure.
 */
import { asOne, inventoryJsonSchema, type JsonSchema } from './schema.ts';

/** The JSON schema as it stands in its file. */
export const schemaText = (): string => `${JSON.stringify(inventoryJsonSchema(), null, 2)}\n`;

const begin = '<!-- keys: made by scripts/schema.mjs, do not edit -->';
const end = '<!-- end of keys -->';

/** The document with the tables between its two marks made anew. */
export function withReference(document: string): string {
  const [before] = document.split(begin);
  const after = document.split(end)[1] ?? '';
  return `${before ?? ''}${begin}\n\n${referenceTables()}\n${end}${after}`;
}

interface Section {
  readonly title: string;
  readonly schema: JsonSchema;
}

/** One table for every map of the format, outer ones first. */
export function referenceTables(): string {
  return sections({ title: '', schema: inventoryJsonSchema() }).map(renderSection).join('\n');
}

function sections({ title, schema }: Section): Section[] {
  const children = Object.entries(schema.properties ?? {}).flatMap(([key, value]): Section[] => {
    const child = asOne(value);
    const path = title === '' ? key : `${title}.${key}`;
    // Overrides have the keys of what they override; one table is enough.
    if (path === 'hosts.NAME.ssh' || path === 'hosts.NAME.multiplexing') return [];
    if (child.items?.properties) return sections({ title: `${path}[]`, schema: child.items });
    const named = child.additionalProperties;
    if (typeof named === 'object' && named.properties)
      return sections({ title: `${path}.NAME`, schema: named });
    return child.properties ? sections({ title: path, schema: child }) : [];
  });
  return [{ title, schema }, ...children];
}

function renderSection({ title, schema }: Section): string {
  const rows = Object.entries(schema.properties ?? {}).map(([key, value]) => {
    const child = asOne(value);
    const required = schema.required?.includes(key) === true;
    return [
      `\`${key}\``,
      typeOf(child),
      required ? '**required**' : standard(child),
      cell(child.description ?? ''),
    ];
  });
  const heading = title === '' ? '### Top level' : `### \`${title}\``;
  const about = title === '' ? '' : `\n${schema.description ?? ''}\n`;
  return [heading, about, ...table(['key', 'type', 'default', 'meaning'], rows), ''].join('\n');
}

/** A table whose columns are as wide as their widest cell: the form that the formatter of the project keeps. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const widths = head.map((name, column) =>
    Math.max(name.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]) =>
    `| ${cells.map((text, column) => text.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)];
}

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('<', '&lt;');

function typeOf(schema: JsonSchema): string {
  if (schema.enum)
    return [...schema.enum.map((word) => `\`${word}\``), ...(schema.anyOf ? ['map'] : [])].join(', ');
  if (schema.pattern?.includes('us\\|ms') || schema.pattern?.includes('us|ms')) return 'time';
  if (schema.pattern === '^/') return 'path on the host';
  if (schema.description?.includes('A secret:')) return 'secret';
  if (schema.type === 'integer') return `number, ${schema.minimum}–${schema.maximum}`;
  if (schema.type === 'array') return 'list';
  return schema.type === 'object' ? 'map' : 'text';
}

function standard(schema: JsonSchema): string {
  if (schema.default === undefined) return '—';
  return `\`${typeof schema.default === 'string' ? schema.default : JSON.stringify(schema.default)}\``;
}
