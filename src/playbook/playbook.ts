/**
 * A playbook as written: plays with the hosts they are for and the resources they declare. Text in, typed plays out;
 * what the resources mean is found out later, per host, by `compile.ts`. Never throws.
 */
import { type Diagnostic, failed, ok, type Result } from '../base/diagnostic.ts';
import { nearest } from '../base/nearest.ts';
import type { Position } from '../base/position.ts';
import { type Node, parseYaml } from '../base/yaml.ts';

export type Selector = 'all' | 'primary' | 'standbys' | 'target' | 'kept' | 'dropped';

/** "standbys/controller": the resource of that name on those hosts. */
export interface After {
  readonly on: string;
  readonly name: string;
  readonly at: Position;
}

export interface Entry {
  readonly kind: string;
  readonly node: Node;
  readonly at: Position;
  readonly as?: string;
  /** A text that is rendered; empty or "false" leaves the resource out. */
  readonly when?: string;
  readonly each?: 'others' | 'standbys' | 'servers' | 'dropped' | 'tablespaces';
  readonly after: readonly After[];
  /** Looked at only once what it comes after is right. */
  readonly late: boolean;
  /** What it will most likely come to where it cannot be decided at the first look: a copy brings it, for example. */
  readonly expect: 'change' | 'same';
}

export interface Play {
  readonly title: string;
  /** A selector or the name of a host. */
  readonly on: string;
  readonly onAt: Position;
  readonly entries: readonly Entry[];
}

export interface Playbook {
  readonly title: string;
  readonly plays: readonly Play[];
}

const meta = ['as', 'when', 'each', 'after', 'late', 'expect'] as const;
export const expectWords = ['change', 'same'] as const;
export const eachWords = ['others', 'standbys', 'servers', 'dropped', 'tablespaces'] as const;

export function parsePlaybook(text: string, file: string, kinds: readonly string[]): Result<Playbook> {
  const parsed = parseYaml(text, file, { syntax: 'PLY001', duplicateKey: 'PLY002' });
  if (!parsed.ok) return parsed;
  const problems: Diagnostic[] = [];
  const reader = {
    kinds,
    say: (at: Position, what: string, fix: string) =>
      problems.push({
        code: 'PLY002',
        what,
        why: 'the playbook cannot be understood, so nothing is done',
        fix,
        at,
      }),
  };
  const playbook = readPlaybook(parsed.value, reader);
  return problems.length > 0 ? failed(...problems) : ok(playbook);
}

interface Reader {
  readonly kinds: readonly string[];
  say(at: Position, what: string, fix: string): void;
}

function readPlaybook(node: Node, reader: Reader): Playbook {
  const title = textOf(field(node, 'title')) ?? 'Playbook';
  const plays = field(node, 'plays');
  if (node.kind !== 'map' || plays?.kind !== 'seq') {
    reader.say(
      node.at,
      "a playbook is a map with 'title' and 'plays'",
      "Write 'plays:' and under it a list of plays.",
    );
    return { title, plays: [] };
  }
  rejectUnknown(node, ['title', 'plays'], reader);
  return { title, plays: plays.items.map((item) => readPlay(item, reader)) };
}

function readPlay(node: Node, reader: Reader): Play {
  const resources = field(node, 'resources');
  const on = textOf(field(node, 'on'));
  if (on === undefined)
    reader.say(
      node.at,
      "a play needs 'on'",
      "Write 'on: all', 'on: primary', 'on: standbys', 'on: target' or the name of a host.",
    );
  if (resources?.kind !== 'seq')
    reader.say(
      node.at,
      "a play needs a list of 'resources'",
      "Write 'resources:' and under it lines that start with '- '.",
    );
  if (node.kind === 'map') rejectUnknown(node, ['title', 'on', 'resources'], reader);
  return {
    title: textOf(field(node, 'title')) ?? '',
    on: on ?? 'all',
    onAt: field(node, 'on')?.at ?? node.at,
    entries:
      resources?.kind === 'seq' ? resources.items.flatMap((item) => readEntry(item, reader) ?? []) : [],
  };
}

function readEntry(node: Node, reader: Reader): Entry | undefined {
  if (node.kind !== 'map') {
    reader.say(
      node.at,
      'a resource is a map with one kind',
      "Write '- directory: { path: … }', for example.",
    );
    return undefined;
  }
  const kinds = node.entries.filter((entry) => !meta.some((word) => word === entry.key));
  const [found] = kinds;
  if (!found || kinds.length > 1) {
    reader.say(
      node.at,
      found
        ? `two kinds in one resource: '${kinds.map((kind) => kind.key).join("', '")}'`
        : 'a resource without a kind',
      'Give each resource a list item of its own, with exactly one kind.',
    );
    return undefined;
  }
  if (!reader.kinds.includes(found.key)) {
    const near = nearest(found.key, [...reader.kinds, ...meta]);
    reader.say(
      found.keyAt,
      `there is no kind '${found.key}'`,
      near ? `Did you mean '${near}'?` : `Kinds: ${reader.kinds.join(', ')}.`,
    );
    return undefined;
  }
  return { kind: found.key, node: found.value, at: found.keyAt, ...readMeta(node, reader) };
}

function readMeta(
  node: Node,
  reader: Reader,
): Pick<Entry, 'as' | 'when' | 'each' | 'after' | 'late' | 'expect'> {
  const as = textOf(field(node, 'as'));
  const when = textOf(field(node, 'when'));
  const eachNode = field(node, 'each');
  const each = eachWords.find((word) => word === textOf(eachNode));
  if (eachNode && !each)
    reader.say(eachNode.at, `'each' cannot be '${textOf(eachNode)}'`, `Use one of: ${eachWords.join(', ')}.`);
  const after = field(node, 'after');
  const refs = after === undefined ? [] : after.kind === 'seq' ? after.items : [after];
  const lateNode = field(node, 'late');
  const late = textOf(lateNode) === 'true';
  if (lateNode && !late && textOf(lateNode) !== 'false')
    reader.say(lateNode.at, `'late' must be true or false, not '${textOf(lateNode)}'`, "Write 'late: true'.");
  const expectNode = field(node, 'expect');
  const expect = expectWords.find((word) => word === textOf(expectNode));
  if (expectNode && !expect)
    reader.say(
      expectNode.at,
      `'expect' cannot be '${textOf(expectNode)}'`,
      `Use one of: ${expectWords.join(', ')}.`,
    );
  return {
    late,
    expect: expect ?? 'change',
    after: refs.flatMap((ref) => readAfter(ref, reader) ?? []),
    ...(as ? { as } : {}),
    ...(when !== undefined ? { when } : {}),
    ...(each ? { each } : {}),
  };
}

function readAfter(node: Node, reader: Reader): After | undefined {
  const match = /^([^/]+)\/(.+)$/.exec(textOf(node) ?? '');
  if (match?.[1] && match[2]) return { on: match[1], name: match[2], at: node.at };
  reader.say(
    node.at,
    "'after' must name a host and a resource",
    "Write 'after: primary/replication role': hosts, a slash, and the name given with 'as'.",
  );
  return undefined;
}

const field = (node: Node, name: string): Node | undefined =>
  node.kind === 'map' ? node.entries.find((entry) => entry.key === name)?.value : undefined;
const textOf = (node: Node | undefined): string | undefined =>
  node?.kind === 'scalar' && node.value !== null ? String(node.value) : undefined;

function rejectUnknown(node: Extract<Node, { kind: 'map' }>, known: readonly string[], reader: Reader): void {
  for (const entry of node.entries) {
    if (known.includes(entry.key)) continue;
    const near = nearest(entry.key, known);
    reader.say(
      entry.keyAt,
      `the key '${entry.key}' is not known`,
      near ? `Did you mean '${near}'?` : `Known keys: ${known.join(', ')}.`,
    );
  }
}
