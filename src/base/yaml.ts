/**
 * The one home of the `yaml` library: text → nodes that know their place in the file.
 * Parsing never throws; syntax errors come back as diagnostics. Aliases are resolved, so that nobody else
 * has to know of them; one that contains itself, or that would blow a small file up, is a syntax error.
 */
import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  type YAMLParseError,
  type Node as YamlNode,
} from 'yaml';
import type { Code } from './codes.ts';
import { type Diagnostic, failed, ok, type Result } from './diagnostic.ts';
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

type Place = (range: readonly number[] | null | undefined) => Position;

/** More nodes than any file of this project has; aliases of aliases reach it with a few lines. */
const mostNodes = 100_000;
/** Deeper than any file of this project, and shallow enough for every function that recurses over nodes. */
const deepest = 100;

/** Parses one document. All syntax errors are reported at once, each at its place. */
export function parseYaml(text: string, file: string, codes: YamlCodes): Result<Node> {
  const { node, problems } = readYaml(text, file, codes);
  return node === undefined || problems.length > 0 ? failed(...problems) : ok(node);
}

/**
 * As parseYaml, but a key that stands twice does not stop the reading: the caller gets both the complaint and
 * the nodes, and can report what else is wrong. No node comes back when the text is not YAML.
 * `shown` is what excerpts may show of the text: the same lines, cut off where a secret begins.
 */
export function readYaml(
  text: string,
  file: string,
  codes: YamlCodes,
  shown = text,
): { readonly node?: Node; readonly problems: readonly Diagnostic[] } {
  const lineCounter = new LineCounter();
  const place = placer(file, shown, lineCounter);
  try {
    const uniqueKeys = (one: YamlNode | null, other: YamlNode | null): boolean =>
      keyText(one) === keyText(other);
    const document = parseDocument(text, { lineCounter, uniqueKeys, logLevel: 'error' });
    const problems = document.errors.map((error) => describe(error, codes, place));
    if (document.errors.some((error) => error.code !== 'DUPLICATE_KEY')) return { problems };
    return { node: converter(document, place)(document.contents as YamlNode | null), problems };
  } catch (error) {
    // The library recurses: a file of ten thousand brackets ends here, and so does an alias of itself.
    const told = error instanceof ReadProblem;
    const reason = told ? error.message : 'it is nested too deeply';
    return { problems: [syntaxProblem(reason, codes, place(told ? error.range : undefined))] };
  }
}

function placer(file: string, shown: string, lineCounter: LineCounter): Place {
  const lines = shown.split(/\r?\n/);
  return (range) => {
    const start = range?.[0] ?? 0;
    const { line, col } = lineCounter.linePos(start);
    const content = lines[line - 1] ?? '';
    const length = Math.max(1, Math.min((range?.[1] ?? start + 1) - start, content.length - col + 1));
    return { file, line: Math.max(line, 1), column: Math.max(col, 1), length, text: content };
  };
}

const syntaxProblem = (reason: string, codes: YamlCodes, at: Position): Diagnostic => ({
  code: codes.syntax,
  what: `this is not valid YAML: ${reason}`,
  why: 'the file cannot be read as YAML, so nothing in it can be checked',
  fix: 'Correct the line; look at its indentation, colons and quotes first.',
  at,
});

function describe(error: YAMLParseError, codes: YamlCodes, place: Place): Diagnostic {
  const at = place(error.pos);
  if (error.code !== 'DUPLICATE_KEY') return syntaxProblem(reasonOf(error), codes, at);
  const key = /^["']?([^\s:"']+)/.exec(at.text.slice(at.column - 1))?.[1];
  return {
    code: codes.duplicateKey,
    what: `${key === undefined ? 'this key' : `'${key}'`} stands twice in one map`,
    why: 'only one of the two values would count, and it is not clear which',
    fix: 'Remove one of the two.',
    at: key === undefined ? at : { ...at, length: key.length },
  };
}

/** The library's sentence without the excerpt, and without names from the file: those might be secrets. */
function reasonOf(error: YAMLParseError): string {
  const sentence = (error.message.split('\n')[0] ?? '').replace(/ at line \d+.*$/, '');
  const open = /^Flow (?:map|sequence) .* end with a ([\]}])/.exec(sentence)?.[1];
  if (open !== undefined) return `a ${open === ']' ? '[' : '{'} above this is not closed with ${open}`;
  if (error.code === 'MULTIPLE_DOCS') return 'it holds more than one document';
  const reason = error.code === 'BAD_ALIAS' ? 'an alias without its anchor' : sentence.replace(/: .*$/, '');
  return reason === '' ? 'it cannot be understood' : reason.charAt(0).toLowerCase() + reason.slice(1);
}

class ReadProblem extends Error {
  readonly range: readonly number[] | null | undefined;

  constructor(message: string, range: readonly number[] | null | undefined) {
    super(message);
    this.range = range;
  }
}

function converter(document: Document, place: Place): (node: YamlNode | null) => Node {
  const open = new Set<YamlNode>();
  let count = 0;
  const convert = (node: YamlNode | null): Node => {
    count += 1;
    if (count > mostNodes) throw new ReadProblem('its aliases stand for too much', node?.range);
    if (open.size > deepest) throw new ReadProblem('it is nested too deeply', node?.range);
    const at = place(node?.range);
    const tag = node?.tag?.startsWith('!') ? { tag: node.tag } : {};
    if (isAlias(node)) {
      const target = node.resolve(document);
      if (target === undefined) throw new ReadProblem('an alias without its anchor', node.range);
      if (open.has(target)) throw new ReadProblem('an alias contains itself', node.range);
      // The place stays that of the alias: there is what the reader of a message has to look at.
      return { ...convert(target as YamlNode), at };
    }
    if (isScalar(node)) return { kind: 'scalar', at, ...scalar(node.value, node.source), ...tag };
    if (!isMap(node) && !isSeq(node)) return { kind: 'scalar', at, value: null, source: '', ...tag };
    open.add(node);
    const collection: Node = isSeq(node)
      ? { kind: 'seq', at, items: node.items.map((item) => convert(item as YamlNode | null)), ...tag }
      : {
          kind: 'map',
          at,
          entries: node.items.map((pair) => {
            const key = pair.key as YamlNode | null;
            return {
              key: keyText(key),
              keyAt: place(key?.range),
              value: convert(pair.value as YamlNode | null),
            };
          }),
          ...tag,
        };
    open.delete(node);
    return collection;
  };
  return convert;
}

/** A key is a name, and means what stands there: `01`, `1e3` and `~` are no number and no null. */
function keyText(key: YamlNode | null): string {
  if (!isScalar(key)) return String(key);
  return typeof key.value === 'string' ? key.value : (key.source ?? String(key.value));
}

function scalar(value: unknown, source: string | undefined): Pick<ScalarNode, 'value' | 'source'> {
  const simple =
    typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? value : null;
  return { value: simple, source: source ?? String(simple ?? '') };
}

/** The plain value of a node: maps become objects, sequences arrays. Places are lost. */
export function plain(node: Node): unknown {
  if (node.kind === 'scalar') return node.value;
  if (node.kind === 'seq') return node.items.map(plain);
  return Object.fromEntries(node.entries.map((entry) => [entry.key, plain(entry.value)]));
}

/** The opposite of `plain`: the node of a plain value, all of it at one place. */
export function nodeOf(value: unknown, at: Position): Node {
  if (Array.isArray(value)) return { kind: 'seq', at, items: value.map((item) => nodeOf(item, at)) };
  if (typeof value === 'object' && value !== null)
    return {
      kind: 'map',
      at,
      entries: Object.entries(value).map(([key, item]) => ({ key, keyAt: at, value: nodeOf(item, at) })),
    };
  return { kind: 'scalar', at, ...scalar(value, undefined) };
}

/** The node at a path such as ['hosts', 'server1', 'address'], or undefined. */
export function nodeAt(node: Node, path: readonly (string | number)[]): Node | undefined {
  let current: Node | undefined = node;
  for (const step of path) {
    if (current?.kind === 'map')
      current = current.entries.findLast((entry) => entry.key === String(step))?.value;
    else if (current?.kind === 'seq') current = current.items[Number(step)];
    else return undefined;
  }
  return current;
}
