/**
 * What zod found wrong → Diagnostics with the place in the file, in words for a database administrator.
 * In: zod's issues, the nodes, and the JSON schema, which knows for every path its keys and descriptions. Pure.
 */
import type * as z from 'zod';
import type { Diagnostic } from '../base/diagnostic.ts';
import { nearest } from '../base/nearest.ts';
import { type Node, nodeAt } from '../base/yaml.ts';
import type { Path } from './draft.ts';
import { keyPosition, valuePosition } from './positions.ts';
import { inventoryJsonSchema, type JsonSchema } from './schema.ts';
import { isSecretPath } from './secrets.ts';

export type Issue = z.core.$ZodIssue;

export interface IssuesTold {
  readonly problems: readonly Diagnostic[];
  /** Paths, joined with dots, of keys that are missing only because they were mistyped. */
  readonly mistyped: ReadonlySet<string>;
}

/** The part of the schema that a path leads to. */
export function schemaAt(root: JsonSchema, path: Path): JsonSchema | undefined {
  return path.reduce<JsonSchema | undefined>((schema, step) => {
    if (typeof step === 'number') return schema?.items;
    const own = schema?.properties?.[step];
    const other = schema?.additionalProperties;
    return own ?? (typeof other === 'object' ? other : undefined);
  }, root);
}

/** All issues of one file, as messages. */
export function tellIssues(issues: readonly Issue[], root: Node): IssuesTold {
  const schema = inventoryJsonSchema();
  const mistyped = new Set<string>();
  const unknown = issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys' ? tellUnknownKeys(issue, root, schema, mistyped) : [],
  );
  const others = issues.flatMap((issue): Diagnostic[] => {
    const path = pathOf(issue);
    if (issue.code === 'unrecognized_keys') return [];
    // secrets.ts speaks about these, and says that clear text is the trouble, not its type.
    if (isSecretPath(path) && nodeAt(root, path)?.kind === 'scalar') return [];
    if (nodeAt(root, path) === undefined || (isEmpty(root, path) && !isSetting(path))) {
      return mistyped.has(path.join('.')) ? [] : [tellMissing(path, root, schema)];
    }
    return [tellWrong(issue, path, root, schemaAt(schema, path) ?? {})];
  });
  return { problems: [...unknown, ...others], mistyped };
}

const pathOf = (issue: Issue): Path =>
  issue.path.map((step) => (typeof step === 'number' ? step : String(step)));
const isSetting = (path: Path): boolean => path.length === 3 && path[1] === 'settings';

function isEmpty(root: Node, path: Path): boolean {
  const node = nodeAt(root, path);
  return node?.kind === 'scalar' && node.value === null;
}

function tellUnknownKeys(
  issue: Extract<Issue, { code: 'unrecognized_keys' }>,
  root: Node,
  schema: JsonSchema,
  mistyped: Set<string>,
): Diagnostic[] {
  const path = pathOf(issue);
  const known = Object.keys(schemaAt(schema, path)?.properties ?? {});
  return issue.keys.map((key): Diagnostic => {
    const meant = nearest(key, known);
    if (meant !== undefined) mistyped.add([...path, meant].join('.'));
    const elsewhere = meant === undefined ? placesOf(key, schema) : [];
    return {
      code: 'INV003',
      what: `'${key}' is not a key of ${nameOf(path)}`,
      why: 'a key that is not known would be ignored, and the setting meant by it would be missing',
      fix:
        meant !== undefined
          ? `Write '${meant}'.`
          : elsewhere.length > 0
            ? `Move it: ${elsewhere.join(' or ')} is a key.`
            : `Remove it, or use one of: ${known.join(', ')}.`,
      at: keyPosition(root, [...path, key]),
    };
  });
}

/** Where else in the format a key of this name exists: it may only stand in the wrong map. */
function placesOf(key: string, schema: JsonSchema, path: Path = []): string[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, inner]) => [
    ...(name === key ? [`'${[...path, name].join('.')}'`] : []),
    ...placesOf(key, inner, [...path, name]),
    ...(name === 'hosts' && typeof inner.additionalProperties === 'object'
      ? placesOf(key, inner.additionalProperties, [...path, name, 'NAME'])
      : []),
  ]);
}

const nameOf = (path: Path): string => (path.length === 0 ? 'an inventory' : `'${path.join('.')}'`);

export function tellMissing(path: Path, root: Node, schema = inventoryJsonSchema()): Diagnostic {
  const key = String(path.at(-1) ?? '');
  const about = schemaAt(schema, path);
  const parent = path.slice(0, -1);
  const example = exampleOf(about);
  const empty = nodeAt(root, path) !== undefined;
  const below = about?.required ?? [];
  const section = below.length > 0 ? `'${key}:' with ${below.join(' and ')} below it` : `'${key}:'`;
  const line = example === undefined ? section : `'${key}: ${example}'`;
  return {
    code: 'INV004',
    what: empty ? `'${path.join('.')}' has no value` : `'${path.join('.')}' is missing`,
    why: `it has no default: ${meaning(about, 'it must be given')}`,
    fix: empty
      ? `Write a value after it, for example ${line}.`
      : `Add ${line} ${parent.length === 0 ? 'to the inventory' : `under '${parent.join('.')}'`}.`,
    at: keyPosition(root, path),
  };
}

function exampleOf(schema: JsonSchema | undefined): string | undefined {
  const example = schema?.examples?.[0] ?? schema?.enum?.[0];
  return example === undefined ? undefined : String(example);
}

/** What a key is, from the first sentence of its description, to go on with in a sentence. */
function meaning(about: JsonSchema | undefined, otherwise: string): string {
  const sentence = (about?.description ?? otherwise).split(/\.(?:\s|$)/)[0] ?? otherwise;
  return /^[A-Z][a-z-]+\b/.test(sentence) && !/^[A-Z][a-z]*[A-Z]/.test(sentence)
    ? sentence.charAt(0).toLowerCase() + sentence.slice(1)
    : sentence;
}

function tellWrong(issue: Issue, path: Path, root: Node, about: JsonSchema): Diagnostic {
  const at = valuePosition(root, path) ?? keyPosition(root, path);
  const name = path.length === 0 ? 'the inventory' : `'${path.join('.')}'`;
  const node = nodeAt(root, path);
  if (issue.code === 'too_small' || issue.code === 'too_big') return { ...tellRange(name, node, about), at };
  if (issue.code === 'invalid_value') return { ...tellChoice(name, node, about), at };
  if (isSetting(path) && isEmpty(root, path)) {
    return {
      code: 'INV005',
      what: `the setting '${path.at(-1)}' has no value`,
      why: 'it is not clear whether the default or an empty text is meant',
      fix: `Remove the line for the default, or write '' for an empty text.`,
      at: keyPosition(root, path),
    };
  }
  return { ...tellType(name, String(path.at(-1) ?? ''), node, about), at };
}

function tellRange(name: string, node: Node | undefined, about: JsonSchema): Diagnostic {
  const number = node?.kind === 'scalar' ? node.source : '';
  const { minimum = 0, maximum = 0 } = about;
  if (name === "'postgres.version'") return tellVersion(number, minimum, maximum);
  const lowPort = minimum === 1024 && Number(number) > 0 && Number(number) < 1024;
  return {
    code: 'INV006',
    what: `${name} is ${number}, which is not from ${minimum} to ${maximum}`,
    why: lowPort
      ? 'only root may listen on ports below 1024, and the instance and its controller do not run as root'
      : `${meaning(about, 'the value')}; other numbers have no meaning here`,
    fix: `Write a number from ${minimum} to ${maximum}${about.default === undefined ? '' : `, for example ${about.default}`}.`,
  };
}

/** The version is a thing of its own: people write 9.6, "15" and 15.4. */
function tellVersion(written: string, oldest: number, newest: number): Diagnostic {
  const old = Number(written) < oldest;
  return {
    code: 'INV015',
    what: `PostgreSQL ${written} is not supported`,
    why: old
      ? `before version ${oldest} a standby is set up with recovery.conf, which pgduet does not write`
      : `pgduet knows the settings of the versions ${oldest} to ${newest} only`,
    fix: old
      ? `Upgrade the instance to ${oldest} or newer first, and write its major version here.`
      : `Write a major version from ${oldest} to ${newest}.`,
  };
}

function tellChoice(name: string, node: Node | undefined, about: JsonSchema): Diagnostic {
  const written = node?.kind === 'scalar' ? node.source : undefined;
  const choices = about.enum ?? [];
  const meant = written === undefined ? undefined : nearest(written, choices);
  return {
    code: 'INV005',
    what: `${name} ${written === undefined ? 'is no single word' : `cannot be '${written}'`}`,
    why: `it takes one of ${choices.length} words: ${choices.join(', ')}`,
    fix: meant === undefined ? `Write one of: ${choices.join(', ')}.` : `Write '${meant}'.`,
  };
}

const typeWords: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  integer: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a map of keys',
};

function kindOf(node: Node | undefined): string {
  if (node?.kind === 'map') return 'a map of keys';
  if (node?.kind === 'seq') return 'a list';
  if (node?.value === null || node === undefined) return 'empty';
  return { string: 'text', number: 'a number', boolean: 'true or false' }[typeof node.value as 'string'];
}

function tellType(name: string, key: string, node: Node | undefined, about: JsonSchema): Diagnostic {
  const types = Array.isArray(about.type) ? (about.type as string[]) : [String(about.type ?? 'string')];
  const wanted = types.map((type) => typeWords[type] ?? type).join(' or ');
  const written = node?.kind === 'scalar' ? node.source : undefined;
  const told = (what: string, why: string, fix: string): Diagnostic => ({ code: 'INV005', what, why, fix });
  const label = /^\d*$/.test(key) ? '' : `${key}: `;
  if (types[0] === 'integer' && written !== undefined) return tellNumber(name, key, written, node, about);
  if (types[0] === 'string' && written !== undefined && about.pattern?.includes('us|ms')) {
    return told(
      `${name} is ${written}, without a unit of time`,
      'it could be seconds or milliseconds, and the two are a thousand times apart',
      `Write the unit: ${key}: ${written}ms, or ${key}: ${written}s.`,
    );
  }
  if (types[0] === 'string' && written !== undefined) {
    return told(
      `${name} must be text, but YAML reads ${written} as ${kindOf(node)}`,
      'the value would not arrive as it was written',
      quotesHelp(key, written, about)
        ? `Write it in quotes: ${label}'${written}'.`
        : `Write for example ${label}${exampleOf(about)}.`,
    );
  }
  return told(
    `${name} must be ${wanted}, but is ${kindOf(node)}`,
    key === ''
      ? 'every value of an inventory stands under its key'
      : meaning(about, 'it cannot be guessed what is meant'),
    fixOfType(key, types[0] ?? '', about, written),
  );
}

/** Quotes are no help for a value that would be refused as text as well. */
function quotesHelp(key: string, written: string, about: JsonSchema): boolean {
  if (exampleOf(about) === undefined) return true;
  return about.pattern === undefined ? !/address/.test(key) : new RegExp(about.pattern).test(written);
}

function tellNumber(
  name: string,
  key: string,
  written: string,
  node: Node | undefined,
  about: JsonSchema,
): Diagnostic {
  const quoted = node?.kind === 'scalar' && typeof node.value === 'string' && /^\d+$/.test(node.value.trim());
  if (key === 'version' && !quoted && /^\d+(\.\d+)+$/.test(written)) {
    const major = Number(written.split('.')[0]);
    if (major < (about.minimum ?? 0)) return tellVersion(written, about.minimum ?? 0, about.maximum ?? 0);
    return {
      code: 'INV015',
      what: `${name} is ${written}, but the major version alone is meant`,
      why: 'the minor version is that of the packages on the hosts',
      fix: `Write ${key}: ${major}.`,
    };
  }
  const example = about.default ?? about.examples?.[0] ?? about.minimum ?? 1;
  return {
    code: 'INV005',
    what: `${name} must be a whole number, but is ${quoted ? 'text' : `'${written}'`}`,
    why: quoted ? 'quotes make a number into text' : meaning(about, 'it is counted'),
    fix: quoted
      ? `Write it without quotes: ${key}: ${String(node.value).trim()}.`
      : `Write for example ${key}: ${example}.`,
  };
}

function fixOfType(key: string, type: string, about: JsonSchema, written: string | undefined): string {
  if (type === 'array' && about.items?.type === 'object') {
    return `Write a list, each item below it with '- ' and its keys: ${Object.keys(about.items.properties ?? {}).join(', ')}.`;
  }
  if (type === 'array') return `Write a list, for example ${key}: [${written ?? 'one, two'}].`;
  if (type !== 'object') return `Write ${key}: ${exampleOf(about) ?? 'VALUE'}.`;
  const keys = Object.keys(about.properties ?? {});
  return keys.length === 0
    ? `Write keys with values below it, indented.`
    : `Write keys with values below it, indented; it has: ${keys.join(', ')}.`;
}
