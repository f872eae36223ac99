/**
 * A value that zod refused → what is wrong with it, in words: out of range, no known word, wrong type, no unit.
 * In: zod's issue, the node, and what the schema says about the key. Out: a Diagnostic without its place. Pure.
 */
import type * as z from 'zod';
import type { Diagnostic } from '../base/diagnostic.ts';
import { nearest } from '../base/nearest.ts';
import type { Node } from '../base/yaml.ts';
import { exampleOf, meaning } from './about.ts';
import { ports } from './defaults.ts';
import type { Path } from './draft.ts';
import type { JsonSchema } from './schema.ts';

export function tellWrongValue(
  issue: z.core.$ZodIssue,
  path: Path,
  node: Node | undefined,
  about: JsonSchema,
): Diagnostic {
  const name = path.length === 0 ? 'the inventory' : `'${path.join('.')}'`;
  const key = String(path.at(-1) ?? '');
  if (issue.code === 'too_small' || issue.code === 'too_big') return tellRange(name, node, about);
  if (issue.code === 'invalid_value') return tellChoice(name, node, about);
  return tellType(name, key, node, about);
}

function tellRange(name: string, node: Node | undefined, about: JsonSchema): Diagnostic {
  const number = node?.kind === 'scalar' ? node.source : '';
  const { minimum = 0, maximum = 0 } = about;
  if (name === "'postgres.version'") return tellVersion(number, minimum, maximum);
  const lowPort = minimum === ports.lowest && Number(number) > 0 && Number(number) < ports.lowest;
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
      ? `versions before ${oldest} get no more corrections, and there a standby that runs does not follow another primary`
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
    why: `it takes ${choices.length === 1 ? 'the word' : `one of ${choices.length} words:`} ${choices.join(', ')}${orKeys(about)}`,
    fix:
      meant !== undefined
        ? `Write '${meant}'.`
        : choices.length === 1 && about.properties
          ? `Write such a map, or ${choices.join()}.`
          : `Write one of: ${choices.join(', ')}.`,
  };
}

const orKeys = ({ properties }: JsonSchema): string =>
  properties ? `; or a map of the keys ${Object.keys(properties).join(', ')}` : '';

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
  const number = node?.kind === 'scalar' && typeof node.value === 'number';
  if (number && about.pattern?.includes('us|ms')) {
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
  // A secret is never shown as a value, not even in an example.
  if (about.description?.includes('A secret:')) return `Write ${key}: !env NAME.`;
  if (type !== 'object') return `Write ${key}: ${exampleOf(about) ?? 'VALUE'}.`;
  const keys = Object.keys(about.properties ?? {});
  return keys.length === 0
    ? `Write keys with values below it, indented.`
    : `Write keys with values below it, indented; it has: ${keys.join(', ')}.`;
}
