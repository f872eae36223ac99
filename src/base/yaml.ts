/**
 * The one home of the `yaml` library: text → nodes that know their place in the file.
 * Parsing never throws; syntax errors come back as diagnostics.
 */
import { isMap, isScalar, isSeq, LineCounter, parseDocument, type Node as YamlNode } from 'yaml';
import type { Code } from './codes.ts';
import { failed, ok, type Diagnostic, type Result } from './diagnostic.ts';
import type { Position } from './position.ts';

export type Node = MapNode | SeqNode | ScalarNode;

interface At {
  readonly at: Position;
  /** The tag if one was written, such as "!env". */
  readonly tag?: string;
}

export interface MapNode extends At {
  readonly kind: 'map';
  readonly entries: readonly { readonly key: string; readonly keyAt: Position; readonly value: Node }[];
}

export interface SeqNode extends At {
  readonly kind: 'seq';
  readonly items: readonly Node[];
}

export interface ScalarNode extends At {
  readonly kind: 'scalar';
  readonly value: string | number | boolean | null;
  /** The text as it was written; "07" and "1e3" keep their form here. */
  readonly source: string;
}

/** Codes for the two things that can be wrong before any meaning is looked at. */
export interface YamlCodes {
  readonly syntax: Code;
  readonly duplicateKey: Code;
}

/** Parses one document. All syntax errors are reported at once, each at its place. */
export function parseYaml(text: string, file: string, codes: YamlCodes): Result<Node> {
  const lineCounter = new LineCounter();
  const lines = text.split('\n');
  const document = parseDocument(text, { lineCounter, keepSourceTokens: false, uniqueKeys: true, customTags: [] });
  const place = (range: readonly number[] | null | undefined): Position => {
    const start = range?.[0] ?? 0;
    const { line, col } = lineCounter.linePos(start);
    const content = lines[line - 1] ?? '';
    const length = Math.max(1, Math.min((range?.[1] ?? start + 1) - start, content.length - col + 1));
    return { file, line: Math.max(line, 1), column: Math.max(col, 1), length, text: content };
  };
  const problems = document.errors.map((error): Diagnostic => {
    const duplicate = error.code === 'DUPLICATE_KEY';
    return {
      code: duplicate ? codes.duplicateKey : codes.syntax,
      what: duplicate ? 'this key stands twice in one map' : (error.message.split('\n')[0] ?? 'syntax error').replace(/ at line \d+.*$/, ''),
      why: duplicate ? 'only one of the two values would count, and it is not clear which' : 'the file cannot be read as YAML, so nothing in it can be checked',
      fix: duplicate ? 'Remove one of the two.' : 'Correct the line; look at its indentation, colons and quotes first.',
      at: place(error.pos),
    };
  });
  if (problems.length > 0) return failed(...problems);
  return ok(convert(document.contents as YamlNode | null, place));
}

function convert(node: YamlNode | null, place: (range: readonly number[] | null | undefined) => Position): Node {
  const at = place(node?.range);
  const tag = node?.tag?.startsWith('!') ? { tag: node.tag } : {};
  if (isMap(node)) {
    const entries = node.items.map((pair) => {
      const key = pair.key as YamlNode | null;
      return {
        key: isScalar(key) ? String(key.value) : String(key),
        keyAt: place(key?.range),
        value: convert(pair.value as YamlNode | null, place),
      };
    });
    return { kind: 'map', at, entries, ...tag };
  }
  if (isSeq(node)) {
    return { kind: 'seq', at, items: node.items.map((item) => convert(item as YamlNode, place)), ...tag };
  }
  if (isScalar(node)) {
    const value = node.value;
    const simple = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? value : null;
    return { kind: 'scalar', at, value: simple, source: node.source ?? String(simple ?? ''), ...tag };
  }
  return { kind: 'scalar', at, value: null, source: '', ...tag };
}

/** The plain value of a node: maps become objects, sequences arrays. Places are lost. */
export function plain(node: Node): unknown {
  if (node.kind === 'scalar') return node.value;
  if (node.kind === 'seq') return node.items.map(plain);
  return Object.fromEntries(node.entries.map((entry) => [entry.key, plain(entry.value)]));
}

/** The node at a path such as ['hosts', 'server1', 'address'], or undefined. */
export function nodeAt(node: Node, path: readonly (string | number)[]): Node | undefined {
  let current: Node | undefined = node;
  for (const step of path) {
    if (current?.kind === 'map') current = current.entries.find((entry) => entry.key === String(step))?.value;
    else if (current?.kind === 'seq') current = current.items[Number(step)];
    else return undefined;
  }
  return current;
}
