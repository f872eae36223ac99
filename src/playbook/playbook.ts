/**
 * A playbook as written: plays with the hosts they are for and the resources they declare, with the plays of the playbooks
 * that it includes in their place. Text in, typed plays out; what the resources mean is found out later, per host, by
 * `compile.ts`. Never throws.
 */
import { type Diagnostic, failed, ok, type Result } from '../base/diagnostic.ts';
import { nearest } from '../base/nearest.ts';
import { type Packed, unpack } from '../base/packed-yaml.ts';
import type { Position } from '../base/position.ts';
import { type Node, parseYaml } from '../base/yaml.ts';
import { preparsed } from './preparsed.ts';

export type Selector = 'all' | 'primary' | 'standbys' | 'target' | 'kept' | 'dropped' | 'arbiter';

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
  readonly each?: (typeof eachWords)[number];
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

/** The text of a playbook, and where it stands. */
export interface PlaybookFile {
  readonly path: string;
  readonly text: string;
}

/** Finds what `include` names in the playbook at `from`; or says why not. */
export type FindIncluded = (name: string, from: string) => PlaybookFile | { readonly reason: string };

const meta = ['as', 'when', 'each', 'after', 'late', 'expect'] as const;
export const expectWords = ['change', 'same'] as const;
export const eachWords = [
  'others',
  'standbys',
  'servers',
  'dropped',
  'tablespaces',
  'formerSlots',
  'commands',
  'libraries',
] as const;

export function parsePlaybook(
  file: PlaybookFile,
  kinds: readonly string[],
  find: FindIncluded,
): Result<Playbook> {
  const problems: Diagnostic[] = [];
  const playbook = readFile(file, {
    kinds,
    find,
    chain: [file.path],
    report: (...found) => problems.push(...found),
  });
  return problems.length > 0 ? failed(...problems) : ok(playbook);
}

interface Reader {
  readonly kinds: readonly string[];
  readonly find: FindIncluded;
  /** The playbook that is read, and those that include it, the outermost first. */
  readonly chain: readonly string[];
  report(...problems: readonly Diagnostic[]): void;
}

/** A place that the playbook cannot be understood at. */
const say = (reader: Reader, at: Position, what: string, fix: string): void =>
  reader.report({
    code: 'PLY002',
    what,
    why: 'the playbook cannot be understood, so nothing is done',
    fix,
    at,
  });

function readFile({ text, path }: PlaybookFile, reader: Reader): Playbook {
  const packed = preparsed.get(text);
  if (packed !== undefined) return readPlaybook(unpack(JSON.parse(packed) as Packed, text, path), reader);
  const parsed = parseYaml(text, path, { syntax: 'PLY001', duplicateKey: 'PLY002' });
  if (parsed.ok) return readPlaybook(parsed.value, reader);
  reader.report(...parsed.diagnostics);
  return { title: '', plays: [] };
}

function readPlaybook(node: Node, reader: Reader): Playbook {
  const title = textOf(field(node, 'title')) ?? 'Playbook';
  const plays = field(node, 'plays');
  if (node.kind !== 'map' || plays?.kind !== 'seq') {
    say(
      reader,
      node.at,
      "a playbook is a map with 'title' and 'plays'",
      "Write 'plays:' and under it a list of plays.",
    );
    return { title, plays: [] };
  }
  rejectUnknown(node, ['title', 'plays'], reader);
  return {
    title,
    plays: plays.items.flatMap((item) =>
      field(item, 'include') ? readIncluded(item, reader) : [readPlay(item, reader)],
    ),
  };
}

/** The plays of the playbook that this item names. */
function readIncluded(node: Node, reader: Reader): readonly Play[] {
  const named = field(node, 'include');
  const name = textOf(named);
  if (node.kind === 'map') rejectUnknown(node, ['include'], reader);
  if (named === undefined || name === undefined) {
    say(reader, node.at, "'include' must name a playbook", "Write '- include: FILE.yml'.");
    return [];
  }
  const found = reader.find(name, reader.chain.at(-1) ?? '');
  if ('reason' in found) {
    reader.report(notRead(name, found.reason, named.at));
    return [];
  }
  const begin = reader.chain.indexOf(found.path);
  if (begin >= 0) {
    const circle = [...reader.chain.slice(begin), found.path].join(' → ');
    say(reader, named.at, `a playbook includes itself: ${circle}`, "Remove one of these 'include' lines.");
    return [];
  }
  return readFile(found, { ...reader, chain: [...reader.chain, found.path] }).plays;
}

const notRead = (name: string, reason: string, at: Position): Diagnostic => ({
  code: 'PLY001',
  what: `the playbook '${name}' cannot be read`,
  why: reason,
  fix: 'Name a file by its path from this playbook, or one of those that pgduet ships (docs/playbooks.md).',
  at,
});

function readPlay(node: Node, reader: Reader): Play {
  const resources = field(node, 'resources');
  const on = textOf(field(node, 'on'));
  if (on === undefined)
    say(
      reader,
      node.at,
      "a play needs 'on'",
      "Write 'on: all', 'on: primary', 'on: standbys', 'on: target' or the name of a host; or 'include: FILE'.",
    );
  if (resources?.kind !== 'seq')
    say(
      reader,
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
    say(
      reader,
      node.at,
      'a resource is a map with one kind',
      "Write '- directory: { path: … }', for example.",
    );
    return undefined;
  }
  const kinds = node.entries.filter((entry) => !meta.some((word) => word === entry.key));
  const [found] = kinds;
  if (!found || kinds.length > 1) {
    say(
      reader,
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
    say(
      reader,
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
    say(
      reader,
      eachNode.at,
      `'each' cannot be '${textOf(eachNode)}'`,
      `Use one of: ${eachWords.join(', ')}.`,
    );
  const after = field(node, 'after');
  const refs = after === undefined ? [] : after.kind === 'seq' ? after.items : [after];
  const lateNode = field(node, 'late');
  const late = textOf(lateNode) === 'true';
  if (lateNode && !late && textOf(lateNode) !== 'false')
    say(
      reader,
      lateNode.at,
      `'late' must be true or false, not '${textOf(lateNode)}'`,
      "Write 'late: true'.",
    );
  const expectNode = field(node, 'expect');
  const expect = expectWords.find((word) => word === textOf(expectNode));
  if (expectNode && !expect)
    say(
      reader,
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
  say(
    reader,
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
    say(
      reader,
      entry.keyAt,
      `the key '${entry.key}' is not known`,
      near ? `Did you mean '${near}'?` : `Known keys: ${known.join(', ')}.`,
    );
  }
}
