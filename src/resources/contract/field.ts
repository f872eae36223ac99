/**
 * One field of a kind, as data: what it takes, what counts when it is left out, what it means, and how its value is read.
 * The parser, the reference and the JSON schema of playbooks come from this description. Pure; a reader never throws.
 */

import type { Position } from '../../base/position.ts';
import type { Secret } from '../../base/secret.ts';
import { parseSizeBytes } from '../../base/units.ts';
import type { MapNode, Node, ScalarNode } from '../../base/yaml.ts';
import type { ParseContext, ServerPlace } from './context.ts';

/** What a field takes, for people and editors. */
export type Shape =
  | { readonly type: 'text' | 'integer' | 'flag' | 'mode' | 'size' | 'template' | 'secret' }
  /** A list of texts; a single text is a list of one, or with `split` one of all its words. A map counts as its `key`. */
  | { readonly type: 'list'; readonly split: boolean; readonly key?: string }
  /** A list of maps with these fields. */
  | { readonly type: 'maps'; readonly table: Readonly<Record<string, Field<unknown>>> }
  /** A map of single values. */
  | { readonly type: 'map' }
  | { readonly type: 'one of'; readonly words: readonly string[] };

export interface Field<T> {
  readonly shape: Shape;
  /** A few words for the reference and for editors; Markdown. */
  readonly meaning: string;
  /** What counts when the field is left out, as a playbook would write it. */
  readonly absent: 'required' | 'optional' | { readonly default: string };
  /** Accepted, and no longer meant to be written: see `serverFields`. */
  readonly former?: true;
  /** After a problem the value is a placeholder, so that the other fields are judged as well. */
  read(given: Given): T;
}

/** The place of a field in a playbook, and what stands there. */
export interface Given {
  readonly name: string;
  /** Undefined when the field is left out. */
  readonly node: Node | undefined;
  readonly context: ParseContext;
  /** Reported at the value of the field or a part of it, or at the map of the field when it is left out. */
  problem(what: string, fix: string, at?: Position): void;
  missing(): void;
}

/** A required text, or one with a default. Empty text counts as missing. */
export const text = (meaning: string, standard?: string): Field<string> =>
  single({ shape: { type: 'text' }, meaning, standard, placeholder: '', parse: (value) => value });

export const integer = (meaning: string, standard?: number): Field<number> =>
  single({
    shape: { type: 'integer' },
    meaning,
    standard,
    placeholder: 0,
    parse: (value, { name, problem }) => {
      if (/^-?\d+$/.test(value)) return Number(value);
      problem(`'${name}' must be a whole number, not '${value}'`, `Write '${name}: 1', for example.`);
      return undefined;
    },
  });

export const flag = (meaning: string, standard: boolean): Field<boolean> =>
  single({
    shape: { type: 'flag' },
    meaning,
    standard,
    placeholder: standard,
    parse: (value, { name, problem }) => {
      if (value === 'true' || value === 'false') return value === 'true';
      problem(
        `'${name}' must be true or false, not '${value}'`,
        `Write '${name}: true' or '${name}: false'.`,
      );
      return undefined;
    },
  });

export const oneOf = <const T extends string>(
  words: readonly [T, ...T[]],
  meaning: string,
  standard?: NoInfer<T>,
): Field<T> =>
  single({
    shape: { type: 'one of', words },
    meaning,
    standard,
    placeholder: words[0],
    parse: (value, { name, problem }) => {
      const known = words.find((word) => word === value);
      if (known === undefined) problem(`'${name}' cannot be '${value}'`, `Use one of: ${words.join(', ')}.`);
      return known;
    },
  });

/** A size with its unit; the value is bytes. */
export const size = (meaning: string): Field<number> =>
  single({
    shape: { type: 'size' },
    meaning,
    standard: undefined,
    placeholder: 0,
    parse: (value, { name, problem }) => {
      const bytes = parseSizeBytes(value);
      if (bytes === undefined) problem(`'${name}' must be a size, not '${value}'`, `Write '${name}: 256MB'.`);
      return bytes;
    },
  });

/** The name of a template; the value is its text, rendered for this host. */
export const template = (meaning: string): Field<string> =>
  single({
    shape: { type: 'template' },
    meaning,
    standard: undefined,
    placeholder: '',
    parse: (value, { context, problem }) => {
      const rendered = context.render(value);
      if (rendered.ok) return rendered.value;
      for (const { what, fix } of rendered.diagnostics) problem(what, fix);
      return undefined;
    },
  });

/** An octal file mode such as "0600"; the value has four digits. YAML may read it as a number, so its source counts. */
export const mode = (meaning: string, standard: string): Field<string> => ({
  shape: { type: 'mode' },
  meaning,
  absent: { default: standard },
  read: (given) => {
    const found = scalarOf(given);
    if (found === undefined) return standard;
    const value = found.source || String(found.value);
    if (/^0?[0-7]{3}$/.test(value)) return value.padStart(4, '0');
    given.problem(`'${given.name}' must be an octal mode, not '${value}'`, `Write '${given.name}: "0600"'.`);
    return standard;
  },
});

/** The secrets of a cluster. */
export const secretNames = [
  'replication_password',
  'rewind_password',
  'cluster_key',
  'arbiter_key',
  'etcd_password',
  'instance_environment',
  'renewal',
  'arbiter_renewal',
] as const;

/** A secret by its name. */
export const secret = (meaning: string): Field<Secret | undefined> => ({
  shape: { type: 'secret' },
  meaning,
  absent: 'optional',
  read: ({ name, node, context, problem }) => {
    if (node === undefined) return undefined;
    if (node.kind !== 'scalar' || node.tag !== '!secret') {
      problem(`'${name}' must be a secret by name`, `Write '${name}: !secret replication_password'.`);
      return undefined;
    }
    const found = context.secret(String(node.value));
    if (!found) problem(`there is no secret '${node.value}'`, `Use one of: ${secretNames.join(', ')}.`);
    return found;
  },
});

/** Texts; a single text is a list of one. */
export const list = (meaning: string): Field<readonly string[]> => ({
  shape: { type: 'list', split: false },
  meaning,
  absent: 'optional',
  read: (given) => textsOf(given),
});

/**
 * Words: a list, or one text with blanks between them. With `key` an entry of a list may be a map that has the word there,
 * such as the name of a server or the path of a tablespace.
 */
export const wordList = (meaning: string, key?: string): Field<readonly string[]> => ({
  shape: { type: 'list', split: true, ...(key === undefined ? {} : { key }) },
  meaning,
  absent: 'optional',
  read: (given) => {
    const texts = textsOf(given, key);
    // A path in a list is whole, with its blanks; names have none.
    return given.node?.kind === 'seq' && key === 'path' ? texts : texts.flatMap(splitWords);
  },
});

const splitWords = (value: string): readonly string[] => value.split(/\s+/).filter((word) => word !== '');

export const map = (meaning: string): Field<Readonly<Record<string, string>>> => ({
  shape: { type: 'map' },
  meaning,
  absent: 'optional',
  read: ({ name, node, problem }) => {
    if (node === undefined) return {};
    if (node.kind === 'map')
      return Object.fromEntries(node.entries.map(({ key, value }) => [key, entryText(key, value, problem)]));
    problem(`'${name}' must be a map`, `Write '${name}: { key: value }'.`);
    return {};
  },
});

/** A field that may be left out, and has no value then. */
export const optional = <T>(field: Field<T>): Field<T | undefined> => ({
  ...field,
  absent: 'optional',
  read: (given) => (isEmpty(given.node) ? undefined : field.read(given)),
});

/** What a playbook had to say of the server before its place came from the inventory. The same is accepted, nothing else is. */
export const former = (place: keyof ServerPlace): Field<undefined> => ({
  shape: { type: 'text' },
  meaning: 'not needed: the inventory says it',
  absent: 'optional',
  former: true,
  read: (given) => {
    const { name, context, problem } = given;
    const value = String(scalarOf(given)?.value ?? '');
    const known = String(context.server?.[place] ?? '');
    if (value !== '' && value !== known)
      problem(
        `'${name}' is '${value}', and the inventory says '${known}'`,
        `Remove '${name}': the inventory says where the server is.`,
      );
    return undefined;
  },
});

interface Single<T> {
  readonly shape: Shape;
  readonly meaning: string;
  readonly standard: T | undefined;
  readonly placeholder: T;
  /** Undefined after a problem. */
  parse(value: string, given: Given): T | undefined;
}

const single = <T extends string | number | boolean>(field: Single<T>): Field<T> => {
  const { shape, meaning, standard, placeholder, parse } = field;
  return {
    shape,
    meaning,
    absent: standard === undefined ? 'required' : { default: String(standard) },
    read: (given) => {
      const found = scalarOf(given);
      const value = found === undefined ? '' : String(found.value);
      if (value !== '') return parse(value, given) ?? standard ?? placeholder;
      // A value of another form has been reported already.
      if (standard === undefined && given.node?.kind !== 'map' && given.node?.kind !== 'seq') given.missing();
      return standard ?? placeholder;
    },
  };
};

const isNull = (node: Node | undefined): node is undefined =>
  node === undefined || (node.kind === 'scalar' && node.value === null);

const isEmpty = (node: Node | undefined): boolean =>
  isNull(node) || (node.kind === 'scalar' && node.value === '');

function scalarOf({ name, node, problem }: Given): ScalarNode | undefined {
  if (isNull(node)) return undefined;
  if (node.kind === 'scalar') return node;
  problem(`'${name}' must be a single value`, `Write '${name}: value'.`);
  return undefined;
}

function textsOf({ name, node, problem }: Given, key?: string): readonly string[] {
  if (isNull(node)) return [];
  return (node.kind === 'seq' ? node.items : [node]).flatMap((item) => {
    const value = item.kind === 'map' ? item.entries.find((entry) => entry.key === key)?.value : item;
    if (value?.kind === 'scalar') return isEmpty(value) ? [] : [String(value.value)];
    problem(`'${name}' must be a list of single values`, `Write '${name}: [one, two]'.`, item.at);
    return [];
  });
}

function entryText(key: MapNode['entries'][number]['key'], value: Node, problem: Given['problem']): string {
  if (value.kind === 'scalar') return String(value.value ?? '');
  problem(`'${key}' must be a single value`, `Write '${key}: value'.`);
  return '';
}
