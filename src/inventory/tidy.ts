/**
 * Nodes → the plain value that zod looks at, and the way back: taking out what zod found wrong, so that the
 * cross checks can look at the rest. Pure.
 */
import { type Node, plain } from '../base/yaml.ts';
import type { DraftInventory, Path } from './draft.ts';
import type { Issue } from './issues.ts';

type Plain = Record<string, unknown>;
const isMap = (value: unknown): value is Plain =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A key without a value counts as left out, except where that would lose something the user meant. */
export function plainInventory(root: Node): unknown {
  if (root.kind === 'scalar' && root.value === null) return {};
  return withoutEmpty(root, []);
}

function withoutEmpty(node: Node, path: Path): unknown {
  if (node.kind === 'scalar') return path[1] === 'settings' ? settingValue(node) : node.value;
  if (node.kind === 'seq') return node.items.map((item, index) => withoutEmpty(item, [...path, index]));
  const inSettings = path.join('.') === 'postgres.settings';
  const entries = node.entries.flatMap((entry): [string, unknown][] => {
    const value = withoutEmpty(entry.value, [...path, entry.key]);
    if (value !== null || inSettings) return [[entry.key, value]];
    // A host without a value is a host whose keys are all missing, not a host that is not there.
    return path.length === 1 && path[0] === 'hosts' ? [[entry.key, {}]] : [];
  });
  return Object.fromEntries(entries);
}

/** PostgreSQL reads "0700" as octal and "1e3" in its own way: a number keeps the form it was written in. */
function settingValue(node: Node): unknown {
  const value = plain(node);
  if (node.kind !== 'scalar' || typeof value !== 'number' || String(value) === node.source) return value;
  return node.source.replace(/^0o/, '0');
}

/** The value without everything that an issue points at. A list keeps a hole, so that the places after it stay right. */
export function prune(value: unknown, issues: readonly Issue[]): DraftInventory {
  const copy: unknown = structuredClone(value);
  if (!isMap(copy)) return {};
  for (const issue of issues) {
    if (issue.code === 'unrecognized_keys') for (const key of issue.keys) remove(copy, [...issue.path, key]);
    else remove(copy, issue.path);
  }
  return copy as DraftInventory;
}

function remove(root: Plain, path: readonly PropertyKey[]): void {
  const parent = path.slice(0, -1).reduce<unknown>((at, step) => {
    if (Array.isArray(at)) return at[Number(step)] as unknown;
    return isMap(at) ? at[String(step)] : undefined;
  }, root);
  const last = path.at(-1);
  if (last === undefined) for (const key of Object.keys(root)) delete root[key];
  else if (Array.isArray(parent)) parent[Number(last)] = undefined;
  else if (path.length === 2 && path[0] === 'hosts' && isMap(parent)) parent[String(last)] = {};
  else if (isMap(parent)) delete parent[String(last)];
}
