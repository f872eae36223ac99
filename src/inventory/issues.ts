/**
 * What zod found wrong → Diagnostics with the place in the file, in words for a database administrator.
 * In: zod's issues, the nodes, and the JSON schema, which knows for every path its keys and descriptions. Pure.
 */
import type * as z from 'zod';
import type { Diagnostic } from '../base/diagnostic.ts';
import { nearest } from '../base/nearest.ts';
import { type Node, nodeAt } from '../base/yaml.ts';
import { exampleOf, knownSchema, meaning, schemaAt } from './about.ts';
import { commonKeys, derivedKeys } from './controller-keys.ts';
import type { Path } from './draft.ts';
import { keyPosition, valuePosition } from './positions.ts';
import { asOne, type JsonSchema } from './schema.ts';
import { isSecretPath } from './secrets.ts';
import { tellWrongValue } from './values.ts';

export type Issue = z.core.$ZodIssue;

export interface IssuesReported {
  readonly problems: readonly Diagnostic[];
  /** Paths, joined with dots, of keys that are missing only because they were mistyped. */
  readonly mistyped: ReadonlySet<string>;
}

/** All issues of one file, as messages. */
export function tellIssues(issues: readonly Issue[], root: Node): IssuesReported {
  if (issues.length === 0) return { problems: [], mistyped: new Set() };
  const schema = knownSchema();
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
    const derived = tellDerived(path, key);
    if (derived) return { ...derived, at: keyPosition(root, [...path, key]) };
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

/** Keys of the controller's file that follow from other keys, and keys that hold for all servers alike. */
function tellDerived(path: Path, key: string): Omit<Diagnostic, 'at'> | undefined {
  if (path.at(-1) !== 'multiplexing') return undefined;
  if (Object.hasOwn(derivedKeys, key) && derivedKeys[key])
    return { code: 'INV003', what: `'${key}' is not for the inventory`, ...derivedKeys[key] };
  if (path.length === 1 || !commonKeys.includes(key)) return undefined;
  return {
    code: 'INV003',
    what: `'${key}' is not a key of '${path.join('.')}'`,
    why: 'it holds for all servers alike: two that differ would judge one thing in two ways',
    fix: `Move it to 'multiplexing.${key}'.`,
  };
}

/** Where else in the format a key of this name exists: it may only stand in the wrong map. */
function placesOf(key: string, schema: JsonSchema, path: Path = []): string[] {
  return Object.entries(asOne(schema).properties ?? {}).flatMap(([name, inner]) => [
    ...(name === key ? [`'${[...path, name].join('.')}'`] : []),
    ...placesOf(key, inner, [...path, name]),
    ...(name === 'hosts' && typeof inner.additionalProperties === 'object'
      ? placesOf(key, inner.additionalProperties, [...path, name, 'NAME'])
      : []),
  ]);
}

const nameOf = (path: Path): string => (path.length === 0 ? 'an inventory' : `'${path.join('.')}'`);

export function tellMissing(path: Path, root: Node, schema = knownSchema()): Diagnostic {
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

function tellWrong(issue: Issue, path: Path, root: Node, about: JsonSchema): Diagnostic {
  if (!isSetting(path) || !isEmpty(root, path)) {
    const at = valuePosition(root, path) ?? keyPosition(root, path);
    return { ...tellWrongValue(issue, path, nodeAt(root, path), about), at };
  }
  return {
    code: 'INV005',
    what: `the setting '${path.at(-1)}' has no value`,
    why: 'it is not clear whether the default or an empty text is meant',
    fix: "Remove the line for the default, or write '' for an empty text.",
    at: keyPosition(root, path),
  };
}
