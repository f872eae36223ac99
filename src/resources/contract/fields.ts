/**
 * Reads the fields of one resource from its YAML node: types, defaults, unknown keys, all errors at once.
 * In: a node whose templates are expanded already. Out: values, and diagnostics through `finish`.
 */
import { type Diagnostic, failed, type Result } from '../../base/diagnostic.ts';
import { nearest } from '../../base/nearest.ts';
import type { Position } from '../../base/position.ts';
import type { Secret } from '../../base/secret.ts';
import type { Node, ScalarNode } from '../../base/yaml.ts';
import type { ParseContext } from './kind.ts';

export interface Fields {
  /** A required text; empty text counts as missing. */
  text(name: string): string;
  optionalText(name: string): string | undefined;
  integer(name: string, fallback?: number): number;
  flag(name: string, fallback: boolean): boolean;
  list(name: string): readonly string[];
  /** A sequence, or a text with blanks between its words. */
  words(name: string): readonly string[];
  /** A map of scalars. */
  record(name: string): Readonly<Record<string, string>>;
  /** The maps of a sequence, each read by the same reader. */
  maps<T>(name: string, read: (fields: Fields) => T): readonly T[];
  oneOf<T extends string>(name: string, words: readonly T[], fallback?: T): T;
  /** An octal file mode such as "0600". */
  mode(name: string, fallback: string): string;
  secret(name: string): Secret | undefined;
  problem(name: string, what: string, fix: string): void;
}

/** Reads a map node; the value counts only if no diagnostic was made. */
export function readFields<T>(
  node: Node,
  context: ParseContext,
  kind: string,
  read: (fields: Fields) => T,
): Result<T> {
  const problems: Diagnostic[] = [];
  const value = readMap(node, context, kind, problems, read);
  return problems.length > 0 || value === undefined ? failed(...problems) : { ok: true, value };
}

function readMap<T>(
  node: Node,
  context: ParseContext,
  kind: string,
  problems: Diagnostic[],
  read: (fields: Fields) => T,
): T | undefined {
  const say = (at: Position, what: string, fix: string) =>
    problems.push({
      code: 'PLY003',
      what: `${kind}: ${what}`,
      why: 'the resource cannot be understood, so nothing is done with it',
      fix,
      at,
    });
  if (node.kind !== 'map') {
    say(node.at, 'a map of fields is expected here', `Write the fields of '${kind}' as "name: value" lines.`);
    return undefined;
  }
  const asked = new Set<string>();
  const value = read(makeFields(node, asked, context, kind, problems, say));
  for (const entry of node.entries) {
    if (asked.has(entry.key)) continue;
    const near = nearest(entry.key, [...asked]);
    say(
      entry.keyAt,
      `the field '${entry.key}' is not known`,
      near ? `Did you mean '${near}'?` : `Known fields: ${[...asked].join(', ')}.`,
    );
  }
  return value;
}

function makeFields(
  node: Extract<Node, { kind: 'map' }>,
  asked: Set<string>,
  context: ParseContext,
  kind: string,
  problems: Diagnostic[],
  say: (at: Position, what: string, fix: string) => void,
): Fields {
  const find = (name: string): Node | undefined => {
    asked.add(name);
    return node.entries.find((entry) => entry.key === name)?.value;
  };
  const scalar = (name: string): ScalarNode | undefined => {
    const found = find(name);
    if (found === undefined || (found.kind === 'scalar' && found.value === null)) return undefined;
    if (found.kind === 'scalar') return found;
    say(found.at, `'${name}' must be a single value`, `Write '${name}: value'.`);
    return undefined;
  };
  const optionalText = (name: string): string | undefined => {
    const found = scalar(name);
    const text = found === undefined ? undefined : String(found.value);
    return text === '' ? undefined : text;
  };
  /** Said where a value was looked for and not found; one of the wrong shape has been told already. */
  const required = (name: string): void => {
    const found = find(name);
    if (found === undefined || found.kind === 'scalar')
      say(node.at, `the field '${name}' is missing or empty`, `Add '${name}: …'.`);
  };
  return {
    optionalText,
    text(name) {
      const text = optionalText(name);
      if (text === undefined) required(name);
      return text ?? '';
    },
    integer(name, fallback) {
      const text = optionalText(name);
      if (text === undefined) {
        if (fallback === undefined) required(name);
        return fallback ?? 0;
      }
      if (/^-?\d+$/.test(text)) return Number(text);
      say(
        find(name)?.at ?? node.at,
        `'${name}' must be a whole number, not '${text}'`,
        `Write '${name}: 1', for example.`,
      );
      return 0;
    },
    flag(name, fallback) {
      const text = optionalText(name);
      if (text === undefined) return fallback;
      if (text === 'true' || text === 'false') return text === 'true';
      say(
        find(name)?.at ?? node.at,
        `'${name}' must be true or false, not '${text}'`,
        `Write '${name}: true' or '${name}: false'.`,
      );
      return fallback;
    },
    list(name) {
      const found = find(name);
      if (found === undefined || (found.kind === 'scalar' && found.value === null)) return [];
      const items = found.kind === 'seq' ? found.items : [found];
      return items.flatMap((item) =>
        item.kind === 'scalar' && String(item.value ?? '') !== '' ? [String(item.value)] : [],
      );
    },
    words(name) {
      return this.list(name).flatMap((text) => text.split(/\s+/).filter((word) => word !== ''));
    },
    record(name) {
      const found = find(name);
      if (found === undefined) return {};
      if (found.kind !== 'map') {
        say(found.at, `'${name}' must be a map`, `Write '${name}: { key: value }'.`);
        return {};
      }
      return Object.fromEntries(
        found.entries.map((entry) => [
          entry.key,
          entry.value.kind === 'scalar' ? String(entry.value.value ?? '') : '',
        ]),
      );
    },
    maps(name, read) {
      const found = find(name);
      if (found === undefined) return [];
      if (found.kind !== 'seq') {
        say(
          found.at,
          `'${name}' must be a list`,
          `Write each entry of '${name}' on a line that starts with "- ".`,
        );
        return [];
      }
      return found.items.flatMap((item) => {
        const value = readMap(item, context, `${kind} ${name}`, problems, read);
        return value === undefined ? [] : [value];
      });
    },
    oneOf(name, words, fallback) {
      const text = optionalText(name);
      const known = words.find((word) => word === text);
      if (known !== undefined) return known;
      if (text === undefined && fallback !== undefined) return fallback;
      if (text === undefined) required(name);
      else
        say(find(name)?.at ?? node.at, `'${name}' cannot be '${text}'`, `Use one of: ${words.join(', ')}.`);
      return fallback ?? (words[0] as (typeof words)[number]);
    },
    mode(name, fallback) {
      const found = scalar(name);
      const text = found === undefined ? fallback : found.source || String(found.value);
      if (/^0?[0-7]{3}$/.test(text)) return text.padStart(4, '0');
      say(found?.at ?? node.at, `'${name}' must be an octal mode, not '${text}'`, `Write '${name}: "0600"'.`);
      return fallback;
    },
    secret(name) {
      const found = find(name);
      if (found === undefined) return undefined;
      if (found.kind !== 'scalar' || found.tag !== '!secret') {
        say(found.at, `'${name}' must be a secret by name`, `Write '${name}: !secret replication_password'.`);
        return undefined;
      }
      const secret = context.secret(String(found.value));
      if (!secret)
        say(
          found.at,
          `there is no secret '${found.value}'`,
          'Use replication_password, rewind_password or cluster_key.',
        );
      return secret;
    },
    problem(name, what, fix) {
      say(find(name)?.at ?? node.at, what, fix);
    },
  };
}
